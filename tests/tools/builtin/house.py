"""A kernel in a home of its own with the built-in tools; two agents; no model is asked."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from aios.clock import LoopClock
from aios.config import Limits
from aios.journal.journal import open_journal
from aios.kernel.environment import Environment
from aios.kernel.guard.fittings import fittings, vault_of
from aios.kernel.guard.parts import Fence
from aios.kernel.home import home
from aios.kernel.hosting import Program
from aios.kernel.kernel import Kernel
from aios.kernel.rooms.opening import open_rooms
from aios.kernel.tools.servers import ToolServers
from aios.retrieval.ngrams import NgramEmbedder
from aios.sandbox.base import Host
from aios.scheduler import RoundRobin
from aios.syscalls import Spawn, Syscall
from aios.syscalls.tool import CallTool, ToolResult
from aios.testing.homes import RESERVE_BYTES, scripted
from aios.tools.base import Source
from aios.tools.builtin.source import Builtins


@dataclass(frozen=True, kw_only=True)
class House:
    """The kernel, and the tokens of two agents."""

    kernel: Kernel
    tokens: Mapping[str, str]

    async def call(self, name: str, agent: str = "ann", /, **values: Any) -> ToolResult:
        """A built-in tool, called as a model would."""
        arguments = msgspec.json.encode(values).decode()
        call = CallTool(name=f"aios/{name}", arguments=arguments)
        return await self.kernel.call(self.tokens[agent], call)

    async def said(self, name: str, agent: str = "ann", /, **values: Any) -> str:
        """The text of a call that went well."""
        result = await self.call(name, agent, **values)
        assert not result.is_error, result.text
        return result.text

    async def do(self, call: Syscall[Any], agent: str = "ann") -> Any:
        return await self.kernel.call(self.tokens[agent], call)


@asynccontextmanager
async def house(
    folder: Path,
    *,
    host: Host | None = None,
    hosts: Sequence[str] = (),
    programs: Mapping[str, Program] | None = None,
    source: Source | None = None,
) -> AsyncIterator[House]:
    given = Environment(limits=Limits(approval_s=600.0))
    with home(folder) as folders:
        journal = await asyncio.to_thread(
            open_journal, folders.journal, reserve_bytes=RESERVE_BYTES
        )
        try:
            async with open_rooms(journal, folder, given, NgramEmbedder()) as rooms:
                built = source or Builtins(LoopClock(), given.token, host=host, hosts=hosts)
                kernel = Kernel(
                    [scripted()],
                    RoundRobin,
                    programs=programs,
                    rooms=rooms.handlers,
                    left=rooms.left,
                    environment=Environment(journal=journal, limits=given.limits),
                    fence=Fence(fittings=fittings(folder, vault_of(folder))),
                    tools=ToolServers([built]),
                )
                rooms.speak(kernel.call_for)
                async with kernel:
                    tokens = {
                        name: (await kernel.call(kernel.token, Spawn(name=name))).token
                        for name in ("ann", "bob")
                    }
                    yield House(kernel=kernel, tokens=tokens)
        finally:
            await journal.close()


def lived(folder: Path, main: Callable[[House], Awaitable[None]], **options: Any) -> None:
    """Run a test's body in a house."""

    async def body() -> None:
        async with house(folder, **options) as one:
            await main(one)

    asyncio.run(body())
