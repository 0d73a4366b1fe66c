"""LLM cores: one protocol, several engines behind it."""
