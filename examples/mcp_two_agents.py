"""One MCP server used by two agents at once: they share its list, side by side.

The server runs in a sandbox. Any other is added the same way, here or in a terminal:

    aios tools add shop -- python /path/to/server.py
"""

import asyncio
import sys

from aios.kernel import Kernel
from aios.sdk import Client
from aios.syscalls.tool import AddServer

# A program of its own, made with the official SDK; it knows nothing of AIOS.
SERVER = '''
from mcp.server.mcpserver import MCPServer

server = MCPServer("shop")
items = []

@server.tool()
def add(item: str) -> str:
    """Put something on the shopping list."""
    items.append(item)
    return f"{item} is on the list"

@server.tool()
def show() -> str:
    """What is on the shopping list."""
    return ", ".join(sorted(items))

server.run("stdio")
'''


async def main(kernel: Kernel) -> None:
    client = Client(kernel, kernel.token)
    await client.call(AddServer(name="shop", command=(sys.executable, "-c", SERVER)))
    ann, bob = [client.of(await client.spawn(name)) for name in ("ann", "bob")]
    # What a model does that was given it: Agent("ann", tools=["shop/add"]).
    for result in await asyncio.gather(
        ann.tools.call("shop/add", {"item": "bread"}),
        bob.tools.call("shop/add", {"item": "butter"}),
    ):
        print(result.text, "says", result.source)
    print("the list:", (await ann.tools.call("shop/show")).text)


if __name__ == "__main__":
    from aios.kernel.boot import boot
    from aios.kernel.hands import open_hands

    async def start() -> None:
        async with open_hands() as hands, boot("pocket", sandbox=hands.sandbox) as kernel:
            await main(kernel)

    asyncio.run(start())
