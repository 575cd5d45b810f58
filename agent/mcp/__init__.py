"""hubel as an MCP server: any client of the Model Context Protocol can be the planner."""
