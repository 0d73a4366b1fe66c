"""A core that outlives who uses it, so that one engine serves run after run."""

import asyncio
from collections.abc import AsyncIterator, Sequence

from aios.context.snapshot import SnapshotRef, Tier
from aios.cores.base import Core, CoreEvent, Generation, Progress, Traits
from aios.syscalls.llm import Generate, Tokenize


class Lent:
    """Implements `Core` for one user: `close` ends the user's events and leaves the core be."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._reader: asyncio.Task[object] | None = None
        self._is_closed = False

    @property
    def traits(self) -> Traits:
        return self._core.traits

    async def prepare(self, call: Generate | Tokenize) -> tuple[int, ...]:
        return await self._core.prepare(call)

    async def embed(self, text: str) -> tuple[float, ...]:
        return await self._core.embed(text)

    def start(self, generation: Generation, progress: Progress) -> None:
        self._core.start(generation, progress)

    def stop(self, generation_id: str, to: Tier, snapshot: SnapshotRef | None) -> None:
        self._core.stop(generation_id, to, snapshot)

    def drop(self, generation_id: str, snapshot: SnapshotRef | None) -> None:
        self._core.drop(generation_id, snapshot)

    async def events(self) -> AsyncIterator[Sequence[CoreEvent]]:
        """The core's events, until `close`."""
        self._reader = reader = asyncio.current_task()
        assert reader is not None, "events are read by a task"
        try:
            async for batch in self._core.events():
                yield batch
        except asyncio.CancelledError:
            if not self._is_closed:
                raise
            reader.uncancel()  # It was `close` that woke it, and the events just end.

    async def close(self) -> None:
        """Nobody listens any more; what runs on the core is nobody's."""
        self._is_closed = True
        if self._reader is not None:
            self._reader.cancel()
