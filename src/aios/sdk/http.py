"""Syscalls to a kernel elsewhere, over HTTP: the same replies and errors as in process.

Cancelling an await closes the connection, and the kernel cancels the call. One connection carries
one call at a time; there are as many connections as calls under way. A connection that breaks is
made again, also to the next kernel, for calls that may be made twice: those with a key, and those
that only look. For any other the outcome is unknown, and the error says so.
"""

import asyncio
import os
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from random import Random
from typing import Any, TypeVar, cast

import aiohttp
import msgspec

from aios.errors import AiosError, Busy, Conflict, InvalidArgument, ShuttingDown, error_from
from aios.sdk.again import Attempts, Continued, Lost, Patience
from aios.syscalls import Completion, Delta, Stream, Syscall, name_of
from aios.syscalls.base import reply_of
from aios.syscalls.codec import encode

R = TypeVar("R")
MSGPACK = "application/msgpack"
CONNECT_S = 10.0
HEAD = 4  # bytes of length before each frame
FRAME_BYTES_MAX = 64 << 20
SILENT_S = 60.0  # on a stream, where the kernel says every few seconds that it is there


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

    def __init__(
        self, url: str, *, patience: Patience | None = None, random: Random | None = None
    ) -> None:
        self.is_durable = False
        self._patience = patience or Patience()
        self._random = random or Random()
        self._was_there = False  # a kernel has answered: where none ever did there is none
        self._url = url.rstrip("/")
        self._session: aiohttp.ClientSession | None = None

    async def call(self, token: str, call: Syscall[R], *, key: str = "") -> R:
        attempts = self._attempts(call, key)
        while True:
            try:
                async with self._asked(token, call, key, attempts) as response:
                    body = await _read(response, response.read())
                    return cast(R, _reply_decoder(type(call)).decode(body))
            except Lost as lost:
                await attempts.after(lost, was_there=self._was_there)

    async def stream(
        self, token: str, call: Stream, *, key: str = ""
    ) -> AsyncGenerator[Delta | Completion, None]:
        attempts, continued = self._attempts(call, key), Continued()
        while True:
            try:
                async with self._asked(token, call, key, attempts) as response:
                    async for item in _items(response, attempts):
                        for one in continued.items(item):
                            yield one
                    return
            except Lost as lost:
                await attempts.after(lost, was_there=self._was_there)
                continued.again()

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def __aenter__(self) -> "HttpTransport":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def _attempts(self, call: Syscall[Any], key: str) -> Attempts:
        if not isinstance(call, Syscall):
            raise InvalidArgument(f"expected a syscall, got {type(call).__name__}")
        return Attempts(call, key, self._patience, self._random)

    @asynccontextmanager
    async def _asked(
        self, token: str, call: Syscall[Any], key: str, attempts: Attempts
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """The kernel's answer where it is one; leaving early tells the kernel."""
        if self._session is None:
            self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
        headers = {"authorization": f"Bearer {token}", "content-type": MSGPACK}
        headers |= {"idempotency-key": key} if key else {}
        url = f"{self._url}/api/syscalls/{name_of(type(call))}"
        try:
            response = await self._session.post(
                url, data=encode(call), headers=headers, timeout=_timeout(call)
            )
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as problem:
            raise Lost(f"no kernel answers at {self._url}: {why(problem)}", is_sent=False) from None
        except (aiohttp.ClientError, TimeoutError) as problem:
            raise Lost(f"no kernel answers at {self._url}: {problem}", is_sent=True) from None
        self._was_there = True
        try:
            if response.status != 200:
                body = await _read(response, response.read())
                raise _known(_refused(response.status, body), attempts)
            yield response
            response.release()
        finally:
            response.close()  # Nothing is left to close where all of it was read.


_ITEMS: dict[str, Any] = {"delta": Delta, "completion": Completion}


async def _read(response: aiohttp.ClientResponse, work: Any) -> Any:
    try:
        return await work
    except (aiohttp.ClientError, TimeoutError) as problem:
        raise Lost(f"the kernel at {response.url} went away: {problem}", is_sent=True) from None


def _timeout(call: Syscall[Any]) -> aiohttp.ClientTimeout:
    silent_s = SILENT_S if isinstance(call, Stream) else None
    return aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_S, sock_read=silent_s)


def _known(error: AiosError, attempts: Attempts) -> AiosError | Lost:
    """A kernel that stops is gone for what the next one may be asked as well."""
    if isinstance(error, ShuttingDown) and attempts.is_safe:
        return Lost(error.message, is_sent=True)
    return error


async def _items(
    response: aiohttp.ClientResponse, attempts: Attempts
) -> AsyncIterator[Delta | Completion]:
    """What a stream tells, up to its completion."""
    is_whole = False
    try:
        async for kind, value in _frames(response):
            if kind == "error":
                raise _known(_error(msgspec.msgpack.decode(value, type=_Told)), attempts)
            yield msgspec.msgpack.decode(value, type=_ITEMS[kind])
            is_whole = kind == "completion"
        if not is_whole:
            raise Lost(f"the kernel at {response.url} broke off", is_sent=True)
    except Lost:
        if not is_whole:
            raise


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
            raise Lost(f"the kernel at {response.url} broke off", is_sent=True) from None
        return None


def why(problem: Exception) -> str:
    """Why no connection came to be, as the system says it: connection refused."""
    number = getattr(problem, "errno", None)
    return os.strerror(number).lower() if number and number > 0 else str(problem)


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
