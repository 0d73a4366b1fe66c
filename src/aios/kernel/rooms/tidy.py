"""Removes what nothing leads to any more, while the kernel runs: messages, and then blobs.

Knows no room: it asks them what they need. Works seldom and a short time, and not at all where
nobody has called since.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Protocol

from aios.clock import Clock
from aios.errors import AiosError
from aios.journal.base import Journal
from aios.kernel.rooms.beside import beside
from aios.kernel.rooms.passage import Passage

REST_S = 20.0  # between two rounds, at least
RESTS = 50.0  # times as long as the last round took
WAIT_MAX_S = 600.0  # for a call that is under way; then the next round tries again


class Keeping(Protocol):
    """A room with contents beside the journal's rows."""

    async def blobs(self) -> set[str]: ...


class Collecting(Protocol):
    """A room whose rows are removed later than they are dropped."""

    async def collect(self) -> bool: ...


class Tidier:
    """One home's."""

    def __init__(
        self, journal: Journal, passage: Passage, collecting: Collecting, keeping: Sequence[Keeping]
    ) -> None:
        self._journal = journal
        self._passage = passage
        self._collecting = collecting
        self._keeping = keeping

    async def round(self) -> int:
        """Remove what is not needed now; how many blobs."""
        while await self._collecting.collect():
            continue
        return await self.sweep()

    async def sweep(self) -> int:
        """Remove blobs that no room needs."""
        return await self._journal.blobs.sweep(self._keep)

    async def run(self, clock: Clock) -> None:
        """A round now and then, until cancelled. What cannot be done now is tried again."""
        seen, rest = -1, 0.0
        while True:
            await clock.sleep(rest)
            began, rest = clock.now(), REST_S
            if self._passage.entered == seen:
                continue
            entered = self._passage.entered
            with suppress(AiosError, TimeoutError):
                await self.round()
                seen = entered
            rest = max(REST_S, RESTS * (clock.now() - began))

    async def _keep(self) -> set[str]:
        """What is needed now or by a call under way.

        A call that was inside when the sweep began may have put a blob that it has not committed:
        it is waited for before the rooms are asked. One that came in before the answer may have
        read of a blob that is dropped meanwhile, and even refer to it anew: it is waited for too,
        and the rooms are asked again. Whoever comes later cannot learn of an unneeded blob but by
        putting it, which spares it.
        """
        needed: set[str] = set()
        for _ in range(2):
            async with asyncio.timeout(WAIT_MAX_S):
                await self._passage.cleared()
            for room in self._keeping:
                needed |= await room.blobs()
        return needed


@asynccontextmanager
async def tidying(tidier: Tidier, clock: Clock) -> AsyncIterator[None]:
    """Blobs are swept before the first call, and now and then as long as the block lasts."""
    await tidier.sweep()
    async with beside(tidier.run(clock), "tidy"):
        yield
