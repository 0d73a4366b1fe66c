"""A server at a URL: the SDK's streamable HTTP over a client that takes nothing without a limit.

No redirect leads elsewhere (the SDK sees to that), nothing is unpacked, and an answer may be as
long as a message, an event of a stream as well.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import httpx2
from mcp.client.streamable_http import streamable_http_client

from aios.tools.mcp.streams import Guard, Streams
from aios.tools.mcp.watch import MESSAGE_BYTES_MAX

CONNECT_S = 10.0
SILENCE_S = 300.0  # of a stream that is open
CONNECTIONS_MAX = 64
STREAM = "text/event-stream"


@asynccontextmanager
async def over_http(url: str, headers: Mapping[str, str], guard: Guard) -> AsyncIterator[Streams]:
    """A transport. The headers go with every request."""
    client = httpx2.AsyncClient(
        headers={"Accept-Encoding": "identity", **headers},
        timeout=httpx2.Timeout(CONNECT_S, read=SILENCE_S),
        transport=_Held(guard),
        trust_env=False,
    )
    async with (
        client,
        streamable_http_client(
            url, http_client=client, max_sse_event_size=MESSAGE_BYTES_MAX
        ) as streams,
    ):
        yield streams


class _Held(httpx2.AsyncBaseTransport):
    """Every answer's bytes are counted, and held back where they come too fast."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        limits = httpx2.Limits(max_connections=CONNECTIONS_MAX)
        self._inner = httpx2.AsyncHTTPTransport(limits=limits, trust_env=False)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        response = await self._inner.handle_async_request(request)
        if response.headers.get("content-encoding", "identity") != "identity":
            await response.aclose()
            raise httpx2.DecodingError("expected an answer that is not packed", request=request)
        assert isinstance(response.stream, httpx2.AsyncByteStream)
        is_stream = response.headers.get("content-type", "").startswith(STREAM)
        response.stream = _Counted(response.stream, self._guard, is_stream=is_stream)
        return response

    async def aclose(self) -> None:
        await self._inner.aclose()


class _Counted(httpx2.AsyncByteStream):
    """An answer's body."""

    def __init__(self, inner: httpx2.AsyncByteStream, guard: Guard, *, is_stream: bool) -> None:
        self._inner = inner
        self._guard = guard
        self._is_stream = is_stream  # of events: the SDK limits each of them

    async def __aiter__(self) -> AsyncIterator[bytes]:
        total = 0
        async for part in self._inner:
            total += len(part)
            if total > MESSAGE_BYTES_MAX and not self._is_stream:
                raise httpx2.ReadError(f"an answer of more than {MESSAGE_BYTES_MAX:,} bytes")
            yield part
            pause_s = self._guard.watch.heard(len(part), self._guard.clock.now())
            if pause_s:
                await self._guard.clock.sleep(pause_s)

    async def aclose(self) -> None:
        await self._inner.aclose()
