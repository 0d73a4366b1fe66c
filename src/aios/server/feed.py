"""The kernel's events to any number of readers, as server-sent events. GET /api/events.

An event is encoded once for all. A reader that is too slow loses the oldest and is told how many.
The first process sees everything, another one itself and its descendants.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator

from aios.errors import Busy
from aios.kernel import Kernel
from aios.kernel.process import INIT
from aios.server.asgi import Exchange, encode_json
from aios.server.auth import Identities
from aios.server.settings import Settings
from aios.server.sse import HEADERS, Reader
from aios.telemetry.events import Event, Spawned


class Feed:
    """Open event streams, and the listener that feeds them."""

    def __init__(self, kernel: Kernel, identities: Identities, settings: Settings) -> None:
        self._kernel = kernel
        self._identities = identities
        self._settings = settings
        self._open: set[_Subscriber] = set()
        kernel.bus.listen(self._heard)

    async def events(self, exchange: Exchange) -> None:
        """GET /api/events"""
        token = await self._identities.caller(exchange)
        if len(self._open) >= self._settings.feeds_max:
            raise Busy(f"{len(self._open)} event streams are open, the most there may be")
        subscriber = _Subscriber(self._visible(token), self._settings.feed_events_max)
        self._open.add(subscriber)
        try:
            await Reader(exchange, self._settings, headers=HEADERS).run(_chunks(subscriber))
        finally:
            self._open.discard(subscriber)

    def close(self) -> None:
        """End every stream; what was heard before is still told."""
        for subscriber in self._open:
            subscriber.close()

    def _visible(self, token: str) -> set[int] | None:
        process = self._kernel.table.by_token(token)
        if process.pid == INIT:
            return None
        return {one.pid for one in self._kernel.table.tree(process)}

    def _heard(self, event: Event) -> None:
        if not self._open:
            return
        tag = type(event).__struct_config__.tag
        data = f"event: {tag}\ndata: ".encode() + encode_json(event) + b"\n\n"
        for subscriber in self._open:
            subscriber.offer(event, data)


class _Subscriber:
    """One reader's events that it has not taken yet."""

    def __init__(self, pids: set[int] | None, events_max: int) -> None:
        self._pids = pids  # None sees all
        self._events: deque[bytes] = deque(maxlen=events_max)  # oldest first
        self._lost = 0
        self._news = asyncio.Event()
        self.is_closed = False

    def offer(self, event: Event, data: bytes) -> None:
        if self._pids is not None:
            if isinstance(event, Spawned) and event.parent in self._pids:
                self._pids.add(event.pid)
            if event.pid not in self._pids:
                return
        self._lost += len(self._events) == self._events.maxlen
        self._events.append(data)
        self._news.set()

    def close(self) -> None:
        self.is_closed = True
        self._news.set()

    async def take(self) -> bytes:
        """Everything new, waiting for something."""
        await self._news.wait()
        self._news.clear()
        lost = f'event: lost\ndata: {{"events":{self._lost}}}\n\n'.encode() if self._lost else b""
        taken = lost + b"".join(self._events)
        self._events.clear()
        self._lost = 0
        return taken


async def _chunks(subscriber: _Subscriber) -> AsyncGenerator[bytes, None]:
    yield b": open\n\n"
    while not subscriber.is_closed:
        yield await subscriber.take()
