"""What a program wrote, as server-sent events, up to its end. GET /api/programs/PID/log.

Asked for by the caller itself, part by part: the gate judges each, a slow reader holds up nobody.
"""

from collections.abc import AsyncGenerator

import msgspec

from aios.errors import AiosError, InvalidArgument
from aios.kernel import Kernel
from aios.server.asgi import Exchange
from aios.server.auth import Identities
from aios.server.settings import Settings
from aios.server.sse import HEADERS, Reader, framed
from aios.server.wire.errors import body_of
from aios.server.wire.turn import Event
from aios.syscalls.program import LogPart, ProgramLog

WAIT_S = 30.0
OPEN = b": open\n\n"


class ProgramLogs:
    """Streams of programs' logs."""

    def __init__(self, kernel: Kernel, identities: Identities, settings: Settings) -> None:
        self._kernel = kernel
        self._identities = identities
        self._settings = settings

    async def log(self, exchange: Exchange) -> None:
        """GET /api/programs/{pid}/log: `tail` lines or all that is kept, and more if `follow=1`."""
        token = await self._identities.caller(exchange)
        first = ProgramLog(
            pid=_number(exchange.parameter("pid"), "pid"),
            tail=_number(exchange.query("tail"), "tail") if exchange.query("tail") else None,
        )
        follows = exchange.query("follow") in ("1", "true")
        part = await self._kernel.call(token, first)
        reader = Reader(exchange, self._settings, headers=HEADERS)
        await reader.run(self._parts(exchange, first.pid, part, follows=follows))

    async def _parts(
        self, exchange: Exchange, pid: int, part: LogPart, *, follows: bool
    ) -> AsyncGenerator[bytes, None]:
        yield OPEN
        while True:
            if part.chunks or part.is_over:
                yield framed(Event(msgspec.to_builtins(part), "log"))
            if part.is_over or (not follows and not part.chunks):
                return
            more = ProgramLog(pid=pid, start=part.end, wait_s=WAIT_S if follows else 0.0)
            try:
                token = await self._identities.caller(exchange)  # It may have been taken back.
                part = await self._kernel.call(token, more)
            except AiosError as error:
                yield framed(Event(body_of(error, "native"), "error"))
                return


def _number(text: str, name: str) -> int:
    if not text.isdecimal() or len(text) > 18:
        raise InvalidArgument(f"{name}: expected a number, got {text[:100]!r}")
    return int(text)
