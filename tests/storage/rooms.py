"""A storage room for tests: a journal in memory, a real folder, no threads, a clock set by hand."""

from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import TypeVar

from aios.journal.base import Journal, Work
from aios.retrieval.base import Hit, Query
from aios.storage import FileLimits, Ground, Storage
from aios.storage.disk import Disk, RealDisk
from aios.syscalls.base import Syscall
from aios.testing.journal import InlineJournal

R = TypeVar("R")
T = TypeVar("T")


class Inline:
    """Disk work in the loop itself: tests have no threads."""

    async def do(self, work: Callable[[], T]) -> T:
        return work()

    def close(self) -> None:
        pass


class HandClock:
    """Time that moves when told."""

    def __init__(self) -> None:
        self.time = 1_000_000.0

    def now(self) -> float:
        return self.time

    def utc(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.time += seconds


class WordSearcher:
    """Finds the documents that hold the query's text; what it knows is put in by hand."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}
        self.queries: list[Query] = []

    async def search(self, query: Query) -> list[Hit]:
        self.queries.append(query)
        found = [id for id, text in sorted(self.texts.items()) if query.text in text]
        if query.only is not None:
            found = [id for id in found if id in query.only]
        return [Hit(id, 1.0 / rank, rank, None) for rank, id in enumerate(found[: query.limit], 1)]

    async def pending(self) -> int:
        return 0

    def changed(self) -> None:
        """What it knows is put in by hand."""


class Desk:
    """A room, and what a test needs around it."""

    def __init__(
        self,
        folder: Path,
        journal: Journal | None = None,
        *,
        limits: FileLimits | None = None,
        disk: Disk | None = None,
        clock: HandClock | None = None,
        seed: int = 0,
    ) -> None:
        self.folder = folder / "files"
        self.journal = journal or InlineJournal()
        self.clock = clock or HandClock()
        self.searcher = WordSearcher()
        self.storage = Storage(
            self.journal,
            self.searcher,
            Ground(
                folder=self.folder,
                clock=self.clock,
                random=Random(seed),
                limits=limits or FileLimits(),
                disk=disk or RealDisk(),
                beside=Inline,
            ),
        )

    async def call(self, call: Syscall[R], agent: str = "ada") -> R:
        """As the kernel would: one call, its reply."""
        self.clock.time += 1.0
        work = Work(self.journal)
        reply: R = await self.storage.handlers[type(call)](agent, call, work)
        return reply

    def real(self, path: str, agent: str = "ada") -> Path:
        """The real file behind a path."""
        return self.folder / agent / path
