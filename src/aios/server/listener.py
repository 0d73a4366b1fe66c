"""Sockets to HTTP: uvicorn, without its signals, and with bounds on what comes before a request."""

import asyncio
import socket
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from aios.server.asgi import WIRE
from aios.server.settings import Settings

BACKLOG = 2_048
KEPT_S = 75  # for an idle connection; longer than clients keep theirs, so that none races us
USER_TIMEOUT = getattr(socket, "TCP_USER_TIMEOUT", None)  # Linux has it
LINGER_S = 10  # for replies that are under way when the listener closes


def bound(host: str, port: int) -> socket.socket:
    """A listening place; an `OSError` if it cannot be had."""
    family, kind, proto, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    place = socket.socket(family, kind, proto)
    try:
        place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        place.bind(address)
        place.setblocking(False)
    except OSError:
        place.close()
        raise
    return place


def fast_loop() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """What makes the event loop to serve on; None where only asyncio's own is to be had."""
    if sys.platform == "win32":
        return None
    import uvloop

    return uvloop.new_event_loop


@asynccontextmanager
async def listening(app: ASGIApp, place: socket.socket, settings: Settings) -> AsyncIterator[None]:
    """Requests to `place` reach `app` while the block runs; replies under way are still sent."""
    server = _Server(_config(app, settings))
    task = asyncio.ensure_future(server.serve(sockets=[place]))
    try:
        await asyncio.wait(
            (task, asyncio.ensure_future(server.is_open.wait())),
            return_when=asyncio.FIRST_COMPLETED,
        )
        yield
    finally:
        server.should_exit = True
        await task


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.is_open = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.is_open.set()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are the command's."""
        yield


def _config(app: ASGIApp, settings: Settings) -> uvicorn.Config:
    class Guarded(_Guarded):
        head_s = settings.head_s
        head_bytes_max = settings.head_bytes_max
        stall_s = settings.stall_s

    return uvicorn.Config(
        app,
        http=Guarded,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        backlog=BACKLOG,
        timeout_keep_alive=KEPT_S,
        timeout_graceful_shutdown=LINGER_S,
    )


class _Guarded(HttpToolsProtocol):
    """Closes connections whose request's head comes too slowly or grows too large.

    Also those whose reader takes nothing of a reply that is already in the system's hands.
    """

    head_s: float
    head_bytes_max: int
    stall_s: float

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._head_bytes = 0
        self._patience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        if USER_TIMEOUT is not None and (place := transport.get_extra_info("socket")) is not None:
            place.setsockopt(socket.IPPROTO_TCP, USER_TIMEOUT, int(1_000 * self.stall_s))
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._forget()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        is_between = self._patience is None and (self.cycle is None or self.cycle.response_complete)
        cycle = self.cycle
        super().data_received(data)
        if self.cycle is not cycle:  # A head came to its end.
            return
        if is_between:
            self._await_head()  # the next request on a kept connection
        if self._patience is not None:
            self._head_bytes += len(data)
            if self._head_bytes > self.head_bytes_max:
                self.transport.close()

    def shutdown(self) -> None:
        """A request that has not come whole comes too late: its rest is not waited for."""
        super().shutdown()
        cycle = self.cycle
        if cycle is not None and cycle.more_body and not cycle.response_started:
            self.transport.close()

    def on_headers_complete(self) -> None:
        self._forget()
        self.scope["extensions"] = {WIRE: {"transport": self.transport}}
        super().on_headers_complete()

    def _await_head(self) -> None:
        self._head_bytes = 0
        self._patience = self.loop.call_later(self.head_s, self.transport.close)

    def _forget(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None
