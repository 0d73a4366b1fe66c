"""One real engine for many kernels, one after another: each believes that it has its own."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from itertools import count

from aios.bench.lent import Lent
from aios.context.snapshot import Tier
from aios.cores.base import Core, CoreEvent, Generation, Progress, Ready, Suspended


class ReusedCore(Lent):
    """Lent to one kernel after another and freed of what each left. `run` runs meanwhile."""

    def __init__(self, core: Core) -> None:
        super().__init__(core)
        self._started: set[str] = set()
        self._batches: asyncio.Queue[Sequence[CoreEvent] | None] = asyncio.Queue()
        self._barriers = map("barrier-{}".format, count(1))
        self._clean: dict[str, asyncio.Event] = {}

    async def run(self) -> None:
        """Hand on what the engine tells."""
        async for batch in self._core.events():
            for event in batch:
                if isinstance(event, Suspended) and event.id in self._clean:
                    self._clean[event.id].set()
            self._batches.put_nowait(batch)

    def start(self, generation: Generation, progress: Progress) -> None:
        self._started.add(generation.id)
        super().start(generation, progress)

    async def events(self) -> AsyncIterator[Sequence[CoreEvent]]:
        batches = self._batches
        yield [Ready()]
        while (batch := await batches.get()) is not None:
            yield batch

    async def close(self) -> None:
        """The kernel is gone, and whatever the engine did for it; the engine stays."""
        for generation in self._started:
            self._core.drop(generation, None)
        self._started.clear()
        barrier = next(self._barriers)
        clean = self._clean[barrier] = asyncio.Event()
        self._core.stop(barrier, Tier.RAM, None)  # Answered after all that was ordered before.
        await clean.wait()
        self._batches.put_nowait(None)
        self._batches = asyncio.Queue()
