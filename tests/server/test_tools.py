"""The kernel's tools over a socket: the same results and errors as in process."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from aios.errors import Denied, NotFound
from aios.sdk import Client, SyncClient
from aios.sdk.http import HttpTransport
from aios.syscalls.tool import AddServer, CallTool
from tests.server.house import house


@asynccontextmanager
async def clients() -> AsyncIterator[list[Client]]:
    """The same agent in process and over HTTP."""
    async with house() as home, HttpTransport(home.url) as transport:
        yield [Client(home.kernel, home.token), Client(transport, home.token)]


def test_both_ways_to_a_kernel_tell_the_same() -> None:
    async def main() -> None:
        async with clients() as both:
            for client in both:
                assert (await client.tools.list()).tools == ()
                with pytest.raises(NotFound, match="no tool 'local/none'"):
                    await client.tools.call("local/none", {"a": 1})
                results = await client.tools.batch([CallTool(name="local/none")])
                assert results[0].text.startswith("not_found: no tool")
                with pytest.raises(Denied):
                    await client.tools.add(AddServer(name="x", command=("x",)))

    asyncio.run(main())


def test_a_thread_calls_tools_as_the_loop_does() -> None:
    async def main() -> None:
        async with house() as home:
            sync = SyncClient(Client(home.kernel, home.token), asyncio.get_running_loop())
            with pytest.raises(NotFound):
                await asyncio.to_thread(sync.tools.call, "local/none")

    asyncio.run(main())
