"""A server as its author means it, made with the official SDK. Run as a program."""

import asyncio
import base64
import sys
from typing import Any

from mcp.server.mcpserver import Context, MCPServer
from mcp_types import CallToolResult, ImageContent, ResourceLink, TextContent, ToolAnnotations

server = MCPServer("honest")


@server.tool(annotations=ToolAnnotations(read_only_hint=True, idempotent_hint=True))
def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


@server.tool()
def city(name: str) -> dict[str, Any]:
    """Data about a city."""
    return {"name": name, "people": 12}


@server.tool(annotations=ToolAnnotations(destructive_hint=True))
def wipe() -> str:
    """Remove everything."""
    return "wiped"


@server.tool()
def fail() -> str:
    """Fail."""
    raise ValueError("the oven is cold")


@server.tool()
def picture() -> CallToolResult:
    """A picture, a link and words."""
    image = ImageContent(
        type="image", data=base64.b64encode(b"PNG").decode(), mime_type="image/png"
    )
    link = ResourceLink(type="resource_link", uri="file:///a.txt", name="a", size=3)
    return CallToolResult(content=[TextContent(type="text", text="look"), image, link])


@server.tool()
async def grow(ctx: Context) -> str:
    """Make one tool more, and say so."""
    server.add_tool(lambda: "new", name="newer", description="A tool that was not there.")
    await ctx.notify_tools_changed()
    return "grown"


@server.tool()
async def nap(seconds: float, ctx: Context) -> str:
    """Sleep, telling how far it is."""
    await ctx.report_progress(1, 2)
    try:
        await asyncio.sleep(seconds)
    except asyncio.CancelledError:
        sys.stderr.write("cancelled\n")
        sys.stderr.flush()
        raise
    return "rested"


if __name__ == "__main__":
    if len(sys.argv) > 1:
        server.run("streamable-http", port=int(sys.argv[1]))
    else:
        server.run("stdio")
