"""A server over a scripted core with the real rooms of a home, for commands that look inside."""

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

from aios.clock import LoopClock
from aios.journal.journal import open_journal
from aios.kernel import Kernel
from aios.kernel.environment import Environment
from aios.kernel.guard.parts import Fence
from aios.kernel.rooms.opening import open_rooms
from aios.retrieval.ngrams import NgramEmbedder
from aios.scheduler import make
from aios.sdk import Client
from aios.server.app import application
from aios.server.listener import bound, listening
from aios.server.settings import Settings
from aios.syscalls.base import Syscall
from aios.testing.cores import ScriptedCore
from aios.testing.script import Script
from aios.testing.store import ScriptedStore

R = TypeVar("R")


@dataclass(frozen=True, kw_only=True)
class Served:
    """Speaks in the name of any agent; `tokens` are those of the agents that it opened."""

    kernel: Kernel
    url: str
    first: str  # the first process's token
    tokens: dict[str, str] = field(default_factory=dict)

    async def call(self, agent: str, call: Syscall[R]) -> R:
        parent, _, name = agent.rpartition("/")
        if agent not in self.tokens:
            by = Client(self.kernel, self.tokens[parent] if parent else self.first)
            self.tokens[agent] = (await by.spawn(name)).token
        return await self.kernel.call(self.tokens[agent], call)

    def names(self) -> list[str]:
        return [one.name for one in self.kernel.table.all(ended=False)]


@asynccontextmanager
async def served(home: Path, fence: Fence | None = None) -> AsyncIterator[Served]:
    journal = open_journal(home / "journal", is_durable=False)
    given = Environment(random=random.Random(1))
    core = ScriptedCore(
        Script(step_s=0.0), clock=LoopClock(), rng=random.Random(1), store=ScriptedStore()
    )
    place = bound("127.0.0.1", 0)
    url = f"http://127.0.0.1:{place.getsockname()[1]}"
    try:
        async with open_rooms(journal, home, given, NgramEmbedder()) as rooms:
            environment = replace(given, journal=journal)
            async with Kernel(
                [core],
                lambda: make("rr"),
                rooms=rooms.handlers,
                memory=rooms.memory,
                environment=environment,
                fence=fence,
            ) as kernel:
                app = await application(kernel, Settings())
                async with listening(app, place, Settings()):
                    yield Served(kernel=kernel, url=url, first=kernel.token)
    finally:
        await journal.close()
