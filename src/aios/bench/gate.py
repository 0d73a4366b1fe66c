"""What the guard costs a call beside the rest of the gate: capability, labels, budget, all quiet.

A call about the caller's own thing and one about another agent's, by a capability, each with a flow
and a ledger that are there and have nothing against it.
"""

from random import Random
from statistics import median
from typing import Any

from aios.access.policy import PERSONAL
from aios.bench.rig import scripted_core
from aios.clock import Clock, WallClock
from aios.journal.base import Work
from aios.kernel import Kernel
from aios.kernel.guard.accounts import Accounts
from aios.kernel.guard.flow_calls import Labels
from aios.kernel.guard.guard import Guard
from aios.kernel.guard.parts import Fence
from aios.kernel.process import Process
from aios.scheduler import RoundRobin
from aios.syscalls import Spawn
from aios.syscalls.access import GrantRight
from aios.syscalls.base import Syscall
from aios.syscalls.file import ReadFile

BATCH = 20  # calls between two looks at the clock, whose own steps would be seen otherwise
KINDS = {
    "own": ReadFile(path="notes/today.txt"),
    "by capability": ReadFile(path="notes/today.txt", owner="other"),
}


async def gate_us_p50(seed: int = 0, calls: int = 20_000) -> float:
    """Microseconds that the guard takes of a call about an agent's own thing, the median.

    With everything a booted kernel's guard has but the audit, of which nothing is to be said: no
    budget is set, and the process has heard of nothing.
    """
    return (await gate_us(seed, calls))["own"]


async def gate_us(seed: int = 0, calls: int = 20_000) -> dict[str, float]:
    """The medians of calls on an own thing, and on another agent's by a capability."""
    fence = Fence(policy=PERSONAL, fittings=(Accounts(), Labels()))
    async with Kernel([scripted_core(seed)], RoundRobin, fence=fence) as kernel:
        await kernel.call(kernel.token, Spawn(name="other"))
        spawned = await kernel.call(kernel.token, Spawn(name="agent"))
        right = GrantRight(to="agent", verbs="file.read", owner="other", object="notes/*")
        await kernel.call(kernel.token, right)
        process = kernel.table.find(spawned.pid)
        clock = WallClock()
        took: dict[str, list[float]] = {kind: [] for kind in KINDS}
        order = [kind for kind in KINDS for _ in range(calls // BATCH)]
        Random(seed).shuffle(order)
        for kind in order:
            took[kind].append(_batch(kernel.guard, process, KINDS[kind], clock))
        return {kind: median(times) for kind, times in took.items()}


def _batch(guard: Guard, process: Process, call: Syscall[Any], clock: Clock) -> float:
    work = Work(None)
    began = clock.now()
    for _ in range(BATCH):
        entry = guard.admit(process, call)
        if entry is not None:
            guard.begin(entry, work)
            guard.leave(entry, work, None)
    return (clock.now() - began) / BATCH * 1e6
