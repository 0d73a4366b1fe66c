"""What an innocent neighbour notices: its calls alone, and beside programs that take all they get.

A step of the neighbour is a sandboxed call and a few durable system calls. Stretches alone and
stretches beside hostile programs take turns, so that both see the same machine.
"""

import asyncio
import itertools
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from aios.bench.hostile.cases import Case, case
from aios.bench.hostile.scene import Scene
from aios.bench.hostile.trial import innocent
from aios.bench.stats import percentile
from aios.clock import WallClock
from aios.errors import AiosError
from aios.kernel.kernel import Kernel
from aios.sandbox.base import Job, Sandbox, Whose
from aios.syscalls import memory
from aios.testing.homes import kernel_in

GREEDY = (
    "cpu_spin", "fork_bomb", "memory_one", "disk_one", "stdout_flood", "cpu_spread", "inodes",
    "thread_bomb", "memory_many", "fork_tree",
)  # fmt: skip
AT_ONCE = 2  # hostile programs
SYSCALLS_EACH = 5  # system calls of a step
WARM_STEPS = 5
PAUSE_S = 0.05  # between two steps: as an agent at work, which is not a load test
INNOCENT, HOSTILE = "innocent", "hostile"  # agents


class Felt(msgspec.Struct, frozen=True, kw_only=True):
    """What the neighbour's calls took, in milliseconds, by kind; p99 is what is promised."""

    calls: int
    alone_p50: float
    alone_p99: float
    beside_p50: float
    beside_p99: float

    @property
    def ratio(self) -> float:
        return self.beside_p99 / self.alone_p99


class _Times:
    """Seconds of one kind of call, under both circumstances."""

    def __init__(self) -> None:
        self.alone: list[float] = []
        self.beside: list[float] = []

    def felt(self) -> Felt:
        alone, beside = ([1_000 * one for one in times] for times in (self.alone, self.beside))
        return Felt(
            calls=len(alone) + len(beside),
            alone_p50=percentile(alone, 50),
            alone_p99=percentile(alone, 99),
            beside_p50=percentile(beside, 50),
            beside_p99=percentile(beside, 99),
        )


async def neighbour(
    sandbox: Sandbox, scene: Scene, rounds: int, stretch_s: float
) -> dict[str, Felt]:
    """Its sandboxed calls and its system calls, over that many stretches of each kind."""
    times = {"sandboxed": _Times(), "syscall": _Times()}
    clock = WallClock()
    with TemporaryDirectory(prefix="aios-neighbour-") as name:
        async with kernel_in(Path(name) / "home") as kernel:
            life = _Life(sandbox, kernel, clock)
            for _ in range(WARM_STEPS):
                await life.step([], [])
            for _ in range(rounds):
                end = clock.now() + stretch_s
                while clock.now() < end:
                    await life.step(times["sandboxed"].alone, times["syscall"].alone)
                async with _crowd(sandbox, scene):
                    end = clock.now() + stretch_s
                    while clock.now() < end:
                        await life.step(times["sandboxed"].beside, times["syscall"].beside)
    return {kind: found.felt() for kind, found in times.items()}


class _Life:
    """The neighbour."""

    def __init__(self, sandbox: Sandbox, kernel: Kernel, clock: WallClock) -> None:
        self._sandbox = sandbox
        self._kernel = kernel
        self._clock = clock
        self._numbers = itertools.count()

    async def step(self, sandboxed: list[float], syscalls: list[float]) -> None:
        began = self._clock.now()
        await self._sandbox.run(_of(INNOCENT, innocent()))
        sandboxed.append(self._clock.now() - began)
        for _ in range(SYSCALLS_EACH):
            call = memory.Write(name="state", data=b"%d" % next(self._numbers))
            began = self._clock.now()
            await self._kernel.call(self._kernel.token, call)
            syscalls.append(self._clock.now() - began)
        await self._clock.sleep(PAUSE_S)


@asynccontextmanager
async def _crowd(sandbox: Sandbox, scene: Scene) -> AsyncIterator[None]:
    """Greedy programs, always so many at once, each beginning elsewhere in the list."""
    greedy = [case(name) for name in GREEDY]
    shares = [greedy[start::AT_ONCE] for start in range(AT_ONCE)]
    scene.renew()
    running = [asyncio.ensure_future(_again(sandbox, scene, share)) for share in shares]
    try:
        yield
    finally:
        for one in running:
            one.cancel()
        await asyncio.gather(*running, return_exceptions=True)


async def _again(sandbox: Sandbox, scene: Scene, greedy: Sequence[Case]) -> None:
    """At the neighbour's own pace: who may start how many jobs is not the sandbox's to say."""
    for one in itertools.cycle(greedy):
        # A tier may refuse one; the next is as bad.
        with suppress(AiosError):
            await sandbox.run(_of(HOSTILE, one.job(scene.aims(), None)))
        await WallClock().sleep(PAUSE_S)


def _of(agent: str, job: Job) -> Job:
    return msgspec.structs.replace(job, whose=Whose(agent))
