"""Waiting instead of failing: what a client is told while it waits, and when that is over."""

import asyncio
import json
import socket
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from aios.server.settings import Settings
from aios.syscalls import Send
from aios.testing.script import Script
from tests.server.house import SLOW, House, house, lived, soon

SOON = Settings(early_s=0.05, keepalive_s=0.05)
LLM: dict[str, dict[str, Any]] = {
    "/v1/chat/completions": {"messages": [{"role": "user", "content": "speak"}]},
    "/v1/completions": {"prompt": "speak"},
    "/v1/responses": {"input": "speak"},
    "/v1/messages": {"max_tokens": 4_000, "messages": [{"role": "user", "content": "speak"}]},
}
FREE_WITHIN_S = 0.2
Body = dict[str, Any]


async def crowd(home: House, stack: AsyncExitStack, count: int = 2) -> None:
    """Take every lane, for as long as the stack is open."""
    for _ in range(count):
        asked = LLM["/v1/chat/completions"] | {"stream": True}
        request = home.http.post("/v1/chat/completions", json=asked)
        await stack.enter_async_context(request)
    await soon(lambda: home.running == count)


@pytest.mark.parametrize("path", LLM)
def test_a_stream_that_waits_says_that_it_is_there(path: str) -> None:
    async def main() -> None:
        fifo = Script(step_s=0.02, lanes=1, answer_tokens=(4_000, 4_000), context_tokens=8_000)
        async with house(script=fifo, settings=SOON) as home, AsyncExitStack() as stack:
            first = home.http.post("/v1/completions", json={"prompt": "x", "stream": True})
            await stack.enter_async_context(first)
            asked = LLM[path] | {"stream": True}
            async with home.http.post(path, json=asked) as told:
                assert told.status == 200
                assert told.headers["content-type"].startswith("text/event-stream")
                while b": keep-alive" not in await told.content.readline():
                    pass

    lived(main)


@pytest.mark.parametrize("path", LLM)
def test_a_deadline_that_passes_is_told_in_the_clients_own_shape(path: str) -> None:
    async def main() -> None:
        async with house(script=SLOW) as home, AsyncExitStack() as stack:
            await crowd(home, stack)
            headers = {"x-aios-deadline-s": "0.1"}
            for stream in (False, True):
                asked = LLM[path] | {"stream": stream}
                async with home.http.post(path, json=asked, headers=headers) as told:
                    if told.status == 200:  # Something of it had been said already.
                        assert stream
                        continue
                    assert told.status == 429
                    assert int(told.headers["retry-after"]) > 0
                    error = (await told.json())["error"]
                    assert error["type"] == "rate_limit_error"
            await soon(lambda: home.running == 2)

    lived(main)


def test_a_deadline_that_passes_within_a_stream_ends_it_with_an_error() -> None:
    ends = {
        "/v1/chat/completions": '"rate_limit_error"',
        "/v1/completions": '"rate_limit_error"',
        "/v1/responses": "response.failed",
        "/v1/messages": '"rate_limit_error"',
    }

    async def main() -> None:
        async with house(script=SLOW, settings=SOON) as home:
            for path, end in ends.items():
                asked = LLM[path] | {"stream": True}
                headers = {"x-aios-deadline-s": "0.3"}
                async with home.http.post(path, json=asked, headers=headers) as told:
                    assert told.status == 200
                    assert end in (await told.text()), path

    lived(main)


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("path", [*LLM, "/api/syscalls/llm.generate"])
def test_a_client_that_leaves_the_queue_or_its_lane_is_gone_at_once(
    path: str, stream: bool
) -> None:
    async def main() -> None:
        async with house(script=SLOW) as home, AsyncExitStack() as stack:
            await crowd(home, stack)
            body: Body = {"prompt": "x"} if path.startswith("/api") else LLM[path]
            body = body if path.startswith("/api") else body | {"stream": stream}
            data = json.dumps(body).encode()
            _, writer = await asyncio.open_connection("127.0.0.1", home.port)
            writer.write(
                f"POST {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {home.token}\r\n"
                f"content-length: {len(data)}\r\n\r\n".encode()
                + data
            )
            await soon(lambda: home.running == 3)
            writer.close()
            assert await soon(lambda: home.running == 2) < FREE_WITHIN_S

    lived(main)


def test_a_client_that_waits_for_mail_and_goes_is_no_open_call() -> None:
    async def main() -> None:
        async with house() as home:
            path = "/api/syscalls/process.receive"
            waiting = asyncio.ensure_future(home.http.post(path, json={}))
            await soon(lambda: home.kernel.gate.live == 1)
            waiting.cancel()
            assert await soon(lambda: home.kernel.gate.live == 0) < FREE_WITHIN_S

    lived(main)


def held(server: int, client: int) -> int:
    """Bytes that the system keeps for a client of this machine; 0 where no connection is left."""
    ends = f":{server:04X}", f":{client:04X}"
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        words = line.split()
        if (words[1][-5:], words[2][-5:]) == ends:
            return 1 + int(words[4].partition(":")[0], 16)
    return 0


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="only Linux can tell")
@pytest.mark.parametrize("kept", ["close", "keep-alive"])
def test_a_reader_that_never_takes_its_whole_reply_is_cut_off(kept: str) -> None:
    async def main() -> None:
        async with house(settings=Settings(stall_s=0.5)) as home:
            pid = home.kernel.table.by_token(home.token).pid
            await home.kernel.call(home.token, Send(pid=pid, body="x" * 1_000_000))
            with socket.socket() as place:
                place.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
                place.connect(("127.0.0.1", home.port))
                place.sendall(
                    f"POST /api/syscalls/process.receive HTTP/1.1\r\nhost: x\r\n"
                    f"connection: {kept}\r\nauthorization: Bearer {home.token}\r\n"
                    "content-length: 0\r\n\r\n".encode()
                )
                mine = place.getsockname()[1]
                await soon(lambda: held(home.port, mine) > 100_000, 20)
                await soon(lambda: held(home.port, mine) == 0, 20)

    lived(main)
