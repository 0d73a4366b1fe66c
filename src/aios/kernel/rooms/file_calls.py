"""The file family in the kernel: which handler answers, and that only the first process mounts."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aios.errors import Denied
from aios.journal.base import Journal, Work
from aios.kernel.dispatch import Handler, Kind, RoomHandler
from aios.kernel.environment import Environment
from aios.kernel.process import INIT, Process
from aios.kernel.rooms.beside import beside
from aios.kernel.rooms.passage import Passage
from aios.storage import Ground, Searcher, Storage
from aios.syscalls.file import Mount, Unmount

FIRST_ONLY: tuple[Kind, ...] = (Mount, Unmount)


def file_calls(storage: Storage) -> dict[Kind, RoomHandler]:
    """Handlers by syscall, for the kernel's rooms."""
    return dict(storage.handlers)


def first_only(handlers: Mapping[Kind, Handler]) -> dict[Kind, Handler]:
    """The same handlers, of which those that reach outside answer the first process alone.

    By its pid: an agent's name is what somebody called it.
    """
    return {
        kind: _first_only(handler) if kind in FIRST_ONLY else handler
        for kind, handler in handlers.items()
    }


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


def _first_only(handler: Handler) -> Handler:
    async def handle(process: Process, call: Any, work: Work) -> Any:
        if process.pid != INIT:
            raise Denied("only the first process mounts folders; ask it to")
        return await handler(process, call, work)

    return handle
