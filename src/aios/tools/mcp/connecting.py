"""How an MCP server is reached that the operator adds: a program, sandboxed or not, or a URL."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping

import msgspec
from mcp_types import CallToolResult, Tool

from aios.clock import Clock
from aios.errors import Denied, InvalidArgument
from aios.sandbox.base import Host
from aios.syscalls.tool import AddServer
from aios.tools.base import Source
from aios.tools.mcp import programs
from aios.tools.mcp.connection import Connection
from aios.tools.mcp.definitions import Trust
from aios.tools.mcp.patience import PATIENCE, Patience
from aios.tools.mcp.programs import Talk
from aios.tools.mcp.server import Line, McpServer
from aios.tools.mcp.streams import Guard, over_socket
from aios.tools.mcp.web import over_http

Secret = Callable[[str], str]
"""A value of the vault, by name. Raises `NotFound`."""
_SECRET = re.compile(r"secret:([A-Za-z0-9_-]+)")


class Means(msgspec.Struct, frozen=True, kw_only=True):
    """What servers are reached with."""

    host: Host | None  # None: nothing runs in a sandbox
    secret: Secret
    clock: Clock
    patience: Patience = PATIENCE


async def by_command(call: AddServer, means: Means) -> Source:
    """A program. Raises `Denied` where it should run in a sandbox and there is none."""
    host = means.host
    if call.sandboxed and host is None:
        raise Denied(
            f"{call.name}: a server that is a program runs in a sandbox, and there is none here; "
            "expected sandboxed=False from an operator who trusts it"
        )
    trust = Trust(
        believes_hints=call.believe_hints,
        is_shut_in=call.sandboxed and not call.network,
        is_stateless=call.stateless,
    )

    async def dial(changed: Callable[[], None]) -> Line:
        environment = filled(call.environment, means.secret)
        if call.sandboxed and host is not None:
            talk = await programs.start_sandboxed(
                host, call.command, environment, call.network, call.name
            )
        else:
            talk = programs.start_plain(call.command, environment)
        guard = Guard(means.clock)
        connecting = Connection.open(
            over_socket(talk.connection, guard), guard, changed, means.patience
        )
        return await _opened(connecting, talk)

    return await McpServer.connected(call.name, dial, trust, means.clock, means.patience)


async def by_url(call: AddServer, means: Means) -> Source:
    """Over streamable HTTP; `environment` are headers."""
    if not call.url.startswith(("http://", "https://")):
        raise InvalidArgument(f"url: expected http:// or https://, got {call.url[:80]!r}")

    async def dial(changed: Callable[[], None]) -> Line:
        guard = Guard(means.clock)
        headers = filled(call.environment, means.secret)
        connecting = Connection.open(
            over_http(call.url, headers, guard), guard, changed, means.patience
        )
        return await _opened(connecting)

    trust = Trust(believes_hints=call.believe_hints, is_stateless=call.stateless)
    return await McpServer.connected(call.name, dial, trust, means.clock, means.patience)


def filled(environment: Mapping[str, str], secret: Secret) -> dict[str, str]:
    """With every `secret:NAME` replaced; read anew for each connection, and kept nowhere."""
    return {
        name: _SECRET.sub(lambda found: secret(found[1]), value)
        for name, value in environment.items()
    }


class _Open:
    """A `Line`: a connection, and the program at its other end."""

    def __init__(self, connection: Connection, talk: Talk | None) -> None:
        self._connection = connection
        self._talk = talk
        self._said = ""
        self._ending: asyncio.Task[None] | None = None
        self.tier = talk.tier if talk is not None else ""

    async def offered(self) -> list[Tool]:
        return await self._connection.offered()

    async def call(
        self, name: str, arguments: dict[str, object], timeout_s: float
    ) -> CallToolResult:
        return await self._connection.call(name, arguments, timeout_s)

    async def wait_over(self) -> str:
        await self._connection.guard.over.wait()
        await self.close()  # Its last words come with its end.
        return f"{self._connection.guard.why}{self._said}"

    async def close(self) -> None:
        if self._ending is None:
            self._ending = asyncio.get_running_loop().create_task(self._end())
        await asyncio.shield(self._ending)  # Whoever waits may leave: it ends all the same.

    async def _end(self) -> None:
        await self._connection.close()
        if self._talk is not None:
            words = await self._talk.end()
            self._said = f"; its last words: {words}" if words else ""


async def _opened(connecting: Awaitable[Connection], talk: Talk | None = None) -> Line:
    try:
        return _Open(await connecting, talk)
    except BaseException as problem:
        words = await talk.end() if talk is not None else ""
        if words and hasattr(problem, "message"):
            raise type(problem)(f"{problem.message}; its last words: {words}") from None
        raise
