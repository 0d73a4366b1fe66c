"""A `Source`: the tools of one MCP server, connected again when it breaks off. Knows no pins.

What is called is always what was offered: a call waits while the server's tools are asked for
again, and is refused where its tool's definition is not the one that the call was checked against.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any, Protocol

from mcp_types import CallToolResult, Tool

from aios.clock import Clock
from aios.errors import AiosError, Busy, InvalidArgument, WrongState
from aios.syscalls.tool import Text, ToolInfo
from aios.tools.base import Outside, Ran, Run, Terms
from aios.tools.base import Tool as KernelTool
from aios.tools.mcp.connection import Broken
from aios.tools.mcp.contents import ran_of
from aios.tools.mcp.definitions import Trust, tools_of
from aios.tools.mcp.patience import PATIENCE, Patience

CALLS_MAX = 64  # at the same time


class Line(Protocol):
    """A connection; `Connection` is one."""

    tier: str

    async def offered(self) -> list[Tool]: ...

    async def call(
        self, name: str, arguments: dict[str, Any], timeout_s: float
    ) -> CallToolResult: ...

    async def wait_over(self) -> str:
        """Wait until it has ended; why."""
        ...

    async def close(self) -> None: ...


Dial = Callable[[Callable[[], None]], Awaitable[Line]]
"""Connects, given whom to tell that the tools have changed. Raises `AiosError`."""


class McpServer:
    """Made by `connected`."""

    def __init__(
        self, name: str, dial: Dial, trust: Trust, clock: Clock, patience: Patience = PATIENCE
    ) -> None:
        self.name = name
        self._dial = dial
        self._trust = trust
        self._clock = clock
        self._patience = patience
        self._line: Line | None = None
        self._why = "it was never connected"
        self._tools: tuple[KernelTool, ...] = ()
        self._pins: Mapping[str, str] = {}  # of what it offers now
        self._lie: InvalidArgument | None = None  # what it offers cannot be tools
        self._fresh = asyncio.Event()  # connected, and what it offers is known
        self._changed = asyncio.Event()
        self._calls = asyncio.Semaphore(CALLS_MAX)
        self._keeper: asyncio.Task[None] | None = None

    @classmethod
    async def connected(
        cls, name: str, dial: Dial, trust: Trust, clock: Clock, patience: Patience = PATIENCE
    ) -> "McpServer":
        """Connected, its tools known. Raises `WrongState`, `InvalidArgument`."""
        server = cls(name, dial, trust, clock, patience)
        try:
            await server._connect()
            if server._lie is not None:
                raise server._lie
        except AiosError as problem:
            await server.close()
            raise type(problem)(f"{name}: {problem.message}") from None
        except BaseException:
            await server.close()
            raise
        loop = asyncio.get_running_loop()
        server._keeper = loop.create_task(server._keep(), name=f"mcp {name}")
        return server

    async def tools(self) -> tuple[KernelTool, ...]:
        if self._lie is not None:
            raise self._lie
        return self._tools

    async def close(self) -> None:
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.wait({self._keeper})
        await self._hang_up()

    def _run_of(self, tool: str, info: ToolInfo, terms: Terms) -> Run:
        async def run(arguments: Mapping[str, Any], outside: Outside) -> Ran:
            if self._calls.locked():
                raise Busy(f"{CALLS_MAX} calls of {self.name} run at once", retry_after_s=1.0)
            async with self._calls:
                return await self._call(tool, info, dict(arguments), terms)

        return run

    async def _call(
        self, tool: str, info: ToolInfo, arguments: dict[str, Any], terms: Terms
    ) -> Ran:
        line = await self._ready()
        if self._pins.get(info.name) != info.pin:
            raise WrongState(f"{info.name} is not what it was when this call was checked")
        try:
            result = await line.call(tool, arguments, terms.timeout_s)
        except Broken as far:
            await line.close()
            why = await line.wait_over()
            said = (
                f"{self.name} broke off{far}: {why}; whether {info.name} did its work nobody knows"
            )
            return Ran(contents=(Text(said),), is_error=True, sandbox=line.tier)
        except WrongState:
            self._changed.set()  # In doubt: it is asked for its tools, which tells if it is there.
            raise
        return ran_of(result, line.tier)

    async def _ready(self) -> Line:
        """The connection, once what it offers is known. Raises `WrongState`."""
        if not self._fresh.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(self._patience.wait_s):
                    await self._fresh.wait()
        if self._line is None or not self._fresh.is_set():
            raise WrongState(f"{self.name} is not connected: {self._why}")
        return self._line

    async def _keep(self) -> None:
        """Connect again and again, each time after a longer pause; ask for its tools again."""
        pause_s = self._patience.again_s
        while True:
            began = self._clock.now()
            if self._line is not None:
                await self._attend(self._line)
            if self._clock.now() - began > self._patience.steady_s:
                pause_s = self._patience.again_s
            await self._hang_up()
            await self._clock.sleep(pause_s)
            pause_s = min(self._patience.again_s_max, pause_s * 2)
            try:
                await self._connect()
            except AiosError as problem:
                self._why = problem.message

    async def _attend(self, line: Line) -> None:
        """Until the connection ends."""
        over = asyncio.ensure_future(line.wait_over())
        try:
            while not over.done():
                changed = asyncio.ensure_future(self._changed.wait())
                await asyncio.wait({over, changed}, return_when=asyncio.FIRST_COMPLETED)
                changed.cancel()
                if not over.done():
                    await self._list_again(line)
            self._fresh.clear()
            self._why = over.result()
        finally:
            over.cancel()

    async def _list_again(self, line: Line) -> None:
        self._changed.clear()
        try:
            await self._list(line)
        except AiosError as problem:
            self._why = problem.message
            await line.close()
            return
        # However often it says that they have changed.
        await self._clock.sleep(self._patience.relist_s)

    async def _connect(self) -> None:
        self._changed.clear()
        line = await self._dial(self._told_changed)
        self._line = line
        await self._list(line)

    async def _list(self, line: Line) -> None:
        """See what it offers now. The same offer stays the same tuple."""
        try:
            tools = tools_of(self.name, await line.offered(), self._trust, self._run_of)
        except InvalidArgument as problem:
            self._lie, self._tools, self._pins = problem, (), {}
            return
        self._lie = None
        pins = {one.info.name: one.info.pin for one in tools}
        known = {one.info.name: one.info for one in self._tools}
        if {one.info.name: one.info for one in tools} != known:
            self._tools, self._pins = tools, pins
        if not self._changed.is_set():
            self._fresh.set()

    def _told_changed(self) -> None:
        self._fresh.clear()
        self._changed.set()

    async def _hang_up(self) -> None:
        self._fresh.clear()
        line, self._line = self._line, None
        if line is not None:
            await line.close()
