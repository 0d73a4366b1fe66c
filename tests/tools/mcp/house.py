"""A kernel in real time with servers that a test adds; no model is asked."""

import asyncio
import random
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from aios.clock import LoopClock
from aios.kernel.environment import Environment
from aios.kernel.kernel import Kernel
from aios.kernel.tools.servers import ToolServers
from aios.sandbox.base import Host
from aios.scheduler import make
from aios.syscalls import Spawn
from aios.syscalls.tool import AddServer, CallTool, ListTools, ToolInfo, ToolList, ToolResult
from aios.testing.cores import ScriptedCore
from aios.testing.script import Script
from aios.testing.store import ScriptedStore
from aios.tools.base import Source
from aios.tools.mcp.connecting import Means, by_command, by_url
from aios.tools.mcp.patience import Patience

HERE = Path(__file__).parent
QUICK = Patience(handshake_s=4.0, list_s=3.0, relist_s=0.05, again_s=0.05, wait_s=2.0)


def no_secret(name: str) -> str:
    return f"the-{name}"


@dataclass(frozen=True, kw_only=True)
class House:
    """The kernel, and one agent's token."""

    kernel: Kernel
    token: str

    async def add(self, name: str, *command: str, **options: Any) -> ToolList:
        """A plain program as a server, unless told otherwise."""
        call = AddServer(name=name, command=command, **{"sandboxed": False, **options})
        return await self.kernel.call(self.kernel.token, call)

    async def liar(self, name: str, way: str, place: Path | None = None) -> ToolList:
        place_words = [str(place)] if place is not None else []
        return await self.add(name, sys.executable, str(HERE / "liar.py"), way, *place_words)

    async def honest(self, name: str = "honest", **options: Any) -> ToolList:
        return await self.add(name, sys.executable, str(HERE / "honest.py"), **options)

    async def call(self, name: str, /, timeout_s: float | None = None, **values: Any) -> ToolResult:
        arguments = msgspec.json.encode(values).decode()
        call = CallTool(name=name, arguments=arguments, timeout_s=timeout_s)
        return await self.kernel.call(self.token, call)

    async def listed(self, prefix: str) -> tuple[ToolInfo, ...]:
        return (await self.kernel.call(self.token, ListTools(prefix=prefix))).tools

    async def tool(self, name: str) -> ToolInfo:
        return (await self.listed(name))[0]

    async def until(self, name: str, state: str) -> ToolInfo:
        """Wait until a tool is listed in that state."""
        async with asyncio.timeout(10):
            while (info := await self.tool(name)).state != state:  # noqa: ASYNC110 - another program's doing
                await asyncio.sleep(0.02)
        return info


@asynccontextmanager
async def house(host: Host | None = None, *given: Source) -> AsyncIterator[House]:
    clock = LoopClock()
    means = Means(host=host, secret=no_secret, clock=clock, patience=QUICK)

    async def command(call: AddServer) -> Source:
        return await by_command(call, means)

    async def url(call: AddServer) -> Source:
        return await by_url(call, means)

    servers = ToolServers(given=given, connects={"command": command, "url": url})
    rng = random.Random(1)
    core = ScriptedCore(Script(), clock=clock, rng=rng, store=ScriptedStore())
    environment = Environment(clock=clock, random=rng)
    async with Kernel([core], lambda: make("rr"), environment=environment, tools=servers) as kernel:
        agent = await kernel.call(kernel.token, Spawn(name="agent"))
        yield House(kernel=kernel, token=agent.token)


def lived(main: Callable[[House], Awaitable[None]], host: Host | None = None) -> None:
    """Run a test's body in a house."""

    async def body() -> None:
        async with house(host) as one:
            await main(one)

    asyncio.run(body())
