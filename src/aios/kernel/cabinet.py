"""What agents keep in a home whose kernel is stopped: its rooms alone, without cores."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar, cast

from aios.errors import NotFound
from aios.journal import statements as sql
from aios.journal.base import Journal, Work
from aios.journal.journal import open_journal
from aios.kernel.environment import Environment
from aios.kernel.home import home
from aios.kernel.rooms.opening import Rooms, open_rooms
from aios.retrieval.base import Embedder
from aios.syscalls.base import Syscall
from aios.syscalls.codec import checked
from aios.syscalls.file import FileUsage, Folder, Quota

SETTLE_S = 10.0

R = TypeVar("R")


@dataclass(frozen=True, slots=True, kw_only=True)
class Owned:
    """What one agent has in memory."""

    agent: str
    blocks: int
    bytes: int  # of all blocks
    histories: int
    notes: int


class Cabinet:
    """Makes file and memory syscalls in an agent's name; whoever may read the disk may do that."""

    def __init__(self, journal: Journal, rooms: Rooms) -> None:
        self._journal = journal
        self._rooms = rooms

    async def call(self, agent: str, call: Syscall[R]) -> R:
        """The reply, or one error of `aios.errors`."""
        handler = self._rooms.handlers[type(call)]
        return cast(R, await handler(agent, checked(call), Work(self._journal)))

    async def settled(self) -> None:
        """Let the indexes see what they have not seen, for a while; searches tell what is left."""
        with suppress(TimeoutError):
            async with asyncio.timeout(SETTLE_S):
                await self._rooms.settled()

    async def files(self) -> list[tuple[str, Quota]]:
        """Agents that have or had files, and what these take."""
        names = [str(row[0]) for row in await self._journal.read(sql.FILE_AGENTS)]
        return [(name, await self.call(name, FileUsage())) for name in names]

    async def write_files(self) -> int:
        """See to it that agents' real files are there; of how many agents."""
        agents = await self.files()
        for agent, _ in agents:
            await self.call(agent, Folder(deep=True, limit=1))
        return len(agents)

    async def memory(self) -> list[Owned]:
        """Agents that have blocks, histories or notes, in order of name."""
        rows = await self._journal.read(sql.MEMORY_AGENTS)
        return [
            Owned(
                agent=str(agent),
                blocks=cast(int, blocks),
                bytes=cast(int, size),
                histories=cast(int, histories),
                notes=cast(int, notes),
            )
            for agent, blocks, size, histories, notes in rows
        ]


@asynccontextmanager
async def open_cabinet(path: Path, embedder: Embedder) -> AsyncIterator[Cabinet]:
    """The cabinet of a home. Raises `NotFound` for none, `Busy` where a kernel runs in it.

    By another embedder than the kernel's, every text in the home would have to be embedded anew.
    """
    if not (path / "journal").is_dir():
        raise NotFound(f"no home in {path}; expected a folder that a kernel was given as its state")
    with home(path) as folders:
        journal = await asyncio.to_thread(open_journal, folders.journal, is_durable=True)
        try:
            async with open_rooms(journal, path, Environment(), embedder) as rooms:
                yield Cabinet(journal, rooms)
        finally:
            await journal.close()
