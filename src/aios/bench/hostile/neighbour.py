"""What an innocent neighbour notices: its calls alone, and beside programs that take all they get.

A step of the neighbour is a sandboxed call and a few durable system calls. Stretches alone and
stretches beside hostile programs take turns, so that both see the same machine; what counts is the
median of the rounds, so that one round in which the machine was busy elsewhere decides nothing.
"""

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from statistics import median
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
PAUSE_S = 0.03  # between two steps: as an agent at work, which is not a load test
INNOCENT, HOSTILE = "innocent", "hostile"  # agents


class Felt(msgspec.Struct, frozen=True, kw_only=True):
    """What the neighbour's calls took, in milliseconds, by kind: medians over the rounds.

    p99 is what is promised; `ratio_of_all` is the p99 of all calls beside, of all alone.
    """

    calls_alone: int
    calls_beside: int
    alone_p50: float
    alone_p95: float
    alone_p99: float
    beside_p50: float
    beside_p95: float
    beside_p99: float
    ratio_of_all: float

    @property
    def ratio(self) -> float:
        return self.beside_p99 / self.alone_p99

    @property
    def ratio_p95(self) -> float:
        return self.beside_p95 / self.alone_p95


class _Times:
    """Seconds of one kind of call, under both circumstances, round by round."""

    def __init__(self) -> None:
        self.alone: list[list[float]] = []
        self.beside: list[list[float]] = []

    def felt(self) -> Felt:
        alone, beside = ([one for times in rounds for one in times] for rounds in self._both())
        figures = {
            f"{where}_p{percent}": 1_000 * median(percentile(one, percent) for one in rounds)
            for where, rounds in zip(("alone", "beside"), self._both(), strict=True)
            for percent in (50, 95, 99)
        }
        ratio = percentile(beside, 99) / percentile(alone, 99)
        return Felt(calls_alone=len(alone), calls_beside=len(beside), ratio_of_all=ratio, **figures)

    def _both(self) -> tuple[list[list[float]], list[list[float]]]:
        return self.alone, self.beside


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
            crowd = _greedy()
            for _ in range(rounds):
                both = await life.stretch(stretch_s)
                for kind, found in both.items():
                    times[kind].alone.append(found)
                async with _crowd(sandbox, scene, crowd):
                    both = await life.stretch(stretch_s)
                for kind, found in both.items():
                    times[kind].beside.append(found)
    return {kind: found.felt() for kind, found in times.items()}


class _Life:
    """The neighbour."""

    def __init__(self, sandbox: Sandbox, kernel: Kernel, clock: WallClock) -> None:
        self._sandbox = sandbox
        self._kernel = kernel
        self._clock = clock
        self._numbers = itertools.count()

    async def stretch(self, length_s: float) -> dict[str, list[float]]:
        """What its calls took, by kind, in so many seconds."""
        sandboxed: list[float] = []
        syscalls: list[float] = []
        end = self._clock.now() + length_s
        while not sandboxed or self._clock.now() < end:
            await self.step(sandboxed, syscalls)
        return {"sandboxed": sandboxed, "syscall": syscalls}

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


def _greedy() -> Sequence[Iterator[Case]]:
    """Programs without end for each of so many at once; the next round goes on where one ended."""
    greedy = [case(name) for name in GREEDY]
    return [itertools.cycle(greedy[start::AT_ONCE]) for start in range(AT_ONCE)]


@asynccontextmanager
async def _crowd(
    sandbox: Sandbox, scene: Scene, crowd: Sequence[Iterator[Case]]
) -> AsyncIterator[None]:
    """Greedy programs, always so many at once."""
    scene.renew()
    running = [asyncio.ensure_future(_again(sandbox, scene, share)) for share in crowd]
    try:
        yield
    finally:
        for one in running:
            one.cancel()
        await asyncio.gather(*running, return_exceptions=True)


async def _again(sandbox: Sandbox, scene: Scene, greedy: Iterator[Case]) -> None:
    """At the neighbour's own pace: who may start how many jobs is not the sandbox's to say."""
    for one in greedy:
        # A tier may refuse one; the next is as bad.
        with suppress(AiosError):
            await sandbox.run(_of(HOSTILE, one.job(scene.aims(), None)))
        await WallClock().sleep(PAUSE_S)


def _of(agent: str, job: Job) -> Job:
    return msgspec.structs.replace(job, whose=Whose(agent))
