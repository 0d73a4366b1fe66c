"""The file family in the kernel: which handler answers, and its room as long as a kernel runs."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from aios.journal.base import Journal
from aios.kernel.dispatch import Kind, RoomHandler
from aios.kernel.environment import Environment
from aios.kernel.rooms.beside import beside
from aios.kernel.rooms.passage import Passage
from aios.storage import Ground, Searcher, Storage


def file_calls(storage: Storage) -> dict[Kind, RoomHandler]:
    """Handlers by syscall, for the kernel's rooms."""
    return dict(storage.handlers)


@asynccontextmanager
async def open_storage(
    journal: Journal,
    home: Path,
    searcher: Searcher,
    environment: Environment,
    passage: Passage,
) -> AsyncIterator[Storage]:
    """The storage room of a home, open and watching for changes made outside."""
    ground = Ground(
        folder=home / "files", home=home, clock=environment.clock, random=environment.random
    )
    storage = Storage(journal, searcher, ground)
    await storage.open()
    try:
        async with beside(storage.watch(passage.inside), "file watch"):
            yield storage
    finally:
        await storage.close()
