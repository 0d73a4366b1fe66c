"""What agents can do beside thinking: tools from functions, commands and MCP servers."""
