"""Opens the rooms beside the cores, memory, storage and their indexes, over one home's journal.

A room and its index need each other: the room tells the index that something changed, the index
asks the room for documents. Here they meet.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from typing import Protocol

from aios.errors import WrongState
from aios.journal.base import Journal
from aios.kernel.dispatch import Kind, RoomHandler
from aios.kernel.environment import Environment
from aios.kernel.rooms.beside import beside
from aios.kernel.rooms.embedding import embedding_of
from aios.kernel.rooms.file_calls import file_calls, open_storage
from aios.kernel.rooms.memory_calls import memory_handlers
from aios.kernel.rooms.models import CallerModels
from aios.kernel.rooms.passage import Passage
from aios.kernel.rooms.tidy import Tidier, tidying
from aios.memory.assembler import Assembler
from aios.memory.blocks import BlockRoom
from aios.memory.cache import Cache
from aios.memory.eviction import Adaptive
from aios.memory.histories import HistoryRoom
from aios.memory.notes import NoteRoom
from aios.retrieval.base import Document, Embedder, Hit, Query
from aios.retrieval.beside import ChildWriter
from aios.retrieval.index import HybridIndex
from aios.retrieval.indexer import Indexer, Source
from aios.retrieval.worker import ThreadedIndex
from aios.syscalls.llm import Embed


class _Indexed(Protocol):
    """What an index asks of its room."""

    async def documents(self, ids: Sequence[str]) -> list[Document]: ...
    async def add_all(self) -> None: ...


class _Shelf:
    """One kind of document: the index that its room searches, and the room that fills the index."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._indexer: Indexer | None = None

    async def search(self, query: Query) -> list[Hit]:
        assert self._indexer is not None
        return await self._indexer.search(query)

    async def pending(self) -> int:
        assert self._indexer is not None
        return await self._indexer.pending()

    async def settled(self) -> None:
        assert self._indexer is not None
        await self._indexer.settled()

    def changed(self) -> None:
        if self._indexer is not None:  # Otherwise the row is found when the indexer starts.
            self._indexer.changed()

    @asynccontextmanager
    async def of(
        self, room: _Indexed, journal: Journal, folder: Path, given: Environment, embedder: Embedder
    ) -> AsyncIterator[None]:
        """Index what the room has, as long as the block lasts."""
        source = Source(kind=self.kind, load=room.documents, add_all=room.add_all)
        index = await asyncio.to_thread(_opened, folder, embedder)
        waited = ThreadedIndex(index)
        self._indexer = Indexer(journal, source, waited, given.clock)
        try:
            async with beside(self._indexer.run(), f"{self.kind}s"):
                yield
        finally:
            await waited.close()


def _opened(folder: Path, embedder: Embedder) -> HybridIndex:
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return HybridIndex(folder, embedder, ChildWriter)
    except OSError as problem:
        raise WrongState(
            f"{folder}: expected a folder to keep an index in: {problem.strerror}"
        ) from problem


class Rooms:
    """Handlers by syscall. `speak` gives the rooms the kernel's own voice, once there is one.

    `left` tells them that an agent's last process has ended.
    """

    def __init__(
        self,
        handlers: dict[Kind, RoomHandler],
        models: CallerModels,
        shelves: Sequence[_Shelf],
        blocks: BlockRoom,
    ) -> None:
        self.handlers = handlers
        self.speak = models.speak
        self.left = blocks.left
        self.memory = blocks
        self._shelves = shelves

    async def settled(self) -> None:
        """Wait until searches find all that there is now."""
        for shelf in self._shelves:
            await shelf.settled()


@asynccontextmanager
async def open_rooms(
    journal: Journal, home: Path, given: Environment, embedder: Embedder
) -> AsyncIterator[Rooms]:
    """The rooms of a home. Nothing of theirs is loaded but what an earlier kernel left undone."""
    models, notes_shelf, files_shelf = CallerModels(), _Shelf("note"), _Shelf("file")
    # Seeded once: an id need not be secret, and asking the system for every one of them takes long.
    ids = Random(given.random.getrandbits(256))
    notes = NoteRoom(journal, notes_shelf, given.clock, ids)
    histories = HistoryRoom(journal, Assembler(models, notes))
    blocks = BlockRoom(journal, Cache(Adaptive(), ram_bytes=given.limits.memory_bytes))
    index = home / "index"
    passage = Passage()
    async with (
        embedding_of(embedder) as embedding,
        open_storage(journal, home, files_shelf, given, passage) as storage,
        tidying(Tidier(journal, passage, histories, (blocks, histories, storage)), given.clock),
        notes_shelf.of(notes, journal, index / "notes", given, embedder),
        files_shelf.of(storage, journal, index / "files", given, embedder),
    ):
        handlers = memory_handlers(blocks, histories, notes) | file_calls(storage)
        handlers[Embed] = embedding.embed
        handlers = {kind: passage.through(handler) for kind, handler in handlers.items()}
        yield Rooms(handlers, models, (notes_shelf, files_shelf), blocks)
