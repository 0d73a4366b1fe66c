"""The kernel as an MCP server: memory, files and tools of whoever's token is shown."""
