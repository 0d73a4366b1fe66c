"""One HTTP exchange: what the client said, what it is told, and whether it is still there.

Knows no protocol above HTTP.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Mapping
from typing import Any, TypeVar
from urllib.parse import parse_qs

import msgspec
from starlette.types import Receive, Scope, Send

from aios.errors import Cancelled
from aios.server.wire.errors import Refused, Shape

T = TypeVar("T")
JSON = "application/json"
encode_json = msgspec.json.Encoder().encode


def key_of(exchange: "Exchange") -> str:
    """By which the client knows its call: calls of one key are one call. Empty if it named none."""
    return exchange.header("idempotency-key")


class Exchange:
    """Headers, body and reply of one request. `route` names its endpoint for metrics."""

    def __init__(self, scope: Scope, receive: Receive, send: Send, request_id: str) -> None:
        self._scope = scope
        self._receive = receive
        self._send = send
        self.request_id = request_id
        self.path_token = ""  # the token in the URL, if there is one
        self.shape: Shape = "native"
        self.route = ""
        self.status = 0  # 0 until the reply has begun
        self.seconds = 0.0  # to the reply's end, once that has come
        self.is_gone = False

    @property
    def method(self) -> str:
        return str(self._scope["method"])

    @property
    def path(self) -> str:
        return str(self._scope["path"])

    @property
    def peer(self) -> str:
        """The client's address; empty on a Unix socket."""
        client = self._scope.get("client")
        return str(client[0]) if client else ""

    def parameter(self, name: str) -> str:
        """A part of the path that the route names."""
        return str(self._scope["path_params"][name])

    def query(self, name: str) -> str:
        """The first value of that name in the query; empty if there is none."""
        found: dict[str, list[str]] = parse_qs(
            self._scope.get("query_string", b"").decode("latin-1")
        )
        return found.get(name, [""])[0]

    def header(self, name: str) -> str:
        """A header's value; empty if there is none."""
        wanted = name.encode()
        headers: list[tuple[bytes, bytes]] = self._scope["headers"]
        return next((value.decode("latin-1") for key, value in headers if key == wanted), "")

    async def body(self, *, bytes_max: int, within_s: float) -> bytes:
        """The whole body; refused before it is too large, or where it comes too slowly."""
        too_large = Refused(f"expected a body of at most {bytes_max} bytes", 413)
        told = self.header("content-length")
        if told.isdigit() and int(told) > bytes_max:
            raise too_large
        parts, size = [], 0
        try:
            async with asyncio.timeout(within_s):
                async for part in self._parts():
                    parts.append(part)
                    size += len(part)
                    if size > bytes_max:
                        raise too_large
        except TimeoutError:
            raise Refused(f"expected the body within {within_s:g} s", 408) from None
        return b"".join(parts)

    async def gone(self) -> None:
        """Return when the client is."""
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self.is_gone = True

    async def unless_gone(self, work: Awaitable[T]) -> T:
        """The result of `work`, which is cancelled at once where the client goes away first."""
        task = asyncio.ensure_future(work)
        watch = asyncio.ensure_future(self.gone())
        try:
            await asyncio.wait((task, watch), return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                return task.result()
            raise Cancelled("the client went away")
        finally:
            watch.cancel()
            task.cancel()
            await asyncio.wait((task, watch))

    async def begin(self, status: int, headers: Mapping[str, str]) -> None:
        """Send the status and headers of a reply whose body follows."""
        self.status = status
        ids = {"x-request-id": self.request_id, "request-id": self.request_id}
        told = [
            (name.encode(), value.encode("latin-1", "replace"))
            for name, value in (*headers.items(), *ids.items())
        ]
        await self._send({"type": "http.response.start", "status": status, "headers": told})

    async def send(self, part: bytes, *, is_last: bool = False) -> None:
        """Send a part of the body; waits while the client reads slowly."""
        await self._send({"type": "http.response.body", "body": part, "more_body": not is_last})

    async def reply(
        self,
        body: bytes,
        *,
        status: int = 200,
        kind: str = JSON,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Send a whole reply."""
        told = {"content-type": kind, "content-length": str(len(body)), **(headers or {})}
        await self.begin(status, told)
        await self.send(body, is_last=True)

    async def reply_json(
        self, body: Any, *, status: int = 200, headers: Mapping[str, str] | None = None
    ) -> None:
        await self.reply(encode_json(body), status=status, headers=headers)

    async def _parts(self) -> AsyncIterator[bytes]:
        more = True
        while more:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                self.is_gone = True
                raise Cancelled("the client went away")
            yield message.get("body", b"")
            more = message.get("more_body", False)
