"""Syscalls to a kernel elsewhere, over HTTP: the same replies and errors as in process.

Cancelling an await closes the connection, and the kernel cancels the call. One connection carries
one call at a time; there are as many connections as calls under way.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from typing import Any, TypeVar, cast

import aiohttp
import msgspec

from aios.errors import AiosError, Busy, Conflict, InvalidArgument, ShuttingDown, error_from
from aios.syscalls import Completion, Delta, Stream, Syscall, name_of
from aios.syscalls.base import reply_of
from aios.syscalls.codec import encode

R = TypeVar("R")
MSGPACK = "application/msgpack"
CONNECT_S = 10.0
HEAD = 4  # bytes of length before each frame
FRAME_BYTES_MAX = 64 << 20


class _Told(msgspec.Struct):
    """An error as the server writes it."""

    code: str
    message: str
    retry_after_s: float = 1.0
    base: int | None = None
    current: int | None = None


class _Failed(msgspec.Struct):
    error: _Told


class HttpTransport:
    """A `Transport` to the server at `url`. Use as `async with`, or close it."""

    def __init__(self, url: str) -> None:
        self.is_durable = False
        self._url = url.rstrip("/")
        self._session: aiohttp.ClientSession | None = None

    async def call(self, token: str, call: Syscall[R], *, key: str = "") -> R:
        async with self._asked(token, call, key) as response:
            body = await _read(response, response.read())
            return cast(R, _reply_decoder(type(call)).decode(body))

    async def stream(
        self, token: str, call: Stream, *, key: str = ""
    ) -> AsyncGenerator[Delta | Completion, None]:
        async with self._asked(token, call, key) as response:
            async for kind, value in _frames(response):
                if kind == "error":
                    raise _error(msgspec.msgpack.decode(value, type=_Told))
                yield msgspec.msgpack.decode(value, type=_ITEMS[kind])

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def __aenter__(self) -> "HttpTransport":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    @asynccontextmanager
    async def _asked(
        self, token: str, call: Syscall[Any], key: str
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """The kernel's answer where it is one; leaving early tells the kernel."""
        if not isinstance(call, Syscall):
            raise InvalidArgument(f"expected a syscall, got {type(call).__name__}")
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_S),
            )
        headers = {"authorization": f"Bearer {token}", "content-type": MSGPACK}
        headers |= {"idempotency-key": key} if key else {}
        url = f"{self._url}/api/syscalls/{name_of(type(call))}"
        try:
            response = await self._session.post(url, data=encode(call), headers=headers)
        except (aiohttp.ClientError, TimeoutError) as problem:
            raise ShuttingDown(f"no kernel answers at {self._url}: {problem}") from None
        try:
            if response.status != 200:
                raise _refused(response.status, await _read(response, response.read()))
            yield response
            response.release()
        finally:
            response.close()  # Nothing is left to close where all of it was read.


_ITEMS: dict[str, Any] = {"delta": Delta, "completion": Completion}


async def _read(response: aiohttp.ClientResponse, work: Any) -> Any:
    try:
        return await work
    except (aiohttp.ClientError, TimeoutError) as problem:
        raise ShuttingDown(f"the kernel at {response.url} went away: {problem}") from None


async def _frames(response: aiohttp.ClientResponse) -> AsyncIterator[tuple[str, msgspec.Raw]]:
    """Kinds and values, until the stream says that it is at its end."""
    while True:
        head = await _read(response, _exactly(response, HEAD))
        if head is None:
            return
        size = int.from_bytes(head, "big")
        if size > FRAME_BYTES_MAX:
            raise AiosError(f"expected frames of at most {FRAME_BYTES_MAX} bytes, got {size}")
        if size:
            body = await _read(response, _exactly(response, size))
            yield msgspec.msgpack.decode(body, type=tuple[str, msgspec.Raw])


async def _exactly(response: aiohttp.ClientResponse, size: int) -> bytes | None:
    """That many bytes; None at the stream's end."""
    try:
        return await response.content.readexactly(size)
    except asyncio.IncompleteReadError as cut:
        if cut.partial or size > HEAD:
            raise ShuttingDown(f"the kernel at {response.url} broke the stream off") from None
        return None


def _refused(status: int, body: bytes) -> AiosError:
    try:
        return _error(msgspec.json.decode(body, type=_Failed).error)
    except msgspec.DecodeError:
        return AiosError(f"expected a kernel's answer, got status {status}")


def _error(told: _Told) -> AiosError:
    error = error_from(told.code, told.message)
    if isinstance(error, Busy):
        error.retry_after_s = told.retry_after_s
    if isinstance(error, Conflict):
        error.base, error.current = told.base, told.current
    return error


@cache
def _reply_decoder(kind: type[Any]) -> msgspec.msgpack.Decoder[Any]:
    return msgspec.msgpack.Decoder(reply_of(kind))
