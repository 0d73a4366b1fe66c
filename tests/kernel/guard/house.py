"""A real kernel with every room, a clock that tests move, and any policy."""

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from aios.clock import LoopClock
from aios.config import Limits
from aios.journal.journal import open_journal
from aios.kernel.environment import Environment
from aios.kernel.guard.parts import Fence
from aios.kernel.kernel import Kernel
from aios.kernel.rooms.opening import open_rooms
from aios.kernel.tools.servers import ToolServers
from aios.retrieval.ngrams import NgramEmbedder
from aios.scheduler import make
from aios.syscalls import Spawn, Spawned, Syscall
from aios.testing.homes import scripted

NOBODY = Limits(approval_s=0.0)  # sits here to be asked


class MovedClock(LoopClock):
    """The machine's own, and later."""

    later_s = 0.0

    def utc(self) -> float:
        return super().utc() + self.later_s


@dataclass(frozen=True, kw_only=True)
class House:
    """What a test may look at."""

    kernel: Kernel
    clock: MovedClock

    async def first(self, call: Syscall[Any]) -> Any:
        """As the first process."""
        return await self.kernel.call(self.kernel.token, call)

    async def spawn(self, name: str, **options: Any) -> Spawned:
        spawned: Spawned = await self.first(Spawn(name=name, **options))
        return spawned


@asynccontextmanager
async def house(
    folder: Path,
    fence: Fence | None = None,
    tools: ToolServers | None = None,
    limits: Limits = NOBODY,
) -> AsyncIterator[House]:
    """An open kernel in a home that is not durable: nothing waits for a disk."""
    journal = open_journal(folder / "journal", is_durable=False)
    clock = MovedClock()
    given = Environment(clock=clock, random=random.Random(1), limits=limits)
    try:
        async with open_rooms(journal, folder, given, NgramEmbedder()) as rooms:
            kernel = Kernel(
                [scripted()],
                lambda: make("rr"),
                rooms=rooms.handlers,
                environment=replace(given, journal=journal),
                fence=fence,
                tools=tools,
            )
            async with kernel:
                yield House(kernel=kernel, clock=clock)
    finally:
        await journal.close()
