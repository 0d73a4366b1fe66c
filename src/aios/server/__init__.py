"""The kernel over HTTP: OpenAI's and Anthropic's protocols, the native one, and who may speak."""
