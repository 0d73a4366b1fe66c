"""From the outbox into the index, over everything that may go wrong in between."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import pytest

from aios.clock import LoopClock
from aios.errors import Busy, NoSpace
from aios.journal import statements
from aios.journal.base import Change
from aios.retrieval.base import Document, Embedder, Hit, Query
from aios.retrieval.index import HybridIndex
from aios.retrieval.indexer import RETRY_S, Indexer, Source
from aios.retrieval.ngrams import NgramEmbedder
from aios.syscalls.note import SearchMode
from aios.testing import loop as sim
from aios.testing.journal import InlineJournal
from tests.retrieval.documents import Meanings, document

T = TypeVar("T")


class InlineIndex:
    """An index that does its work at once, in a world without threads."""

    def __init__(self, index: HybridIndex) -> None:
        self.index = index

    async def search(self, query: Query) -> list[Hit]:
        return self.index.search(query)

    async def write(self, change: Callable[[], T]) -> T:
        return change()

    async def close(self) -> None:
        self.index.close()


class Room:
    """Documents, and the outbox rows that tell of their changes."""

    def __init__(self, journal: InlineJournal) -> None:
        self.journal = journal
        self.kept: dict[str, Document] = {}
        self.loaded: list[str] = []
        self.added_all = 0

    async def write(self, *documents: Document) -> None:
        self.kept |= {one.id: one for one in documents}
        await self._add([one.id for one in documents])

    async def forget(self, id: str) -> None:
        del self.kept[id]
        await self._add([id])

    async def load(self, ids: Sequence[str]) -> list[Document]:
        self.loaded += ids
        return [self.kept[id] for id in ids if id in self.kept]

    async def add_all(self) -> None:
        self.added_all += 1
        await self._add(list(self.kept))

    async def _add(self, ids: Sequence[str]) -> None:
        add = statements.OUTBOX_ADD
        await self.journal.post([Change(add, ("note", id)) for id in ids])


class Desk:
    """A room with its index, in a world without threads."""

    def __init__(self, folder: Path, embedder: Embedder, room: Room) -> None:
        self.room = room
        self.index = HybridIndex(folder, embedder)
        source = Source(kind="note", load=room.load, add_all=room.add_all)
        self.indexer = Indexer(room.journal, source, InlineIndex(self.index), LoopClock())

    async def write(self, *documents: Document) -> None:
        await self.room.write(*documents)
        self.indexer.changed()

    async def ids(self, text: str, mode: SearchMode = SearchMode.HYBRID) -> list[str]:
        query = Query(text=text, scopes=("anna",), limit=99, mode=mode)
        return [hit.id for hit in await self.indexer.search(query)]


@asynccontextmanager
async def desk(
    folder: Path, embedder: Embedder | None = None, room: Room | None = None
) -> AsyncIterator[Desk]:
    made = Desk(folder, embedder or NgramEmbedder(64), room or Room(InlineJournal()))
    task = asyncio.create_task(made.indexer.run())
    try:
        yield made
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        made.index.close()


def world(program: Coroutine[Any, Any, None]) -> None:
    sim.run(lambda rng: program)


def test_what_was_written_is_found_once_the_index_settled(tmp_path: Path) -> None:
    async def program() -> None:
        async with desk(tmp_path) as here:
            await here.write(document("a", "violin"), document("b", "cello"))
            assert await here.indexer.pending() == 2
            await here.indexer.settled()
            assert await here.indexer.pending() == 0
            assert await here.ids("violin") == ["a"]

    world(program())


def test_what_is_gone_when_its_row_is_read_is_removed(tmp_path: Path) -> None:
    async def program() -> None:
        async with desk(tmp_path) as here:
            await here.write(document("a", "violin"))
            await here.indexer.settled()
            await here.room.forget("a")
            await here.indexer.settled()
            assert await here.ids("violin") == []

    world(program())


def test_many_changes_are_taken_in_batches_until_none_is_left(tmp_path: Path) -> None:
    async def program() -> None:
        async with desk(tmp_path) as here:
            await here.write(*(document(f"d{number}", "violin") for number in range(300)))
            await here.indexer.settled()
            assert (await here.indexer.status()).documents == 300

    world(program())


def test_rows_of_another_kind_are_left_alone(tmp_path: Path) -> None:
    async def program() -> None:
        async with desk(tmp_path) as here:
            await here.room.journal.post([Change(statements.OUTBOX_ADD, ("file", "f"))])
            await here.indexer.settled()
            assert here.room.loaded == []
            assert await here.room.journal.read(statements.OUTBOX_COUNT, "file") == [(1,)]

    world(program())


def test_a_batch_whose_rows_could_not_be_deleted_is_done_again(tmp_path: Path) -> None:
    async def program() -> None:
        async with desk(tmp_path) as here:
            await here.indexer.settled()
            await here.room.write(document("a", "violin"))
            here.room.journal.fail_next(NoSpace("the disk is full"))
            here.indexer.changed()
            await asyncio.sleep(RETRY_S / 2)
            assert (await here.indexer.status()).fault == "the disk is full"
            await here.indexer.settled()
            assert here.room.loaded == ["a", "a"]
            assert (await here.indexer.status()).fault == ""
            assert await here.ids("violin") == ["a"]

    world(program())


def test_an_error_that_nobody_foresaw_ends_nothing(tmp_path: Path) -> None:
    class Stumbling(Room):
        async def load(self, ids: Sequence[str]) -> list[Document]:
            if not self.loaded:
                self.loaded += ids
                raise OSError(5, "Input/output error")
            return await super().load(ids)

    async def program() -> None:
        async with desk(tmp_path, room=Stumbling(InlineJournal())) as here:
            await here.write(document("a", "violin"))
            await asyncio.sleep(RETRY_S / 2)
            assert (await here.indexer.status()).fault == "OSError: [Errno 5] Input/output error"
            await here.indexer.settled()
            assert (await here.indexer.status()).fault == ""
            assert await here.ids("violin") == ["a"]

    world(program())


def test_a_failing_embedder_holds_nothing_up_and_is_tried_again(tmp_path: Path) -> None:
    async def program() -> None:
        embedder = Meanings()
        embedder.fault = "out of order"
        async with desk(tmp_path, embedder) as here:
            await here.write(document("a", "automobile"))
            await here.indexer.settled()
            assert await here.indexer.pending() == 0
            assert await here.ids("automobile") == ["a"]
            assert (await here.indexer.status()).embedder_fault == "out of order"
            embedder.fault = ""
            await asyncio.sleep(2 * RETRY_S)
            assert await here.ids("vehicle", SearchMode.SEMANTIC) == ["a"]
            assert (await here.indexer.status()).embedder_fault == ""

    world(program())


def test_an_index_that_was_lost_is_made_again_from_its_room(tmp_path: Path) -> None:
    async def program() -> None:
        room = Room(InlineJournal())
        async with desk(tmp_path / "index", room=room) as here:
            await here.write(document("a", "violin"))
            await here.indexer.settled()
        for path in (tmp_path / "index").iterdir():
            path.unlink()
        async with desk(tmp_path / "index", room=room) as again:
            await again.indexer.settled()
            assert await again.ids("violin") == ["a"]
            assert room.added_all == 2  # at the very first opening, and now

    world(program())


def test_an_index_that_is_whole_asks_its_room_for_nothing(tmp_path: Path) -> None:
    async def program() -> None:
        room = Room(InlineJournal())
        async with desk(tmp_path, room=room) as here:
            await here.write(document("a", "violin"))
            await here.indexer.settled()
        async with desk(tmp_path, room=room) as again:
            await again.indexer.settled()
            assert (room.added_all, room.loaded.count("a")) == (1, 1)
            assert await again.ids("violin") == ["a"]

    world(program())


def test_another_embedder_embeds_all_again_without_being_asked(tmp_path: Path) -> None:
    async def program() -> None:
        room = Room(InlineJournal())
        async with desk(tmp_path, room=room) as here:
            await here.write(*(document(f"d{number}", "automobile") for number in range(200)))
            await here.indexer.settled()
        embedder = Meanings()
        async with desk(tmp_path, embedder, room) as again:
            await again.indexer.settled()
            assert embedder.texts == 200
            assert len(await again.ids("vehicle", SearchMode.SEMANTIC)) == 99

    world(program())


def test_an_index_found_damaged_by_a_search_is_made_again(tmp_path: Path) -> None:
    async def program() -> None:
        async with desk(tmp_path) as here:
            await here.write(*(document(f"d{number}", "violin") for number in range(9)))
            await here.indexer.settled()
            with (tmp_path / "vectors.f32").open("r+b") as file:
                file.write(b"\xff\xff\xff\x7f" * 9)
            with pytest.raises(Busy, match="being made again"):
                await here.ids("violin")
            await here.indexer.settled()
            assert len(await here.ids("violin")) == 9

    world(program())
