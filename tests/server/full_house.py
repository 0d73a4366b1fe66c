"""A server whose agents have memory, files and a few tools, on a real socket."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from typing import Any

import httpx2
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from aios.journal.journal import open_journal
from aios.kernel.environment import Environment
from aios.kernel.home import home
from aios.kernel.rooms.opening import open_rooms
from aios.kernel.tools.servers import ToolServers
from aios.retrieval.ngrams import NgramEmbedder
from aios.sdk import tool
from aios.server.settings import Settings
from aios.testing.homes import RESERVE_BYTES
from aios.tools.builtin.source import Builtins
from aios.tools.functions import Function, Functions
from tests.server.house import House, house


@tool
def add(a: int, b: int) -> int:
    """The sum of two numbers."""
    return a + b


@tool
def fail(why: str) -> str:
    """Never works."""
    raise ValueError(why)


@asynccontextmanager
async def full_house(folder: Path) -> AsyncIterator[House]:
    """With every room, over a home of its own."""
    with home(folder) as folders:
        journal = open_journal(folders.journal, reserve_bytes=RESERVE_BYTES)
        try:
            given = Environment(random=Random(2))
            async with open_rooms(journal, folder, given, NgramEmbedder()) as rooms:
                own = Builtins(given.clock, given.token, host=None, hosts=())
                tools = ToolServers([Functions([add, fail]), own])
                async with house(more=rooms.handlers, journal=journal, tools=tools) as home_:
                    rooms.speak(home_.kernel.call_for)
                    yield home_
        finally:
            await journal.close()


@asynccontextmanager
async def tool_house(
    functions: Iterable[Function] = (add, fail), settings: Settings | None = None
) -> AsyncIterator[House]:
    """With tools only."""
    tools = ToolServers([Functions(list(functions))])
    async with house(tools=tools, settings=settings) as opened:
        yield opened


@asynccontextmanager
async def client(home: House, token: str = "", **options: Any) -> AsyncIterator[Client]:
    """The official client as an agent of that token."""
    headers = {"authorization": f"Bearer {token or home.token}"}
    async with httpx2.AsyncClient(headers=headers, timeout=30) as http:
        transport = streamable_http_client(f"{home.url}/mcp", http_client=http)
        async with Client(transport, **options) as opened:
            yield opened
