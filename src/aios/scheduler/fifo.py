"""First in, first out: in order of arrival, each to its end, as many at once as there is room for.

Strict: where the first in the queue does not fit, nobody behind it is let past, so a large job is
never starved by small ones; what that gives up is the room which small ones could use meanwhile.
When running jobs outgrow the KV, the last of them goes to RAM and is first in the queue again.
"""

from collections.abc import Sequence

from aios.context.snapshot import Tier
from aios.scheduler.base import (
    Decision,
    Job,
    JobId,
    Left,
    Machine,
    Preempt,
    Start,
    Wait,
    Work,
)
from aios.scheduler.ledger import Ledger, Place
from aios.scheduler.ranked import Ranked


class Fifo:
    """The paper's first policy, with continuous batching."""

    name = "fifo"

    def __init__(self) -> None:
        self._ledger = Ledger()
        self._numbers: dict[JobId, int] = {}  # order of arrival, of every job here
        self._queue: Ranked[int] = Ranked()  # earliest arrival first; disjoint from _running
        self._running: Ranked[int] = Ranked()  # latest arrival first
        self._arrivals = 0

    def ready(self, job: Job) -> None:
        self._ledger.add(job)
        self._arrivals += 1
        self._numbers[job.id] = self._arrivals
        self._queue.add(job.id, self._arrivals)

    def served(self, job: JobId, work: Work) -> None:
        self._ledger.served(job, work)

    def lost(self, job: JobId) -> None:
        if self._ledger.lost(job) is not None:
            self._requeue(job)

    def left(self, job: JobId, why: Left) -> None:
        if self._ledger.remove(job) is not None:
            self._queue.discard(job)
            self._running.discard(job)
            del self._numbers[job]

    def decide(self, now: float, machine: Machine) -> Sequence[Decision]:
        self._ledger.enter(machine)
        decisions: list[Decision] = []
        while self._ledger.is_overfull:
            decisions.append(self._last_preempted())
        while (job := self._queue.first()) is not None and self._fits(job):
            self._queue.discard(job)
            self._running.add(job, -self._numbers[job])
            self._ledger.start(job)
            decisions.append(Start(job))
        return decisions

    def wakes(self, now: float) -> float | None:
        return None

    def bound(self, jobs_ahead: int, machine: Machine) -> Wait:
        return Wait(
            tokens=jobs_ahead * machine.kv_tokens,
            why="every earlier job runs to its end, and none is larger than the KV; "
            "what the core has to compute twice comes on top",
        )

    def _fits(self, job: JobId) -> bool:
        return self._ledger.has_lanes(job) and self._ledger.has_kv(job)

    def _last_preempted(self) -> Preempt:
        job = self._running.first()
        assert job is not None, "an overfull ledger has a running job"
        self._ledger.preempt(job, Tier.RAM)
        self._requeue(job)
        return Preempt(job, Tier.RAM)

    def _requeue(self, job: JobId) -> None:
        assert self._ledger.account(job).place is Place.WAITING
        self._running.discard(job)
        self._queue.add(job, self._numbers[job])
