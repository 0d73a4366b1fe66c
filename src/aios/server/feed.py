"""The kernel's events to any number of readers, as server-sent events. GET /api/events.

An event is encoded once for all, and written to all who see it by one task, without a task or a
queue of their own. A reader that is too slow loses the oldest and is told how many. The first
process sees everything, another one itself and its descendants.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from itertools import islice

from aios.errors import ShuttingDown
from aios.kernel import Kernel
from aios.kernel.process import INIT
from aios.server.asgi import Exchange, Wire, encode_json
from aios.server.auth import ANONYMOUS, Identities, shown
from aios.server.settings import Settings
from aios.server.sse import HEADERS, KEEP_ALIVE
from aios.server.turnstile import Turnstile
from aios.syscalls import Pid
from aios.telemetry.events import Event, Spawned

OPEN = b": open\n\n"
BEHIND_BYTES = 32 << 10  # not yet taken by a reader: until they are, it is given nothing more
BEHIND_S = 0.1  # between looks at those
SPARE = 1_000  # processes that may be no more, before it is looked which are
AT_ONCE = 200  # readers written to before others of the server have their turn


class Feed:
    """Open event streams, and the listener that feeds them."""

    def __init__(self, kernel: Kernel, identities: Identities, settings: Settings) -> None:
        self._kernel = kernel
        self._identities = identities
        self._settings = settings
        self._audiences: dict[Pid, _Audience] = {}  # by whose eyes; those with readers
        self._seeing: dict[Pid, set[_Audience]] = {}  # of a process: who sees it, but the first
        self._sweep_at = SPARE
        self._news = asyncio.Event()
        self._pump: asyncio.Task[None] | None = None
        self._turnstile = Turnstile(settings.feeds_max, "event streams")
        self._is_closed = False
        kernel.bus.listen(self._heard)

    async def events(self, exchange: Exchange) -> None:
        """GET /api/events"""
        token = await self._identities.caller(exchange)
        if self._is_closed:
            raise ShuttingDown("the server is stopping; its events end here")
        with self._turnstile.place(self._identities.owner_of(token)):
            await exchange.begin(200, HEADERS)
            await exchange.send(OPEN)
            await self._read(token, exchange)

    def recheck(self) -> None:
        """Tokens may have been taken back: who would not be let in any more hears no more."""
        for audience in self._audiences.values():
            for reader in audience.readers:
                if not reader.may_listen():
                    reader.end()

    def close(self) -> None:
        """End every stream; what was heard before is still told."""
        self._is_closed = True
        for audience in self._audiences.values():
            for reader in audience.readers:
                reader.take(audience, self._kernel.clock.now())
                reader.end()

    async def _read(self, token: str, exchange: Exchange) -> None:
        audience = self._audience(token)
        told = shown(exchange)
        shows = token if told in ("", ANONYMOUS) else told

        def may_listen() -> bool:
            return self._identities.is_known(shows)

        reader = _Reader(exchange.wire, audience.end, self._settings, may_listen)
        audience.readers.add(reader)
        if self._pump is None:
            self._pump = asyncio.ensure_future(self._run())
        try:
            await exchange.gone()
        finally:
            audience.readers.discard(reader)
            if not audience.readers:
                self._forget(audience)
            if not self._audiences and self._pump is not None:
                self._pump.cancel()
                self._pump = None

    def _audience(self, token: str) -> "_Audience":
        """Of those who see what this token's process sees."""
        process = self._kernel.table.by_token(token)
        audience = self._audiences.get(process.pid)
        if audience is None:
            audience = _Audience(process.pid, self._settings.feed_events_max)
            self._audiences[process.pid] = audience
            if process.pid != INIT:
                for one in self._kernel.table.tree(process):
                    self._show(one.pid, audience)
        return audience

    def _show(self, pid: Pid, audience: "_Audience") -> None:
        audience.pids.add(pid)
        self._seeing.setdefault(pid, set()).add(audience)

    def _forget(self, audience: "_Audience") -> None:
        del self._audiences[audience.pid]
        for pid in audience.pids:
            self._seeing[pid].discard(audience)
            if not self._seeing[pid]:
                del self._seeing[pid]

    def _sweep(self) -> None:
        """Forget who sees processes of which nothing more can be told, however long they listen."""
        if len(self._seeing) < self._sweep_at:
            return
        table = self._kernel.table
        for pid in [pid for pid in self._seeing if table.get(pid) is None]:
            for audience in self._seeing.pop(pid):
                audience.pids.discard(pid)
        self._sweep_at = 2 * len(self._seeing) + SPARE

    def _heard(self, event: Event) -> None:
        if not self._audiences:
            return
        if isinstance(event, Spawned):
            self._sweep()
            for audience in self._seeing.get(event.parent, ()):
                self._show(event.pid, audience)
        seeing = [*self._seeing.get(event.pid, ())]
        if (all_ := self._audiences.get(INIT)) is not None:
            seeing.append(all_)
        if not seeing:
            return
        tag = type(event).__struct_config__.tag
        part = _chunk(f"event: {tag}\ndata: ".encode() + encode_json(event) + b"\n\n")
        for audience in seeing:
            audience.add(part)
        self._news.set()

    async def _run(self) -> None:
        """Write to everybody what is new, and now and then a comment."""
        loop = asyncio.get_running_loop()
        alive_at, is_behind = loop.time() + self._settings.keepalive_s, False
        while True:
            wait_s = BEHIND_S if is_behind else max(0.0, alive_at - loop.time())
            timer = loop.call_later(wait_s, self._news.set)
            await self._news.wait()
            timer.cancel()
            self._news.clear()
            comment = b""
            if loop.time() >= alive_at:
                alive_at, comment = loop.time() + self._settings.keepalive_s, _chunk(KEEP_ALIVE)
            is_behind = await self._tell_all(comment)

    async def _tell_all(self, comment: bytes) -> bool:
        """Whether somebody did not take everything."""
        is_behind, count = False, 0
        for audience in tuple(self._audiences.values()):
            if not audience.parts and not comment:
                continue
            for reader in tuple(audience.readers):
                now = self._kernel.clock.now()
                is_behind |= not reader.take(audience, now, comment)
                count += 1
                if not count % AT_ONCE:
                    await asyncio.sleep(0)
            audience.trim()
        return is_behind


class _Audience:
    """Events for readers who see the same. `parts` are those that not all have taken."""

    def __init__(self, pid: Pid, events_max: int) -> None:
        self.pid = pid
        self.pids: set[Pid] = set()  # that it sees; of the first process none are noted
        self.readers: set[_Reader] = set()
        self.parts: deque[bytes] = deque(maxlen=events_max)  # oldest first
        self.end = 0  # number of the next event
        self._joined: tuple[int, int, bytes] = (0, 0, b"")

    def add(self, part: bytes) -> None:
        self.parts.append(part)
        self.end += 1

    def since(self, place: int) -> tuple[int, bytes]:
        """How many are lost since that place, and all that came after them."""
        first = self.end - len(self.parts)
        begin = max(place, first)
        if self._joined[:2] != (begin, self.end):
            self._joined = (begin, self.end, b"".join(islice(self.parts, begin - first, None)))
        return begin - place, self._joined[2]

    def trim(self) -> None:
        """Let go of what every reader has taken."""
        oldest = min((reader.place for reader in self.readers), default=self.end)
        while len(self.parts) > self.end - oldest:
            self.parts.popleft()
        self._joined = (0, 0, b"")


class _Reader:
    """One open stream, and up to where it has been told."""

    __slots__ = ("_behind_since", "_settings", "_wire", "may_listen", "place")

    def __init__(
        self, wire: Wire, place: int, settings: Settings, may_listen: Callable[[], bool]
    ) -> None:
        self.may_listen = may_listen
        self._wire = wire
        self._settings = settings
        self._behind_since = 0.0  # 0: it keeps up
        self.place = place

    def take(self, audience: _Audience, now: float, comment: bytes = b"") -> bool:
        """Write what is new; False where it has not read what it was given before."""
        if self._wire.is_closing():
            self.place = audience.end
            return True
        if self._wire.get_write_buffer_size() > BEHIND_BYTES:
            self._behind_since = self._behind_since or now
            if now - self._behind_since > self._settings.stall_s:
                self._wire.abort()
            return False
        self._behind_since = 0.0
        if self.place == audience.end:
            if comment:
                self._wire.write(comment)
            return True
        lost, data = audience.since(self.place)
        if lost:
            data = _chunk(f'event: lost\ndata: {{"events":{lost}}}\n\n'.encode()) + data
        self.place = audience.end
        self._wire.write(data)
        return True

    def end(self) -> None:
        if not self._wire.is_closing():
            self._wire.write(_chunk(b""))
            self._wire.close()


def _chunk(data: bytes) -> bytes:
    """As HTTP/1.1 sends a part of a body of unknown length."""
    return b"%x\r\n%b\r\n" % (len(data), data)
