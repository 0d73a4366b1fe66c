"""The torch engine in its own process keeps the contract, with weights that are its own.

Loading takes seconds, so all scenarios share two engines over the same tiers, and each that opens
a core borrows the next one. What opening and closing do is tested with the scripted engine.
"""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest

from aios.context.snapshot import SnapshotRef, Tier
from aios.cores.base import Core, CoreEvent, Generation, Progress, Ready, Suspended, Traits
from aios.cores.frames import EngineSpec
from aios.cores.process import Patience, ProcessCore
from aios.models.pocket import PATH
from aios.syscalls.llm import Generate, Tokenize
from tests.cores.core_contract import CoreContract

LAST = "the order behind all others of a borrower"


class Borrowed:
    """A core that outlives its borrower: what it was given is dropped where it would be closed."""

    def __init__(self, core: ProcessCore, batches: AsyncIterator[Sequence[CoreEvent]]) -> None:
        self.core = core
        self._batches = batches
        self._names: dict[str, SnapshotRef | None] = {}
        self._is_closed = False

    @property
    def traits(self) -> Traits:
        return self.core.traits

    async def prepare(self, call: Generate | Tokenize) -> tuple[int, ...]:
        return await self.core.prepare(call)

    async def embed(self, text: str) -> tuple[float, ...]:
        return await self.core.embed(text)

    def start(self, generation: Generation, progress: Progress) -> None:
        self._names[generation.id] = progress.snapshot
        self.core.start(generation, progress)

    def stop(self, generation_id: str, to: Tier, snapshot: SnapshotRef | None) -> None:
        self.core.stop(generation_id, to, snapshot)

    def drop(self, generation_id: str, snapshot: SnapshotRef | None) -> None:
        self.core.drop(generation_id, snapshot)

    async def events(self) -> AsyncIterator[Sequence[CoreEvent]]:
        yield [Ready()]
        while not self._is_closed:
            yield await anext(self._batches)

    async def close(self) -> None:
        """Drop what the core computes; as with any core, snapshots stay."""
        self._is_closed = True
        for name in self._names:
            self.core.stop(name, Tier.DEVICE, None)
        self.core.stop(LAST, Tier.DEVICE, None)
        while not any(isinstance(one, Suspended) and one.id == LAST for one in await self._next()):
            pass

    async def _next(self) -> Sequence[CoreEvent]:
        return await anext(self._batches)


class Lender:
    """Two engines over the same tiers, lent in turn."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.runner = asyncio.Runner()
        self._cores = [self.runner.run(self._launch(owner)) for owner in ("one", "two")]
        self._turn = cycle([(core, core.events()) for core in self._cores])
        self.runner.run(self._greet())
        self._lent: list[Borrowed] = []

    async def lend(self) -> Borrowed:
        borrowed = Borrowed(*next(self._turn))
        self._lent.append(borrowed)
        return borrowed

    async def clear(self) -> None:
        """Nothing of one scenario is left for the next."""
        for borrowed in self._lent:
            for name in borrowed._names:
                borrowed.core.drop(name, None)
        await asyncio.gather(*(borrowed.close() for borrowed in self._lent[-2:]))
        self._lent.clear()

    def close(self) -> None:
        for core in self._cores:
            self.runner.run(core.close())
        self.runner.close()

    async def _launch(self, owner: str) -> ProcessCore:
        spec = EngineSpec(
            factory="aios.cores.torch.engine:Engine",
            settings={"model": str(PATH), "kv_bytes": 64 << 20, "lanes": 8},
            ram=str(self.root / "ram"),
            disk=str(self.root / "disk"),
            ram_bytes=1 << 26,
            disk_bytes=1 << 26,
            owner=owner,
        )
        return await ProcessCore.launch(spec, Patience(backoff_s=0.001, restarts_max=100))

    async def _greet(self) -> None:
        for _ in self._cores:
            assert await anext(next(self._turn)[1]) == (Ready(),)


@pytest.fixture(scope="class")
def lender(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lender]:
    lender = Lender(tmp_path_factory.mktemp("tiers"))
    yield lender
    lender.close()


@pytest.mark.timeout(300)
class TestTorchCore(CoreContract):
    @pytest.fixture(autouse=True)
    def borrow(self, lender: Lender) -> None:
        self.lender = lender

    def run(self, scenario: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self.lender.runner.run(self._cleared(scenario))

    async def _cleared(self, scenario: Callable[[], Coroutine[Any, Any, None]]) -> None:
        try:
            await scenario()
        finally:
            await self.lender.clear()

    async def open_core(self) -> Core:
        return await self.lender.lend()

    def crash(self, core: Core) -> None:
        assert isinstance(core, Borrowed)
        os.kill(core.core.pid, signal.SIGKILL)

    def snapshots(self) -> int:
        return len(list(self.lender.root.rglob("*.snap")))
