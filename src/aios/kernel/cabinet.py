"""The files of a home whose kernel is stopped: the room alone, without cores and processes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import SystemRandom
from typing import TypeVar, cast

from aios.clock import LoopClock
from aios.errors import NotFound
from aios.journal import statements as sql
from aios.journal.base import Journal, Work
from aios.journal.journal import open_journal
from aios.kernel.home import home
from aios.storage import Ground, Storage
from aios.storage.scan import Scan
from aios.syscalls.base import Syscall
from aios.syscalls.codec import checked
from aios.syscalls.file import FileUsage, Quota

R = TypeVar("R")


class Cabinet:
    """Makes file syscalls in an agent's name; whoever may read the disk may do that."""

    def __init__(self, journal: Journal, storage: Storage) -> None:
        self._journal = journal
        self._storage = storage

    async def call(self, agent: str, call: Syscall[R]) -> R:
        """The reply, or one error of `aios.errors`."""
        handler = self._storage.handlers[type(call)]
        return cast(R, await handler(agent, checked(call), Work(self._journal)))

    async def agents(self) -> list[tuple[str, Quota]]:
        """Agents that have or had files, and what these take."""
        names = [str(row[0]) for row in await self._journal.read(sql.FILE_AGENTS)]
        return [(name, await self.call(name, FileUsage())) for name in names]


@asynccontextmanager
async def open_cabinet(path: Path) -> AsyncIterator[Cabinet]:
    """The cabinet of a home. Raises `NotFound` for none, `Busy` where a kernel runs in it."""
    if not (path / "journal").is_dir():
        raise NotFound(f"no home in {path}; expected a folder that a kernel was given as its state")
    with home(path) as folders:
        journal = await asyncio.to_thread(open_journal, folders.journal, is_durable=True)
        try:
            ground = Ground(
                folder=path / "files", home=path, clock=LoopClock(), random=SystemRandom()
            )
            storage = Storage(journal, Scan(journal), ground)
            await storage.open()
            try:
                yield Cabinet(journal, storage)
            finally:
                await storage.close()
        finally:
            await journal.close()
