"""The file family in the kernel: which handler answers, and that only the first process mounts."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from aios.errors import Denied
from aios.journal.base import Journal, Work
from aios.kernel.dispatch import Kind, RoomHandler
from aios.kernel.environment import Environment
from aios.kernel.passage import Passage
from aios.kernel.process import FIRST_AGENT
from aios.storage import Ground, Searcher, Storage
from aios.syscalls.file import Mount, Unmount

FIRST_ONLY: tuple[Kind, ...] = (Mount, Unmount)


def file_calls(storage: Storage) -> dict[Kind, RoomHandler]:
    """Handlers by syscall, for the kernel's rooms."""
    handlers: Mapping[type, RoomHandler] = storage.handlers
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


def _first_only(handler: RoomHandler) -> RoomHandler:
    async def handle(agent: str, call: Any, work: Work) -> Any:
        if agent != FIRST_AGENT:
            raise Denied("only the first process mounts folders; ask it to")
        return await handler(agent, call, work)

    return handle
