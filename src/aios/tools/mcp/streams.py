"""What the SDK reads and writes: messages over a program's socket, and a watch over any transport.

Everything a server says comes through `watched`; what the SDK would do with it that a stranger
could abuse is taken out there. Knows no tool.
"""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from types import TracebackType
from typing import Any, Self

import anyio
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from mcp.client import Transport
from mcp.shared._stream_protocols import ReadStream, WriteStream
from mcp.shared.message import SessionMessage
from mcp_types import (
    JSONRPCError,
    JSONRPCRequest,
    JSONRPCResponse,
    jsonrpc_message_adapter,
)

from aios.clock import Clock
from aios.errors import WrongState
from aios.tools.mcp.watch import MESSAGE_BYTES_MAX, Watch

WRITE_S = 10.0  # for a server to take what it is told
Heard = SessionMessage | Exception
Streams = tuple[ReadStream[Heard], WriteStream[SessionMessage]]


class Guard:
    """One connection's watch, and why the connection ended."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.watch = Watch()
        self.over = asyncio.Event()
        self.why = ""

    def end(self, why: str) -> None:
        """The first reason counts."""
        self.why = self.why or why
        self.over.set()


@asynccontextmanager
async def over_socket(connection: socket.socket, guard: Guard) -> AsyncIterator[Streams]:
    """A transport: a JSON message a line, both ways."""
    ends = await asyncio.open_unix_connection(sock=connection, limit=MESSAGE_BYTES_MAX)
    inward, heard = anyio.create_memory_object_stream[Heard](0)
    said, outward = anyio.create_memory_object_stream[SessionMessage](0)
    async with anyio.create_task_group() as group:
        group.start_soon(_listen, ends[0], inward, guard)
        group.start_soon(_speak, ends[1], outward, guard)
        try:
            yield heard, said
        finally:
            group.cancel_scope.cancel()
            for stream in (inward, heard, said, outward):
                stream.close()
            ends[1].transport.abort()


@asynccontextmanager
async def watched(
    transport: AbstractAsyncContextManager[Streams], guard: Guard
) -> AsyncIterator[Streams]:
    """The transport, with nothing coming through that should not."""
    async with transport as (read, write):
        inward, heard = anyio.create_memory_object_stream[Heard](0)
        async with anyio.create_task_group() as group:
            group.start_soon(_let_through, read, inward, guard)
            try:
                yield heard, _Counting(write, guard.watch)
            finally:
                group.cancel_scope.cancel()
                inward.close()
                heard.close()


async def _listen(
    reader: asyncio.StreamReader, inward: MemoryObjectSendStream[Heard], guard: Guard
) -> None:
    """Pass on line after line; ends with the program, or with a line that is none."""
    with inward:
        try:
            while True:
                line = await reader.readuntil(b"\n")
                pause_s = guard.watch.heard(len(line), guard.clock.now())
                if pause_s:
                    await guard.clock.sleep(pause_s)
                await inward.send(_message(line))
        except asyncio.LimitOverrunError:
            guard.end(f"it said a message of more than {MESSAGE_BYTES_MAX:,} bytes")
        except (asyncio.IncompleteReadError, OSError):
            guard.end("it ended")
        except (anyio.BrokenResourceError, anyio.ClosedResourceError):
            return  # Our own side is over.


async def _speak(
    writer: asyncio.StreamWriter,
    outward: MemoryObjectReceiveStream[SessionMessage],
    guard: Guard,
) -> None:
    try:
        async with outward:
            async for said in outward:
                line = said.message.model_dump_json(by_alias=True, exclude_unset=True)
                writer.write(f"{line}\n".encode())
                async with asyncio.timeout(WRITE_S):
                    await writer.drain()
    except TimeoutError:
        guard.end(f"it did not read what it was told for {WRITE_S:g} s")
    except OSError:
        guard.end("it ended")


def _message(line: bytes) -> Heard:
    try:
        return SessionMessage(jsonrpc_message_adapter.validate_json(line, by_name=False))
    except ValueError as problem:
        return problem


async def _let_through(
    read: ReadStream[Heard], inward: MemoryObjectSendStream[Heard], guard: Guard
) -> None:
    with inward:
        try:
            async for heard in read:
                if _may_pass(heard, guard):
                    await inward.send(heard)
                if guard.over.is_set():
                    return
        except WrongState as problem:
            guard.end(problem.message)
        except (anyio.BrokenResourceError, anyio.ClosedResourceError):
            return  # Our own side is over.
        guard.end("it ended")


def _may_pass(heard: Heard, guard: Guard) -> bool:
    """Count it, and take out what must not be acted on."""
    now = guard.clock.now()
    if isinstance(heard, Exception):
        guard.watch.unasked(now)
        return False
    message = heard.message
    if isinstance(message, JSONRPCResponse):
        guard.watch.answered(now)
        _without_patterns(message.result)
    elif isinstance(message, JSONRPCError):
        guard.watch.answered(now)
    else:
        guard.watch.unasked(now)
        # The server is a tool: it may ask whether we are there, and nothing else.
        return not isinstance(message, JSONRPCRequest) or message.method == "ping"
    return True


def _without_patterns(result: dict[str, Any]) -> None:
    """The SDK would check results by the server's schemas; a pattern there may take for ever."""
    tools = result.get("tools")
    for tool in tools if isinstance(tools, list) else ():
        if isinstance(tool, dict):
            tool.pop("outputSchema", None)


class _Counting:
    """A writing end that counts requests."""

    def __init__(self, inner: WriteStream[SessionMessage], watch: Watch) -> None:
        self._inner = inner
        self._watch = watch

    async def send(self, item: SessionMessage, /) -> None:
        if isinstance(item.message, JSONRPCRequest):
            self._watch.asked()
        await self._inner.send(item)

    async def aclose(self) -> None:
        await self._inner.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()


__all__ = ["Guard", "Streams", "Transport", "over_socket", "watched"]
