"""One connection to a server, from the handshake to its end: what it offers, and calls.

The SDK's client lives and ends in one task, which this owns. Knows no definition and no pin.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, suppress
from typing import TYPE_CHECKING, Any

from mcp.client import Client
from mcp.shared.exceptions import MCPError
from mcp_types import (
    CallToolResult,
    Implementation,
    ServerNotification,
    ToolListChangedNotification,
)
from mcp_types.version import MODERN_PROTOCOL_VERSIONS

from aios.errors import AiosError, InvalidArgument, WrongState
from aios.tools.mcp.patience import PATIENCE, Patience
from aios.tools.mcp.streams import Guard, Streams, watched
from aios.tools.mcp.visible import visible
from aios.tools.registry import TOOLS_MAX

if TYPE_CHECKING:
    from mcp_types import Tool as Offered

PAGES_MAX = 256
WORDS_MAX = 500  # characters of what a server says of a failure
ME = Implementation(name="aios", version="0")

# A stranger's nonsense is no entry in our log; what matters is told where the call is made.
logging.getLogger("mcp").setLevel(logging.CRITICAL)


class Broken(Exception):
    """The connection ended under a call: what it did nobody knows. Says how far it was."""


class _Progress:
    """How far a call is, as its server told last."""

    def __init__(self) -> None:
        self._words = ""

    async def told(self, progress: float, total: float | None, message: str | None) -> None:
        of = f" of {total:g}" if total is not None else ""
        words = f" ({visible(message)[:WORDS_MAX]})" if message else ""
        self._words = f" at {progress:g}{of}{words}"

    def __str__(self) -> str:
        return self._words


class Connection:
    """Made by `open`; `guard.over` is set when it has ended, `guard.why` says why."""

    def __init__(self, guard: Guard, changed: Callable[[], None], patience: Patience) -> None:
        self.guard = guard
        self._patience = patience
        self._changed = changed
        self._closing = asyncio.Event()
        self._is_open = False
        self._client: Client
        self._task: asyncio.Task[None]

    @classmethod
    async def open(
        cls,
        transport: AbstractAsyncContextManager[Streams],
        guard: Guard,
        changed: Callable[[], None],
        patience: Patience = PATIENCE,
    ) -> "Connection":
        """Connected and introduced. Raises `WrongState`."""
        made = cls(guard, changed, patience)
        loop = asyncio.get_running_loop()
        ready: asyncio.Future[Client] = loop.create_future()
        made._task = loop.create_task(made._live(transport, ready), name="mcp connection")
        try:
            async with asyncio.timeout(patience.handshake_s):
                made._client = await asyncio.shield(ready)
        except TimeoutError:
            await made.close()
            raise WrongState(f"no handshake within {patience.handshake_s:g} s") from None
        except BaseException:
            await made.close()
            raise
        return made

    @property
    def is_over(self) -> bool:
        return self.guard.over.is_set()

    @property
    def version(self) -> str:
        """Of the protocol."""
        return self._client.protocol_version

    async def offered(self) -> list["Offered"]:
        """All pages of what it offers now. Raises `WrongState`, `InvalidArgument`."""
        try:
            async with asyncio.timeout(self._patience.list_s):
                return await self._pages()
        except TimeoutError:
            limit_s = self._patience.list_s
            raise WrongState(f"its tools were not told within {limit_s:g} s") from None
        except AiosError:
            raise
        except Exception as problem:  # Whatever the SDK makes of what it says.
            raise WrongState(f"it does not tell its tools: {told(problem)}") from None

    async def call(self, name: str, arguments: dict[str, Any], timeout_s: float) -> CallToolResult:
        """One call. Cancelled, it tells the server. Raises `Broken`, `WrongState`."""
        far = _Progress()
        calling = asyncio.ensure_future(self._call(name, arguments, timeout_s, far))
        over = asyncio.ensure_future(self.guard.over.wait())
        try:
            await asyncio.wait({calling, over}, return_when=asyncio.FIRST_COMPLETED)
            if calling.done():
                return calling.result()
            raise Broken(f"{far}")
        finally:
            over.cancel()
            if not calling.done():
                calling.cancel()
                await asyncio.wait({calling}, timeout=self._patience.close_s)

    async def close(self) -> None:
        """End it; what is under way ends with it."""
        self.guard.end("it was closed")
        self._closing.set()
        if self._is_open:
            await asyncio.wait({self._task}, timeout=self._patience.close_s)
        if not self._task.done():
            self._task.cancel()
            await asyncio.wait({self._task}, timeout=self._patience.close_s)

    async def _call(
        self, name: str, arguments: dict[str, Any], timeout_s: float, far: "_Progress"
    ) -> CallToolResult:
        try:
            return await self._client.call_tool(
                name, arguments, read_timeout_seconds=timeout_s, progress_callback=far.told
            )
        except MCPError as problem:
            if self.is_over or problem.error.message == "Connection closed":
                raise Broken(f"{far}") from None
            raise WrongState(f"the server refused: {told(problem)}") from None
        except asyncio.CancelledError:
            raise
        except Exception as problem:  # Whatever the SDK makes of what it says.
            raise WrongState(f"the server's answer is none: {told(problem)}") from None

    async def _pages(self) -> list["Offered"]:
        found: list[Offered] = []
        cursor: str | None = None
        for _ in range(PAGES_MAX):
            page = await self._client.list_tools(cursor=cursor)
            found += page.tools
            if len(found) > TOOLS_MAX:
                raise InvalidArgument(f"it offers more than {TOOLS_MAX:,} tools")
            if not page.next_cursor:
                return found
            if page.next_cursor == cursor:
                raise InvalidArgument("it offers the same page again and again")
            cursor = page.next_cursor
        raise InvalidArgument(f"it offers more than {PAGES_MAX} pages of tools")

    async def _live(
        self, transport: AbstractAsyncContextManager[Streams], ready: "asyncio.Future[Client]"
    ) -> None:
        """The client's whole life."""
        client = Client(
            watched(transport, self.guard),
            cache=None,
            client_info=ME,
            read_timeout_seconds=self._patience.list_s,
            message_handler=self._heard,
        )
        try:
            async with client:
                self._is_open = True
                if not ready.done():
                    ready.set_result(client)
                await self._until_over(client)
        except asyncio.CancelledError:
            raise
        except BaseException as problem:  # Groups of them come out of the SDK.
            self.guard.end(told(problem))
        finally:
            self.guard.end("it ended")
            if not ready.done():
                ready.set_exception(WrongState(f"no handshake: {self.guard.why}"))
                ready.exception()  # Seen: who waited may be gone.

    async def _until_over(self, client: Client) -> None:
        waits: list[Awaitable[Any]] = [self.guard.over.wait(), self._closing.wait()]
        tasks = [asyncio.ensure_future(one) for one in waits]
        if client.protocol_version in MODERN_PROTOCOL_VERSIONS and _tells_changes(client):
            listening = asyncio.ensure_future(self._listen(client))
        else:
            listening = None
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            ending = [*tasks, listening] if listening is not None else tasks
            for task in ending:
                task.cancel()
            await asyncio.gather(*ending, return_exceptions=True)

    async def _listen(self, client: Client) -> None:
        """Of a server that must be asked to tell changes; asked again where it stops."""
        while True:
            with suppress(Exception):  # It may refuse, or break off: then its tools are asked for.
                async with client.listen(tools_list_changed=True) as changes:
                    async for _ in changes:
                        self._changed()
            await self.guard.clock.sleep(self._patience.relisten_s)
            self._changed()

    async def _heard(self, message: ServerNotification | Exception) -> None:
        if isinstance(message, ToolListChangedNotification):
            self._changed()


def told(problem: BaseException) -> str:
    """In a line; of a group, its first."""
    while isinstance(problem, BaseExceptionGroup):
        problem = problem.exceptions[0]
    words = problem.error.message if isinstance(problem, MCPError) else str(problem)
    line = " ".join(words.split())[:WORDS_MAX]
    return line or type(problem).__name__


def _tells_changes(client: Client) -> bool:
    tools = client.server_capabilities.tools
    return tools is not None and bool(tools.list_changed)
