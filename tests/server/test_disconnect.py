"""Clients that disappear or stop reading, on a real socket: their lanes are free at once."""

import asyncio
import json
import socket
import struct

import pytest

from aios.server.settings import Settings
from tests.server.house import SLOW, House, house, lived, soon

FREE_WITHIN_S = 0.2
ASKED = {"messages": [{"role": "user", "content": "speak at length"}]}


def request(home: House, path: str, body: dict[str, object]) -> bytes:
    data = json.dumps(body).encode()
    head = (
        f"POST {path} HTTP/1.1\r\nhost: {home.url}\r\nauthorization: Bearer {home.token}\r\n"
        f"content-length: {len(data)}\r\n\r\n"
    )
    return head.encode() + data


async def connected(home: House) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection("127.0.0.1", home.port)


def hang_up(writer: asyncio.StreamWriter, *, by_reset: bool) -> None:
    """End the connection by FIN, or by RST as a killed host or an impatient one does."""
    if by_reset:
        linger = struct.pack("ii", 1, 0)
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    writer.close()


@pytest.mark.parametrize("by_reset", [False, True], ids=["FIN", "RST"])
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_a_client_that_disappears_frees_its_lane(stream: bool, by_reset: bool) -> None:
    async def main() -> None:
        async with house(script=SLOW) as home:
            reader, writer = await connected(home)
            writer.write(request(home, "/v1/chat/completions", {**ASKED, "stream": stream}))
            if stream:
                await reader.readuntil(b"data: ")
            await soon(lambda: home.running == 1)
            hang_up(writer, by_reset=by_reset)
            assert await soon(lambda: home.running == 0) < FREE_WITHIN_S
            await soon(lambda: home.kernel.gate.live == 0)

    lived(main)


def test_a_client_that_disappears_while_it_waits_in_the_queue_leaves_the_queue() -> None:
    async def main() -> None:
        async with house(script=SLOW) as home:
            clients = [await connected(home) for _ in range(3)]
            for _, writer in clients:
                writer.write(request(home, "/v1/chat/completions", {**ASKED, "stream": True}))
            await soon(lambda: home.running == 3)
            hang_up(clients[2][1], by_reset=False)
            assert await soon(lambda: home.running == 2) < FREE_WITHIN_S
            for _, writer in clients[:2]:
                hang_up(writer, by_reset=True)
            await soon(lambda: home.running == 0)

    lived(main)


def test_a_reader_that_takes_nothing_is_given_up_and_holds_no_memory() -> None:
    async def main() -> None:
        fast = SLOW.__class__(
            step_s=0.0, answer_tokens=(200_000, 200_000), context_tokens=1 << 20, kv_tokens=1 << 20
        )
        async with house(script=fast, settings=Settings(stall_s=0.3)) as home:
            _, writer = await connected(home)
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
            writer.transport.pause_reading()  # type: ignore[attr-defined]  # a socket's has it
            writer.write(request(home, "/v1/chat/completions", {**ASKED, "stream": True}))
            await soon(lambda: home.running == 1)
            await soon(lambda: home.kernel.gate.live == 0)
            writer.transport.abort()

    lived(main)


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/api/syscalls/process.send", "/login"])
def test_a_request_that_never_comes_whole_does_not_hold_up_the_end(path: str) -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        async with house() as home:
            _, writer = await asyncio.open_connection("127.0.0.1", home.port)
            head = f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1:{home.port}\r\nx-api-key: {home.token}"
            origin = f"origin: http://127.0.0.1:{home.port}"
            writer.write(f"{head}\r\n{origin}\r\ncontent-length: 1000\r\n\r\n{{".encode())
            async with home.http.get("/metrics") as told:
                while "aios_http_open 2" not in await told.text():
                    told = await home.http.get("/metrics")
            began = loop.time()
        assert loop.time() - began < 6
        writer.close()

    lived(main)
