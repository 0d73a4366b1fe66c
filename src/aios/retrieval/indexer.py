"""Brings what rooms wrote into an index, later: a write never waits for it. Knows no room.

In the commit that changes a thing, its room adds a row (kind, id) to the journal's outbox, and then
calls `changed`. Here rows are taken in their order and in batches: the room loads the documents,
the index takes them, and only then the rows are deleted. So whatever breaks in between is done
again, and doing it twice changes nothing.

What cannot be done now is tried again later: a full disk, an embedder that fails (words are found
meanwhile). An index that is damaged is begun anew, and its room asked to add rows for all it has.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial

from aios.clock import Clock
from aios.errors import AiosError, Busy, Damaged
from aios.journal import statements
from aios.journal.base import Change, Journal
from aios.retrieval.base import Document, Hit, Query
from aios.retrieval.worker import WaitedIndex

BATCH = 128
RETRY_S = 5.0

Load = Callable[[Sequence[str]], Awaitable[Sequence[Document]]]
"""Documents of those ids that the room (still) has."""

AddAll = Callable[[], Awaitable[None]]
"""Add an outbox row for everything that the room has, durably."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A room's side of an index: its kind in the outbox, and what it can be asked for."""

    kind: str
    load: Load
    add_all: AddAll


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """How far an index is: empty texts where nothing is wrong."""

    documents: int
    pending: int
    fault: str  # why indexing stands still
    embedder: str
    embedder_fault: str  # why new documents are found by words only
    vector_search: str


class Indexer:
    """One index and the outbox rows of one kind. `run` is a task of whoever owns it."""

    def __init__(self, journal: Journal, source: Source, waited: WaitedIndex, clock: Clock) -> None:
        self._journal = journal
        self._source = source
        self._waited = waited
        self._index = waited.index
        self._clock = clock
        self._wake = asyncio.Event()
        self._is_idle = asyncio.Event()
        self._lacks_vectors = True  # as far as is known
        self._is_damaged = False
        self._fault = ""

    def changed(self) -> None:
        """There are new rows in the outbox."""
        self._is_idle.clear()
        self._wake.set()

    async def search(self, query: Query) -> list[Hit]:
        """Best first. Raises `Busy` where the index was found damaged and is being made again."""
        try:
            return await self._waited.search(query)
        except Damaged as error:
            self._is_damaged = True
            self.changed()
            raise Busy(f"{error}; it is being made again", retry_after_s=RETRY_S) from error

    async def pending(self) -> int:
        """Changes that the index has not seen."""
        rows = await self._journal.read(statements.OUTBOX_COUNT, self._source.kind)
        return int(rows[0][0] or 0)

    async def settled(self) -> None:
        """Wait until the index has seen every change that there is now."""
        self.changed()
        await self._is_idle.wait()

    async def status(self) -> Status:
        return Status(
            documents=self._index.count,
            pending=await self.pending(),
            fault=self._fault,
            embedder=self._index.embedder_name,
            embedder_fault=self._index.embedder_fault,
            vector_search=self._index.vector_search,
        )

    async def run(self) -> None:
        """Index until cancelled."""
        while True:
            self._wake.clear()
            try:
                has_worked = await self._step()
                self._fault = ""
            except Exception as error:  # Whatever it is, searching goes on without what is new.
                self._is_damaged |= isinstance(error, Damaged)
                self._fault = _told(error)
                await self._clock.sleep(RETRY_S)
                continue
            if not has_worked:
                self._is_idle.set()
                await self._woken()

    async def _step(self) -> bool:
        """The most urgent piece of work; False where there is none."""
        if self._is_damaged:
            await self._waited.write(self._index.begin_anew)
            self._is_damaged = False
        if not self._index.is_whole:
            await self._source.add_all()
            await self._waited.write(self._index.now_whole)
        if await self._rows() or await self._vectors():
            return True
        return await self._waited.write(self._index.tend)

    async def _rows(self) -> bool:
        rows = await self._journal.read(statements.OUTBOX_OLDEST, self._source.kind, BATCH)
        if not rows:
            return False
        await self._take([str(id) for _, id in rows])
        await self._journal.post([Change(statements.OUTBOX_DONE, (place,)) for place, _ in rows])
        return True

    async def _vectors(self) -> bool:
        """Try documents again that the embedder could not embed."""
        if not self._lacks_vectors:
            return False
        ids = await self._waited.write(partial(self._index.without_vector, BATCH))
        if ids:
            await self._take(ids)
        self._lacks_vectors = bool(ids)
        return self._lacks_vectors and not self._index.embedder_fault

    async def _take(self, ids: Sequence[str]) -> None:
        """Let the index have those things as they are now."""
        documents = await self._source.load(ids)
        gone = set(ids) - {document.id for document in documents}
        if gone:
            await self._waited.write(partial(self._index.remove, sorted(gone)))
        if documents:
            await self._waited.write(partial(self._index.put, documents))
        self._lacks_vectors |= bool(self._index.embedder_fault)

    async def _woken(self) -> None:
        """Wait for a change, or for the time to try an embedder again."""
        if not self._lacks_vectors:
            await self._wake.wait()
            return
        try:
            async with asyncio.timeout(RETRY_S):
                await self._wake.wait()
        except TimeoutError:
            pass


def _told(error: Exception) -> str:
    return error.message if isinstance(error, AiosError) else f"{type(error).__name__}: {error}"
