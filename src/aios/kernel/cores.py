"""The kernel's run loops, one a core: made, run and taken down while the kernel lives."""

import asyncio
from collections.abc import Callable
from itertools import count

from aios.cores.base import Core
from aios.kernel.environment import Environment
from aios.kernel.runloop import Ended, RunLoop
from aios.scheduler.base import Policy
from aios.telemetry.bus import Bus


class Cores:
    """`loops` is one list for the kernel's whole life: who has it sees what comes and goes."""

    def __init__(
        self, policy: Callable[[], Policy], ended: Ended, bus: Bus, environment: Environment
    ) -> None:
        self.loops: list[RunLoop] = []
        self._policy = policy
        self._ended = ended
        self._bus = bus
        self._environment = environment
        self._numbers = count()
        self._group: asyncio.TaskGroup | None = None

    def add(self, core: Core) -> RunLoop:
        """A loop for it, which runs as soon as the kernel is open."""
        loop = RunLoop(
            core,
            self._policy(),
            self._environment.clock,
            self._bus,
            number=next(self._numbers),
            crashes_max=self._environment.limits.engine_crashes_max,
        )
        loop.ended = self._ended
        self.loops.append(loop)
        self._run(loop)
        return loop

    def schedule(self, policy: Callable[[], Policy]) -> None:
        """Another policy on every core there is, and on those that come."""
        made = [policy() for _ in self.loops]
        self._policy = policy
        for loop, one in zip(self.loops, made, strict=True):
            loop.replace(one)

    def open(self, group: asyncio.TaskGroup) -> None:
        """Run all there are, in that group."""
        self._group = group
        for loop in self.loops:
            self._run(loop)

    async def remove(self, loop: RunLoop) -> None:
        """End a loop and its core, also where whoever asked for it goes away meanwhile."""
        assert self._group is not None
        assert not loop.live, "a loop that is removed has answered everything"
        self.loops.remove(loop)
        await asyncio.shield(self._group.create_task(loop.core.close()))

    def _run(self, loop: RunLoop) -> None:
        if self._group is not None:
            name = f"run loop {loop.number} of {loop.core.traits.model}"
            self._group.create_task(loop.run(), name=name)
