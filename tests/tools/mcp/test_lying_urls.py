"""Servers at URLs that lie: too much, packed, elsewhere, never, nonsense."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from aios.errors import WrongState
from aios.syscalls.tool import AddServer
from tests.tools.mcp.house import House, lived

TOOLS = {"tools": [{"name": "echo", "inputSchema": {"type": "object"}}]}
HELLO = {
    "protocolVersion": "2025-06-18",
    "capabilities": {"tools": {}},
    "serverInfo": {"name": "liar", "version": "1"},
}
Answer = Callable[[dict[str, Any]], bytes | None]


def json_answer(body: bytes, more: str = "", status: str = "200 OK") -> bytes:
    head = f"HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n"
    return f"{head}{more}connection: close\r\n\r\n".encode() + body


def result(asked: dict[str, Any], value: dict[str, Any]) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "id": asked["id"], "result": value}).encode()


def honest(asked: dict[str, Any]) -> bytes | None:
    """What an honest one says, up to a call."""
    known: dict[str, dict[str, Any]] = {"initialize": HELLO, "tools/list": TOOLS}
    if "id" not in asked:
        return json_answer(b"", status="202 Accepted")
    if asked.get("method") in known:
        return json_answer(result(asked, known[asked["method"]]))
    error = {"jsonrpc": "2.0", "id": asked["id"], "error": {"code": -32601, "message": "no"}}
    return json_answer(json.dumps(error).encode())


def in_a_call(lie: Answer) -> Answer:
    return lambda asked: lie(asked) if asked.get("method") == "tools/call" else honest(asked)


def content(text: str) -> dict[str, Any]:
    return {"content": [{"type": "text", "text": text}]}


def packed(asked: dict[str, Any]) -> bytes:
    body = gzip.compress(result(asked, content("z" * 50_000_000)))
    return json_answer(body, "content-encoding: gzip\r\n")


def huge(asked: dict[str, Any]) -> bytes:
    return json_answer(result(asked, content("z" * 20_000_000)))


def huge_event(asked: dict[str, Any]) -> bytes:
    head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n"
    return head + b"data: " + result(asked, content("z" * 20_000_000)) + b"\n\n"


def flood(asked: dict[str, Any]) -> bytes:
    head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n"
    said = b'data: {"jsonrpc": "2.0", "method": "notifications/message", "params": {}}\n\n'
    return head + said * 50_000


def elsewhere(asked: dict[str, Any]) -> bytes:
    return json_answer(b"", "location: http://127.0.0.2:1/\r\n", "307 Temporary Redirect")


def nonsense(asked: dict[str, Any]) -> bytes:
    return json_answer(b"[[[[")


def broken(asked: dict[str, Any]) -> bytes:
    return json_answer(b"oh no", status="500 Internal Server Error")


def cut_short(asked: dict[str, Any]) -> bytes:
    return json_answer(result(asked, content("x")))[:-10]


def silent(asked: dict[str, Any]) -> None:
    return None


@asynccontextmanager
async def server(answer: Answer) -> AsyncIterator[str]:
    """One answer a connection; None: none ever comes."""

    async def served(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            length = next(
                int(line.split(b":")[1])
                for line in (*head.lower().split(b"\r\n"), b"content-length: 0")
                if line.startswith(b"content-length")
            )
            body = await reader.readexactly(length)
            if not head.startswith(b"POST"):
                writer.write(json_answer(b"", status="405 Method Not Allowed"))
            else:
                said = answer(json.loads(body))
                if said is None:
                    await reader.read()  # Until it is given up.
                else:
                    writer.write(said)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    listening = await asyncio.start_server(served, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/mcp"
    finally:
        listening.close()


def with_url(answer: Answer, main: Callable[[House, str], Awaitable[None]]) -> None:
    async def body(house: House) -> None:
        async with server(answer) as url:
            await main(house, url)

    lived(body)


async def add(house: House, url: str) -> None:
    await house.kernel.call(house.kernel.token, AddServer(name="far", url=url))


@pytest.mark.parametrize(
    "lie",
    [packed, huge, huge_event, flood, elsewhere, nonsense, broken, cut_short],
    ids=lambda lie: lie.__name__,
)
def test_a_call_of_one_that_lies_is_an_error_and_the_neighbour_goes_on(lie: Answer) -> None:
    async def main(house: House, url: str) -> None:
        await house.liar("good", "Server")
        await add(house, url)
        calling = asyncio.ensure_future(house.call("far/echo", timeout_s=5.0))
        loop, longest = asyncio.get_running_loop(), 0.0
        while not calling.done():
            began = loop.time()
            assert (await house.call("good/echo", text="x")).text == "x"
            longest = max(longest, loop.time() - began)
        assert (await calling).is_error
        assert longest < 2.0

    with_url(in_a_call(lie), main)


def test_one_that_never_answers_a_call_is_given_up() -> None:
    async def main(house: House, url: str) -> None:
        await add(house, url)
        assert "timeout" in (await house.call("far/echo", timeout_s=0.5)).text

    with_url(in_a_call(silent), main)


@pytest.mark.parametrize(
    "lie", [silent, broken, elsewhere, nonsense, huge], ids=lambda lie: lie.__name__
)
def test_one_that_lies_from_the_start_is_not_added(lie: Answer) -> None:
    async def main(house: House, url: str) -> None:
        with pytest.raises(WrongState):
            await add(house, url)

    with_url(lie, main)
