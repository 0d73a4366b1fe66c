"""The torch engine in its own process: killed without warning, its successor goes on exactly."""

import asyncio
import os
import signal
from pathlib import Path

import pytest

from aios.context.snapshot import SnapshotRef, Tier
from aios.cores.base import Advanced, CoreEvent, Died, Finished, Progress, Ready, Suspended
from aios.cores.frames import EngineSpec
from aios.cores.process import ProcessCore
from aios.syscalls.llm import Generate
from tests.cores.torch.desk import Desk, generation, prompt, settings, store
from tests.cores.torch.small_models import folder

ONE = generation("g", prompt(3, 90), temperature=1.0, n=2, logprobs=1, max_tokens=400)
LIMIT_S = 280.0  # two engines load their libraries meanwhile


class Listener:
    """Keeps what a core tells of one generation."""

    def __init__(self, core: ProcessCore) -> None:
        self._core = core
        self.produced: list[list[int]] = [[], []]
        self.snapshot: SnapshotRef | None = None
        self.finished: Finished | None = None

    async def until(self, kind: type[CoreEvent], tokens: int = 0) -> None:
        """An event of that kind, and so many tokens of the first branch."""
        async for batch in self._core.events():
            for event in batch:
                self._hear(event)
            if any(isinstance(event, kind) for event in batch) and self.gained >= tokens:
                return

    @property
    def gained(self) -> int:
        return len(self.produced[0])

    def progress(self) -> Progress:
        return Progress(snapshot=self.snapshot, produced=tuple(map(tuple, self.produced)))

    def _hear(self, event: CoreEvent) -> None:
        if isinstance(event, Advanced):
            for delta in event.deltas:
                self.produced[delta.index] += delta.token_ids
        elif isinstance(event, Suspended):
            self.snapshot = event.snapshot
        elif isinstance(event, Finished):
            self.finished = event


async def killed_and_resumed(spec: EngineSpec) -> tuple[Listener, tuple[int, ...]]:
    core = await ProcessCore.launch(spec)
    try:
        listener = Listener(core)
        ids = await core.prepare(Generate(prompt="The fox"))
        core.start(ONE, Progress())
        await listener.until(Advanced, tokens=20)
        core.stop(ONE.id, Tier.RAM, None)
        await listener.until(Suspended)
        core.start(ONE, listener.progress())
        await listener.until(Advanced, tokens=listener.gained + 10)
        os.kill(core.pid, signal.SIGKILL)
        await listener.until(Died)
        await listener.until(Ready)
        core.start(ONE, listener.progress())
        await listener.until(Finished)
    finally:
        await core.close()
    return listener, ids


@pytest.mark.timeout(300)
def test_an_engine_that_is_killed_is_replaced_by_one_that_goes_on_exactly(tmp_path: Path) -> None:
    desk = Desk(settings(folder()), store(tmp_path, "here"))
    desk.start(ONE)
    desk.run()
    spec = EngineSpec(
        factory="aios.cores.torch.engine:Engine",
        settings={"model": folder(), "kv_bytes": 8 << 20},
        ram=str(tmp_path / "ram"),
        disk=str(tmp_path / "disk"),
        ram_bytes=1 << 26,
        disk_bytes=1 << 26,
        owner="there",
    )

    listener, ids = asyncio.run(asyncio.wait_for(killed_and_resumed(spec), LIMIT_S))

    assert ids == desk.engine.prepare(Generate(prompt="The fox"))
    assert listener.finished is not None
    assert listener.finished.recomputed == ""
    assert listener.finished.choices == desk.finished("g").choices
    assert [tuple(one) for one in listener.produced] == [
        choice.token_ids for choice in desk.finished("g").choices
    ]
