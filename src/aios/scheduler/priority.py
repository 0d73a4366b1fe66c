"""Strict priority: whoever has the highest runs, and takes the place of one who has less.

A job's level is its priority, and one more for every `age_s` seconds that it has been ready; while
it runs the level stays as it was at the start. A ready job takes the place of a running one that is
at least one level below it, so equal ones do not take turns at every report. Since all ready jobs
age alike, their order never changes while they wait: each has a fixed rank, and only the comparison
with running jobs depends on the time. Nobody starves: priorities are bounded and waiting is not.

Strict in order too: where the first does not fit, even after all below it have gone, nobody behind
it is let past. A job whose place was taken waits from then on as if it were new.
"""

import math
from collections.abc import Sequence

from aios.context.snapshot import Tier
from aios.errors import InvalidArgument
from aios.scheduler.base import (
    Decision,
    Evict,
    Job,
    JobId,
    Left,
    Machine,
    Preempt,
    Start,
    Wait,
    Work,
)
from aios.scheduler.ledger import Ledger
from aios.scheduler.ranked import Ranked


class Priority:
    """Priorities with ageing."""

    name = "priority"

    def __init__(self, age_s: float = 30.0) -> None:
        if not 0 < age_s < math.inf:
            raise InvalidArgument(f"expected age_s above 0 and finite, got {age_s}")
        self._age_s = age_s
        self._ledger = Ledger()
        # Ranks are moments: when the job would have come, were its priority 0. Earlier is better.
        self._ranks: dict[JobId, tuple[float, int]] = {}  # of every job here; number breaks ties
        self._queue: Ranked[tuple[float, int]] = Ranked()  # best rank first
        self._resting: Ranked[tuple[float, int]] = Ranked()  # within _queue: worst rank first
        # Levels in seconds of age; lowest first, of equals the latest. Disjoint from _queue.
        self._running: Ranked[tuple[float, int]] = Ranked()
        # The same jobs: lowest whole level first, of equals the latest, who has most yet to come.
        self._victims: Ranked[tuple[float, int]] = Ranked()
        self._fallen: dict[JobId, float] = {}  # level of each that was lost and has no rank yet
        self._count = 0

    def ready(self, job: Job) -> None:
        self._ledger.add(job)
        self._enqueue(job, job.arrived)

    def served(self, job: JobId, work: Work) -> None:
        self._ledger.served(job, work)

    def lost(self, job: JobId) -> None:
        if self._ledger.lost(job) is None:
            return
        self._resting.discard(job)
        if job in self._running:
            self._fell(job)

    def left(self, job: JobId, why: Left) -> None:
        if self._ledger.remove(job) is not None:
            del self._ranks[job]
            self._fallen.pop(job, None)
            for group in (self._queue, self._resting, self._running, self._victims):
                group.discard(job)

    def decide(self, now: float, machine: Machine) -> Sequence[Decision]:
        self._ledger.enter(machine)
        decisions: list[Decision] = []
        while self._ledger.is_overfull:
            decisions.append(self._relief())
        self._raise_fallen(now)
        while (job := self._queue.first()) is not None and self._made_room(job, now, decisions):
            decisions.append(self._started(job, now))
        return decisions

    def wakes(self, now: float) -> float | None:
        """The next moment at which the first in the queue is a level above one who runs."""
        first = self._queue.first()
        if first is None:
            return None
        moments = (self._outranks_at(first, job) for job in self._running)
        return min((moment for moment in moments if moment > now), default=None)

    def bound(self, jobs_ahead: int, machine: Machine) -> Wait:
        return Wait(
            tokens=None,
            why="bounded in time instead: a job that has waited `age_s` seconds for each level "
            "between them goes before every later job, and one more `age_s` takes its place",
        )

    def _made_room(self, job: JobId, now: float, decisions: list[Decision]) -> bool:
        """Make room for the first in the queue, or nothing at all where that is not enough."""
        ledger = self._ledger
        if ledger.has_lanes(job) and ledger.has_kv(job):
            return True
        below = self._below(job, now)
        if not self._is_enough(job, below):
            return False
        while not (ledger.has_lanes(job) and ledger.has_kv(job)):
            resting = self._other_resting(job) if ledger.has_lanes(job) else None
            if resting is not None:
                decisions.append(self._evicted(resting))
            else:
                decisions.append(self._displaced(below.pop(), job, now))
        return True

    def _below(self, job: JobId, now: float) -> list[JobId]:
        """Running jobs whose place `job` may take, the lowest last."""
        lowest = self._running.first()
        if lowest is None or self._outranks_at(job, lowest) > now:
            return []
        below = [one for one in self._running if self._outranks_at(job, one) <= now]
        return sorted(below, key=self._running.key, reverse=True)

    def _is_enough(self, job: JobId, below: Sequence[JobId]) -> bool:
        """Whether `job` fits once all below it and all who rest are gone."""
        ledger = self._ledger
        lanes = sum(ledger.account(one).job.branches for one in below)
        if not ledger.has_lanes(job, without=lanes):
            return False
        gone = [*below, *(one for one in self._resting if one != job)]
        return ledger.has_kv(job, without=sum(ledger.account(one).booked for one in gone))

    def _outranks_at(self, ready: JobId, running: JobId) -> float:
        """The moment from which a ready job is a whole level above a running one."""
        return self._ranks[ready][0] + self._running.key(running)[0] + self._age_s

    def _other_resting(self, job: JobId) -> JobId | None:
        """Who rests with the worst rank; `job`, which may rest itself, has the best."""
        resting = self._resting.first()
        return None if resting == job else resting

    def _relief(self) -> Decision:
        """Somebody goes to RAM: who rests, else the lowest who runs."""
        resting = self._resting.first()
        if resting is not None:
            return self._evicted(resting)
        job = self._victims.first()
        assert job is not None, "an overfull ledger has a running job"
        self._ledger.preempt(job, Tier.RAM)
        self._fell(job)
        return Preempt(job, Tier.RAM)

    def _fell(self, job: JobId) -> None:
        self._fallen[job] = self._running.key(job)[0]
        self._running.discard(job)
        self._victims.discard(job)

    def _raise_fallen(self, now: float) -> None:
        """Who lost its place to nobody is ready at the level at which it ran.

        It stands in the queue one level higher: before all who could not have taken its place.
        """
        for job, level in self._fallen.items():
            _, number = self._ranks[job]
            self._ranks[job] = (now - level, number)
            self._queue.add(job, (now - level - self._age_s, number))
        self._fallen.clear()

    def _started(self, job: JobId, now: float) -> Start:
        rank, number = self._ranks[job]
        self._queue.discard(job)
        self._resting.discard(job)
        self._running.add(job, (now - rank, -number))
        self._victims.add(job, ((now - rank) // self._age_s, -number))
        self._ledger.start(job)
        return Start(job)

    def _displaced(self, job: JobId, by: JobId, now: float) -> Preempt:
        ledger = self._ledger
        stays = ledger.has_kv(by, without=ledger.freed_by_rest(job))
        to = Tier.DEVICE if stays else Tier.RAM
        ledger.preempt(job, to)
        self._running.discard(job)
        self._victims.discard(job)
        self._enqueue(ledger.account(job).job, now)
        if stays:
            rank, number = self._ranks[job]
            self._resting.add(job, (-rank, -number))
        return Preempt(job, to)

    def _evicted(self, job: JobId) -> Evict:
        self._ledger.evict(job)
        self._resting.discard(job)
        return Evict(job, Tier.RAM)

    def _enqueue(self, job: Job, since: float) -> None:
        self._count += 1
        self._ranks[job.id] = (since - job.priority * self._age_s, self._count)
        self._queue.add(job.id, self._ranks[job.id])
