"""A kernel with its rooms in a temporary home, and agents that work in it through syscalls only.

As the daemon has it, with a durable journal, but for the core, which has no model.
"""

import asyncio
import dataclasses
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from random import Random
from typing import TypeVar

from aios.bench.corpus import TextFile
from aios.bench.rig import scripted_core
from aios.clock import LoopClock
from aios.journal.journal import open_journal
from aios.kernel import Kernel
from aios.kernel.environment import Environment
from aios.kernel.rooms.file_calls import file_calls, open_storage
from aios.kernel.rooms.opening import open_rooms
from aios.kernel.rooms.passage import Passage
from aios.retrieval.base import Hit, Query
from aios.retrieval.ngrams import NgramEmbedder
from aios.scheduler import RoundRobin
from aios.sdk.client import Client
from aios.storage.paths import folder_of
from aios.syscalls.file import Create, Step

CLIENTS = 64  # calls of one agent that are under way at once
LOOKS_S = 0.02  # between two questions whether everything is indexed
NEVER = 1e12  # no file is that new, so that the question costs no search
T = TypeVar("T")


@dataclasses.dataclass(frozen=True, slots=True)
class Home:
    """A running kernel's first process, and where its agents' files lie."""

    folder: Path
    first: Client

    async def agent(self, name: str) -> Client:
        """A new agent."""
        return self.first.of(await self.first.spawn(name))

    def files_of(self, name: str) -> Path:
        """Where an agent's files are real files."""
        return self.folder / "files" / folder_of(name)


@asynccontextmanager
async def open_home(seed: int, *, is_indexed: bool = True) -> AsyncIterator[Home]:
    """A new home with all rooms; not indexed: with storage alone, and nobody who searches it."""
    given = Environment(random=Random(seed))
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        journal = await asyncio.to_thread(open_journal, folder / "journal")
        stack.push_async_callback(journal.close)
        if is_indexed:
            rooms = open_rooms(journal, folder, given, NgramEmbedder())
            handlers = (await stack.enter_async_context(rooms)).handlers
        else:
            storage = open_storage(journal, folder, _NoIndex(), given, Passage())
            handlers = file_calls(await stack.enter_async_context(storage))
        environment = dataclasses.replace(given, journal=journal)
        kernel = Kernel([scripted_core(seed)], RoundRobin, rooms=handlers, environment=environment)
        await stack.enter_async_context(kernel)
        yield Home(folder, Client(kernel, kernel.token))


async def create_all(agent: Client, files: Iterable[TextFile]) -> None:
    """Have an agent create files, many at once."""

    async def create(file: TextFile) -> None:
        await agent.files.create(file.path, file.text)

    await at_once(files, create)


async def fall_behind(agent: Client, files: Iterable[TextFile]) -> None:
    """Have an agent create up to 1,000 files in one transaction: all of them wait to be indexed."""
    steps: list[Step] = [Create(path=one.path, data=one.text.encode()) for one in files]
    await agent.files.transaction(steps)


async def at_once(items: Iterable[T], work: Callable[[T], Awaitable[None]]) -> None:
    """Work on the items in their order, `CLIENTS` of them at a time."""
    ahead = iter(items)

    async def client() -> None:
        for item in ahead:
            await work(item)

    async with asyncio.TaskGroup() as group:
        for _ in range(CLIENTS):
            group.create_task(client())


async def pending(agent: Client) -> int:
    """Files that no search finds yet."""
    return (await agent.files.search("anything", since=NEVER)).pending


async def files_settled(agent: Client) -> None:
    """Wait until every file can be found."""
    while await pending(agent):
        await LoopClock().sleep(LOOKS_S)


async def notes_settled(agent: Client) -> None:
    """Wait until every note can be found."""
    while (await agent.notes.search("anything", since=NEVER)).pending:
        await LoopClock().sleep(LOOKS_S)


class _NoIndex:
    """What storage has for an index where nobody searches."""

    async def search(self, query: Query) -> list[Hit]:
        return []

    async def pending(self) -> int:
        return 0

    def changed(self) -> None:
        pass
