"""Kept connections that cost their clients little: requests written beforehand, replies not parsed.

Requests are HTTP/1.1 with a body; replies have a length, or are streams that `heard` is given.
"""

import asyncio
from collections.abc import Callable
from typing import cast

import msgspec

from aios.bench.far import Place
from aios.errors import AiosError, CoreFailed

LENGTH = b"content-length: "
HOST = "127.0.0.1"


def request(token: str, path: str, body: bytes = b"", method: str = "POST") -> bytes:
    """A request as it goes over the wire."""
    head = (
        f"{method} {path} HTTP/1.1\r\nhost: {HOST}\r\nauthorization: Bearer {token}\r\n"
        f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


class Reply(msgspec.Struct, frozen=True):
    """What a server said."""

    status: int
    body: bytes


class Line(asyncio.Protocol):
    """One connection; one request at a time."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._held = bytearray()
        self._whole = 0  # bytes of the reply under way, once its head is there
        self._head = 0
        self._waiting: asyncio.Future[Reply] | None = None

    @classmethod
    async def open(cls, place: Place) -> "Line":
        loop = asyncio.get_running_loop()
        _, line = await loop.create_connection(cls, HOST, place.port)
        return line

    async def ask(self, asked: bytes) -> Reply:
        """The reply, whatever its status."""
        assert self._waiting is None, "a line has one request at a time"
        if self._transport is None:
            raise CoreFailed("the server closed the connection")
        self._waiting = asyncio.get_running_loop().create_future()
        self._transport.write(asked)
        try:
            return await self._waiting
        finally:
            self._waiting = None

    async def expect(self, asked: bytes) -> bytes:
        """The reply's body; anything but a success ends the benchmark."""
        reply = await self.ask(asked)
        if reply.status != 200:
            raise AiosError(f"expected a success, got {reply.status}: {reply.body[:200]!r}")
        return reply.body

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's own is no subclass

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(CoreFailed("the server closed the connection"))

    def data_received(self, data: bytes) -> None:
        held = self._held
        held += data
        if not self._whole:
            end = held.find(b"\r\n\r\n")
            if end < 0:
                return
            at = held.index(LENGTH, 0, end) + len(LENGTH)
            self._head = end + 4
            self._whole = self._head + int(held[at : held.index(b"\r", at)])
        if len(held) >= self._whole and self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(Reply(int(held[9:12]), bytes(held[self._head :])))
            self._held, self._whole = bytearray(), 0


class Ear(asyncio.Protocol):
    """One open stream; `heard` is given what comes."""

    def __init__(self, asked: bytes, heard: Callable[[bytes], None]) -> None:
        self._asked = asked
        self._heard = heard
        self.is_open = False  # the stream has begun, and has not ended
        self._transport: asyncio.Transport | None = None

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's own is no subclass
        self._transport.write(self._asked)

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_open = False

    def data_received(self, data: bytes) -> None:
        if not self.is_open:
            self.is_open = data.startswith(b"HTTP/1.1 200")
        self._heard(data)
