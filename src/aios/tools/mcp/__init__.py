"""Tools of MCP servers: strangers, heard with caution. Only here is the SDK imported."""
