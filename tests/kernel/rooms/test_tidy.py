"""What nothing leads to any more goes while the kernel runs; what a call is about to need stays."""

import asyncio
from collections.abc import Awaitable, Callable
from random import Random
from typing import Any

import pytest

from aios.errors import NotFound
from aios.journal.base import Change, Work
from aios.journal.statements import CHUNK_ADD
from aios.kernel.rooms.passage import Passage
from aios.kernel.rooms.tidy import REST_S, Tidier
from aios.memory.blocks import BlockRoom
from aios.memory.cache import Cache
from aios.memory.eviction import Adaptive
from aios.syscalls.memory import Free, Write
from aios.testing.journal import InlineJournal
from aios.testing.loop import VirtualClock, run

LARGE = bytes(100_000)


class NothingToCollect:
    """A room that drops no rows."""

    async def collect(self) -> bool:
        return False


class Desk:
    """Blocks, and who tidies behind them."""

    def __init__(self) -> None:
        self.journal = InlineJournal()
        self.passage = Passage()
        self.room = BlockRoom(self.journal, Cache(Adaptive(), ram_bytes=1 << 20))
        self.tidier = Tidier(self.journal, self.passage, NothingToCollect(), [self.room])

    async def write(self, data: bytes) -> None:
        with self.passage.inside():
            await self.room.write("anna", Write(name="map", data=data), Work(self.journal))


def lived(body: Callable[[Desk], Awaitable[None]]) -> None:
    async def main(_: Random) -> None:
        desk = Desk()
        await body(desk)
        desk.journal.close()

    run(main)


def test_a_running_kernel_loses_the_blobs_of_blocks_that_were_written_anew_or_freed() -> None:
    async def body(desk: Desk) -> None:
        task = asyncio.create_task(desk.tidier.run(VirtualClock()))
        await desk.write(LARGE)
        [first] = await desk.room.blobs()
        await desk.write(LARGE + b"!")
        [second] = await desk.room.blobs()
        await asyncio.sleep(2 * REST_S)
        assert await desk.journal.blobs.get(second) == LARGE + b"!"
        with pytest.raises(NotFound):
            await desk.journal.blobs.get(first)
        with desk.passage.inside():
            await desk.room.free("anna", Free(name="map"), Work(desk.journal))
        await asyncio.sleep(2 * REST_S)
        with pytest.raises(NotFound):
            await desk.journal.blobs.get(second)
        task.cancel()

    lived(body)


def test_a_blob_that_was_put_and_not_committed_yet_is_waited_for() -> None:
    async def body(desk: Desk) -> None:
        is_put, go_on = asyncio.Event(), asyncio.Event()

        async def slow(agent: str, call: Any, work: Work) -> str:
            blob = await desk.journal.blobs.put(LARGE)
            is_put.set()
            await go_on.wait()
            await desk.journal.post([Change(CHUNK_ADD, (1, 0, len(LARGE), None, blob))])
            return blob

        handler = desk.passage.through(slow)
        call: asyncio.Future[str] = asyncio.ensure_future(handler("anna", None, Work(None)))
        await is_put.wait()
        sweep = asyncio.create_task(desk.tidier.sweep())
        await asyncio.sleep(1)
        assert not sweep.done()
        go_on.set()
        assert await sweep == 0
        assert await desk.journal.blobs.get(await call) == LARGE

    lived(body)


def test_a_reader_keeps_what_it_has_read_of_until_it_has_left() -> None:
    async def body(desk: Desk) -> None:
        await desk.write(LARGE)
        [blob] = await desk.room.blobs()
        with desk.passage.inside():
            sweep = asyncio.create_task(desk.tidier.sweep())
            await asyncio.sleep(1)
            await desk.write(b"")
            assert await desk.journal.blobs.get(blob) == LARGE
        assert await sweep == 1

    lived(body)


def test_who_comes_later_is_not_waited_for() -> None:
    async def body(desk: Desk) -> None:
        first, second = desk.passage.inside(), desk.passage.inside()
        first.__enter__()
        cleared = asyncio.create_task(desk.passage.cleared())
        await asyncio.sleep(0)
        second.__enter__()
        first.__exit__(None, None, None)
        await cleared
        again = asyncio.create_task(desk.passage.cleared())
        await asyncio.sleep(1)
        assert not again.done()
        second.__exit__(None, None, None)
        await again

    lived(body)
