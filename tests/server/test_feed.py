"""Many readers of events: nobody waits for a slow one, and nothing is left of those who went."""

import asyncio
import gc
import socket
from typing import Any

import pytest

from aios.config import Limits
from aios.kernel import Kernel
from aios.server import feed
from aios.server.feed import Feed
from aios.server.settings import Settings
from aios.syscalls import Exit, Spawn
from tests.server.house import House, house, lived, soon

OPEN = b": open\n\n"
ROUNDS = 60
AT_ONCE = 50


async def reader(home: House, *, is_deaf: bool = False) -> socket.socket:
    """A connection that has an open stream of everything."""
    loop = asyncio.get_running_loop()
    ear = socket.socket()
    if is_deaf:
        ear.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    ear.setblocking(False)
    await loop.sock_connect(ear, ("127.0.0.1", home.port))
    asked = f"GET /api/events HTTP/1.1\r\nhost: x\r\nx-api-key: {home.kernel.token}\r\n\r\n"
    await loop.sock_sendall(ear, asked.encode())
    heard = b""
    while OPEN not in heard:
        heard += await loop.sock_recv(ear, 1 << 16)
    return ear


async def until_heard(ear: socket.socket, what: bytes) -> bytes:
    heard = b""
    while what not in heard:
        more = await asyncio.get_running_loop().sock_recv(ear, 1 << 16)
        assert more, "the stream ended"
        heard += more
    return heard


async def happen(kernel: Kernel) -> None:
    """More than a socket that nobody reads can hold."""
    for number in range(ROUNDS):
        for _ in range(AT_ONCE):
            await kernel.call(kernel.token, Spawn(name=f"{number}-".ljust(100, "x")))
        await asyncio.sleep(0)


def test_a_reader_that_takes_nothing_holds_nobody_up_and_is_given_up() -> None:
    async def main() -> None:
        async with house(settings=Settings(stall_s=0.3, keepalive_s=0.1)) as home:
            deaf, good = await reader(home, is_deaf=True), await reader(home)
            for turn in range(20):  # until the system's own buffers are full
                telling = asyncio.ensure_future(happen(home.kernel))
                await until_heard(good, f'"{ROUNDS - 1}-'.encode())
                await telling
                if await gone(home, 1):
                    break
                assert turn < 19
            await home.kernel.call(home.kernel.token, Spawn(name="last"))
            await until_heard(good, b'"last"')
            deaf.close()
            good.close()

    lived(main)


async def gone(home: House, left: int) -> bool:
    """Whether so many streams are left before long."""
    for _ in range(100):
        if await streams(home) == left:
            return True
        await asyncio.sleep(0.01)
    return False


async def streams(home: House) -> int:
    """How many requests are under way, but this one."""
    async with home.http.get("/metrics") as told:
        lines = (await told.text()).splitlines()
    return (
        int(float(next(line for line in lines if line.startswith("aios_http_open")).split()[1])) - 1
    )


def test_streams_that_are_abandoned_leave_nothing_behind() -> None:
    async def main() -> None:
        async with house() as home:
            for _ in range(3):
                ears = [await reader(home) for _ in range(50)]
                for ear in ears:
                    ear.close()
                await soon_gone(home)
            one = await reader(home)
            await home.kernel.call(home.kernel.token, Spawn(name="after"))
            await until_heard(one, b'"after"')
            one.close()

    lived(main)


async def soon_gone(home: House) -> None:
    async with asyncio.timeout(20):
        while await streams(home):  # noqa: ASYNC110 - the server has no event for it
            await asyncio.sleep(0.01)


def test_an_exchange_is_freed_without_the_collector() -> None:
    async def main() -> None:
        async with house(lambda _: "yes") as home:
            for body, status in ((b"{}", 400), (b'{"prompt":"hi","max_tokens":3}', 200)):
                await asked(home, body, status)
                gc.collect()
                gc.disable()
                before = servers_objects()
                try:
                    for _ in range(20):
                        await asked(home, body, status)
                    await soon(lambda: home.kernel.gate.live == 0)
                    assert servers_objects() - before < 20
                finally:
                    gc.enable()

    lived(main)


async def asked(home: House, body: bytes, status: int) -> None:
    async with home.http.post("/v1/completions", data=body) as told:
        await told.read()
        assert told.status == status


def servers_objects() -> int:
    return sum(
        type(one).__name__ in ("Exchange", "RequestResponseCycle") for one in gc.get_objects()
    )


def test_who_listens_for_long_costs_no_more_for_children_that_came_and_went(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(feed, "SPARE", 20)
    feeds: list[Feed] = []
    opened = Feed.__init__

    def kept(self: Feed, *given: Any) -> None:
        opened(self, *given)
        feeds.append(self)

    monkeypatch.setattr(Feed, "__init__", kept)

    async def main() -> None:
        async with (
            house(limits=Limits(ended_kept=10)) as home,
            home.http.get("/api/events") as stream,
        ):
            assert await stream.content.readline() == b": open\n"
            for number in range(300):
                child = await home.kernel.call(home.token, Spawn(name=f"child-{number}"))
                await home.kernel.call(child.token, Exit())
            assert len(feeds[0]._seeing) < 100
            assert sum(len(one.pids) for one in feeds[0]._audiences.values()) < 100
            while b"child-299" not in await stream.content.readline():
                pass
        assert not feeds[0]._seeing

    lived(main)
