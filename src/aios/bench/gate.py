"""What the guard costs a call beside the rest of the gate: capability, labels, budget, all quiet.

A call about the caller's own thing and one about another agent's, by a capability, each with a flow
and a ledger that are there and have nothing against it.
"""

from random import Random
from statistics import median
from typing import Any

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
OWN = ReadFile(path="notes/today.txt")
OTHERS = ReadFile(path="notes/today.txt", owner="other")


async def gate_us_p50(seed: int = 0, calls: int = 20_000) -> float:
    """Microseconds that the guard takes of a call, the median of the dearer kind."""
    fence = Fence(fittings=(Accounts(), Labels()))
    async with Kernel([scripted_core(seed)], RoundRobin, fence=fence) as kernel:
        await kernel.call(kernel.token, Spawn(name="other"))
        spawned = await kernel.call(kernel.token, Spawn(name="agent"))
        right = GrantRight(to="agent", verbs="file.read", owner="other", object="notes/*")
        await kernel.call(kernel.token, right)
        process = kernel.table.find(spawned.pid)
        clock = WallClock()
        kinds = (OWN, OTHERS)
        took: dict[ReadFile, list[float]] = {kind: [] for kind in kinds}
        order = [kind for kind in kinds for _ in range(calls // BATCH)]
        Random(seed).shuffle(order)
        for kind in order:
            took[kind].append(_batch(kernel.guard, process, kind, clock))
        return max(median(times) for times in took.values())


def _batch(guard: Guard, process: Process, call: Syscall[Any], clock: Clock) -> float:
    work = Work(None)
    began = clock.now()
    for _ in range(BATCH):
        entry = guard.admit(process, call)
        if entry is not None:
            guard.begin(entry, work)
            guard.leave(entry, work, None)
    return (clock.now() - began) / BATCH * 1e6
