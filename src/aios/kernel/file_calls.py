"""The file family in the kernel: which handler answers, and its room as long as a kernel runs."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from aios.journal.base import Journal
from aios.kernel.dispatch import Kind, RoomHandler
from aios.kernel.environment import Environment
from aios.kernel.passage import Passage
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
    watching = asyncio.get_running_loop().create_task(
        storage.watch(passage.inside), name="file watch"
    )
    try:
        yield storage
    finally:
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching
        await storage.close()
