"""The one way out of a sandbox: a proxy in the kernel's process that holds every job to its list.

HTTP CONNECT and plain requests by absolute URI, on sockets it is given. A job proves who it is with
a token, so that only its own list applies; a redirect is a new request and checked as one. Resolves
once and dials what it checked (`reach`). Does not look into tunnels.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from functools import partial
from typing import Any

import msgspec

from aios.errors import (
    AiosError,
    Busy,
    DeadlineExceeded,
    Denied,
    InvalidArgument,
    NotFound,
    QuotaExceeded,
    Unauthenticated,
)
from aios.sandbox.base import Egress, Whose
from aios.sandbox.proxied import HEAD_BYTES_MAX, Request, request_of
from aios.sandbox.reach import Ends, Reach
from aios.sandbox.targets import Allowed

_CHUNK_BYTES = 1 << 16
_END = b"\r\n\r\n"
_ESTABLISHED = b"HTTP/1.1 200 Connection established\r\n\r\n"
_STATUS: tuple[tuple[type[AiosError], str], ...] = (  # the first that fits
    (InvalidArgument, "400 Bad Request"),
    (Unauthenticated, "407 Proxy Authentication Required"),
    (Denied, "403 Forbidden"),
    (QuotaExceeded, "403 Forbidden"),
    (Busy, "429 Too Many Requests"),
    (DeadlineExceeded, "504 Gateway Timeout"),
    (NotFound, "502 Bad Gateway"),
)


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """What was decided about one request, or one cut off; for the audit."""

    job: str  # empty: nobody known asked
    whose: Whose = Whose()
    method: str
    target: str  # `host:port`; empty where it could not be read
    address: str = ""  # the one that is dialled first
    is_allowed: bool
    why: str = ""


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """The most a job, and all jobs, may keep busy."""

    connections: int = 256  # in all
    connections_each: int = 16
    bytes_each: int = 64 << 20  # of a job, both ways
    head_s: float = 10.0  # until a request's head is there
    idle_s: float = 30.0  # in which no byte moves, in either direction
    total_s: float = 600.0  # of one connection


_LIMITS, NOBODY = Limits(), Whose()


class _Guest:
    """A job that may go out, and what it has of it."""

    def __init__(self, job: str, allowed: Allowed, whose: Whose) -> None:
        self.job = job
        self.whose = whose
        self.allowed = allowed
        self.moved_bytes = 0
        self.tasks: set[asyncio.Task[None]] = set()  # one a connection


class Proxy:
    """Serves the sockets it is given until it is closed."""

    def __init__(
        self,
        reach: Reach,
        tokens: Callable[[], str],
        decided: Callable[[Decision], None],
        limits: Limits = _LIMITS,
    ) -> None:
        self._reach = reach
        self._new_token = tokens
        self._decided = decided
        self._limits = limits
        self._guests: dict[str, _Guest] = {}  # by token
        self._servers: dict[asyncio.Server, str] = {}  # with the one token that is good there
        self._tasks: set[asyncio.Task[None]] = set()

    async def listen(self, listener: socket.socket, token: str = "") -> asyncio.Server:
        """Serve a bound socket, of loopback, of a path, or of another network namespace.

        With a token it is that job's alone, and closed with it.
        """
        start = (
            asyncio.start_unix_server if listener.family == socket.AF_UNIX else asyncio.start_server
        )
        arrived = partial(self._arrived, token)
        server = await start(arrived, sock=listener, limit=HEAD_BYTES_MAX)
        self._servers[server] = token
        return server

    def admit(self, job: str, egress: Egress, whose: Whose = NOBODY) -> str:
        """A token with which a job reaches what it is allowed. Raises `InvalidArgument`."""
        allowed = Allowed(egress.allowed)
        token = self._new_token()
        assert token not in self._guests, "tokens are not given twice"
        self._guests[token] = _Guest(job, allowed, whose)
        return token

    async def dismiss(self, token: str) -> None:
        """The job has ended: its token is worth nothing, its connections are cut."""
        guest = self._guests.pop(token, None)
        for server in [one for one, its_own in self._servers.items() if its_own == token]:
            server.close()
            del self._servers[server]
        if guest is not None:
            await _cancelled(guest.tasks)

    async def close(self) -> None:
        """Cut everything."""
        for server in self._servers:
            server.close()
        self._guests.clear()
        await _cancelled(self._tasks)

    def _arrived(
        self, token: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        if len(self._tasks) >= self._limits.connections:
            writer.transport.abort()
            return
        task = asyncio.ensure_future(self._served((reader, writer), token))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _served(self, client: Ends, token: str) -> None:
        """One connection, one request; whatever happens, its ends are closed."""
        try:
            # A peer that is gone or too slow needs no answer.
            with suppress(OSError, asyncio.IncompleteReadError, TimeoutError):
                async with asyncio.timeout(self._limits.total_s):
                    await self._answered(client, token)
        finally:
            client[1].transport.abort()

    async def _answered(self, client: Ends, token: str) -> None:
        request: Request | None = None
        guest: _Guest | None = None
        try:
            request = request_of(await self._head(client[0]))
            guest = self._guest(request, token)
            await self._carried(client, guest, request)
        except AiosError as error:
            self._decided(_refusal(guest, request, error))
            await self._told(client[1], error)

    async def _head(self, reader: asyncio.StreamReader) -> bytes:
        try:
            async with asyncio.timeout(self._limits.head_s):
                return await reader.readuntil(_END)
        except asyncio.LimitOverrunError as error:
            raise InvalidArgument(f"expected a head of at most {HEAD_BYTES_MAX:,} bytes") from error

    def _guest(self, request: Request, token: str) -> _Guest:
        guest = self._guests.get(request.token)
        if guest is None or token not in ("", request.token):
            raise Unauthenticated("expected Proxy-Authorization with this job's token")
        return guest

    async def _carried(self, client: Ends, guest: _Guest, request: Request) -> None:
        """Check, dial and relay, as one of the guest's connections."""
        task = asyncio.current_task()
        assert task is not None
        if len(guest.tasks) >= self._limits.connections_each:
            raise Busy(f"expected at most {self._limits.connections_each} connections at a time")
        guest.tasks.add(task)
        try:
            origin = await self._dialled(guest, request)
            try:
                await self._relayed(client, origin, guest, request)
            except QuotaExceeded as error:
                # In the middle of a stream there is nothing left to answer.
                self._decided(_refusal(guest, request, error))
            finally:
                origin[1].transport.abort()
        finally:
            guest.tasks.discard(task)

    async def _dialled(self, guest: _Guest, request: Request) -> Ends:
        target = request.target
        if target not in guest.allowed:
            raise Denied(f"{target} is not among the hosts that this job may reach")
        addresses = await self._reach.addresses(target)
        # Told before the first packet leaves.
        self._decided(
            Decision(
                job=guest.job,
                whose=guest.whose,
                method=request.method,
                target=str(target),
                address=str(addresses[0]),
                is_allowed=True,
            )
        )
        return await self._reach.connect(target, addresses)

    async def _relayed(self, client: Ends, origin: Ends, guest: _Guest, request: Request) -> None:
        """Bytes both ways until the origin has nothing more to say."""
        if request.is_tunnel:
            client[1].write(_ESTABLISHED)
        else:
            origin[1].write(request.head)
        async with asyncio.timeout(self._limits.idle_s) as idle:
            up = self._pumped(client, origin, guest, idle, None if request.is_tunnel else request)
            await _first(self._pumped(origin, client, guest, idle), beside=up)
            client[1].close()
            await client[1].wait_closed()

    async def _pumped(
        self,
        source: Ends,
        sink: Ends,
        guest: _Guest,
        idle: asyncio.Timeout,
        request: Request | None = None,
    ) -> None:
        """Move bytes until the source ends, or a plain request's body has gone by."""
        left = None if request is None else request.body_bytes
        loop = asyncio.get_running_loop()
        while left != 0:
            most = _CHUNK_BYTES if left is None else min(left, _CHUNK_BYTES)
            data = await source[0].read(most)
            if not data:
                break
            guest.moved_bytes += len(data)
            if guest.moved_bytes > self._limits.bytes_each:
                raise QuotaExceeded(f"this job moved its {self._limits.bytes_each:,} bytes")
            left = None if left is None else left - len(data)
            sink[1].write(data)
            await sink[1].drain()
            idle.reschedule(loop.time() + self._limits.idle_s)
        if left is None and sink[1].can_write_eof():
            sink[1].write_eof()

    async def _told(self, writer: asyncio.StreamWriter, error: AiosError) -> None:
        status = next(
            (text for kind, text in _STATUS if isinstance(error, kind)), "502 Bad Gateway"
        )
        body = f"{error.message}\n".encode()
        head = [f"HTTP/1.1 {status}", f"content-length: {len(body)}", "content-type: text/plain"]
        if isinstance(error, Unauthenticated):
            head.append('proxy-authenticate: Basic realm="aios"')
        writer.write("\r\n".join([*head, "connection: close", "", ""]).encode() + body)
        async with asyncio.timeout(self._limits.head_s):
            await writer.drain()
            writer.close()
            await writer.wait_closed()


def _refusal(guest: _Guest | None, request: Request | None, error: AiosError) -> Decision:
    return Decision(
        job="" if guest is None else guest.job,
        whose=NOBODY if guest is None else guest.whose,
        method="" if request is None else request.method,
        target="" if request is None else str(request.target),
        is_allowed=False,
        why=error.message,
    )


async def _first(main: Coroutine[Any, Any, None], *, beside: Coroutine[Any, Any, None]) -> None:
    """Until `main` is done; `beside` may end before it, and its errors end both."""
    other = asyncio.ensure_future(beside)
    own = asyncio.ensure_future(main)
    try:
        done, _ = await asyncio.wait({own, other}, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
        await own
    finally:
        await _cancelled({own, other})


async def _cancelled(tasks: set[Any]) -> None:
    """End these, and wait until they have."""
    waiting: list[Awaitable[object]] = []
    for task in set(tasks):
        task.cancel()
        waiting.append(task)
    await asyncio.gather(*waiting, return_exceptions=True)
