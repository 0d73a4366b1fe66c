"""Server-sent events to one reader: comments while nothing is new, bounds for a slow reader.

Nothing is buffered here: what the reader does not take waits where it is made. A reader that takes
nothing for too long, and one that has gone, ends the stream, and with it whatever makes its events.
"""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing

from aios.errors import Cancelled
from aios.server.asgi import Exchange, encode_json
from aios.server.settings import Settings
from aios.server.wire.turn import Event

HEADERS = {
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-cache",
    "x-accel-buffering": "no",
}
KEEP_ALIVE = b": keep-alive\n\n"


def framed(event: Event) -> bytes:
    """An event as bytes on the wire."""
    data = event.data.encode() if isinstance(event.data, str) else encode_json(event.data)
    if event.name:
        return b"event: " + event.name.encode() + b"\ndata: " + data + b"\n\n"
    return b"data: " + data + b"\n\n"


class Reader:
    """Sends chunks of one stream to one client."""

    def __init__(
        self,
        exchange: Exchange,
        settings: Settings,
        *,
        headers: Mapping[str, str],
        keep_alive: bytes = KEEP_ALIVE,
    ) -> None:
        self._exchange = exchange
        self._settings = settings
        self._headers = headers
        self._keep_alive = keep_alive
        self._has_news = False  # since the last look

    async def run(self, chunks: AsyncGenerator[bytes, None]) -> None:
        """Send all of them. An error before the first one is the caller's to tell by a status."""
        work = asyncio.ensure_future(self._pump(chunks))
        watch = asyncio.ensure_future(self._exchange.gone())
        try:
            await self._until_one_ends(work, watch)
            if not work.done():
                raise Cancelled("the client went away")
            work.result()
        finally:
            work.cancel()
            watch.cancel()
            await asyncio.wait((work, watch))

    async def _until_one_ends(self, *tasks: asyncio.Future[None]) -> None:
        pause_s = self._settings.early_s
        while True:
            done, _ = await asyncio.wait(
                tasks, timeout=pause_s, return_when=asyncio.FIRST_COMPLETED
            )
            if done:
                return
            pause_s = self._settings.keepalive_s
            if not self._has_news:
                await self._send(self._keep_alive)
            self._has_news = False

    async def _pump(self, chunks: AsyncGenerator[bytes, None]) -> None:
        async with aclosing(chunks):
            async for chunk in chunks:
                self._has_news = True
                await self._send(chunk)
        await self._begin()
        await self._exchange.send(b"", is_last=True)

    async def _send(self, chunk: bytes) -> None:
        try:
            async with asyncio.timeout(self._settings.stall_s):
                await self._begin()
                await self._exchange.send(chunk)
        except TimeoutError:
            raise Cancelled("the client stopped reading") from None

    async def _begin(self) -> None:
        if not self._exchange.status:
            await self._exchange.begin(200, self._headers)
