"""Turns: each job in order gets a slice of tokens, then goes to the back of the queue.

A turn ends when its slice is spent and somebody waits for room; with nobody waiting it goes on. A
slice is of produced tokens, of which a prefilled one counts an eighth: about what it costs. (Were
it a whole one, the prompt of a short call would be a turn, and its answer would wait for another,
with a context switch that gains nothing.) The first in the queue is never passed: if it needs more
room than one job leaves, every job whose slice is spent goes until it fits. So between two turns of
one job every other job has at most one, however large any of them is.

Where only lanes are short, a job rests with its KV in DEVICE. Where KV is short, jobs go to RAM,
first the one that has rested for the shortest time, because its next turn is farthest off. (To
evict the one that has rested longest would, with turns in a circle, always hit the next one.)

Where jobs that run outgrow the KV, a turn is cut short: one whose slice is spent, else the one that
has lasted longest. To book a whole slice for everybody beforehand would spare that, at the price of
a smaller batch for all. Work that a job has to do again because its KV was lost does not count
against its slice: otherwise one with a long prompt and a short slice would never get past its
prompt.
"""

from collections.abc import Sequence
from dataclasses import dataclass

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
from aios.scheduler.ledger import Ledger, Place
from aios.scheduler.ranked import Ranked

PREFILLED = 8  # prefilled tokens that count as much as one produced


@dataclass(slots=True, eq=False)
class _Turn:
    """A job's present turn, or its next one while it waits."""

    used: int = 0  # of the slice, in prefilled tokens
    number: int = 0  # order of starts
    reached: int = 0  # KV tokens at the last report
    again_to: int = 0  # KV tokens it had reached when it was started; up to here nothing is new


class RoundRobin:
    """The paper's second policy: time slices with a context switch between them."""

    name = "rr"

    def __init__(self, slice_tokens: int = 64) -> None:
        if slice_tokens < 1:
            raise InvalidArgument(f"expected slice_tokens of at least 1, got {slice_tokens}")
        self._slice = PREFILLED * slice_tokens
        self._ledger = Ledger()
        self._turns: dict[JobId, _Turn] = {}  # of every job here
        self._queue: Ranked[tuple[int, int]] = Ranked()  # lost ones first, then in order of coming
        self._resting: Ranked[int] = Ranked()  # within _queue: latest preempted first
        self._running: Ranked[int] = Ranked()  # earliest started first; disjoint from _queue
        self._spent: Ranked[int] = Ranked()  # within _running, likewise
        self._count = 0
        self._report_max = 0  # largest work in one report
        self._again_max = 0  # most KV that had to be computed again

    def ready(self, job: Job) -> None:
        self._ledger.add(job)
        self._turns[job.id] = _Turn()
        self._queue.add(job.id, (1, self._next()))

    def served(self, job: JobId, work: Work) -> None:
        account = self._ledger.served(job, work)
        if account is None:
            return
        self._report_max = max(self._report_max, work.prefilled + work.produced)
        turn = self._turns[job]
        turn.reached = work.kv_tokens
        if account.place is Place.RUNNING:
            self._charge(job, turn, work)

    def lost(self, job: JobId) -> None:
        was_running = job in self._running
        if self._ledger.lost(job) is None:
            return
        self._resting.discard(job)
        if was_running:
            self._take_off(job)
            self._queue.add(job, (0, self._turns[job].number))

    def left(self, job: JobId, why: Left) -> None:
        if self._ledger.remove(job) is not None:
            del self._turns[job]
            for group in (self._queue, self._resting, self._running, self._spent):
                group.discard(job)

    def decide(self, now: float, machine: Machine) -> Sequence[Decision]:
        self._ledger.enter(machine)
        decisions: list[Decision] = []
        before = self._count
        while self._ledger.is_overfull:
            decisions.append(self._relief())
        while (job := self._queue.first()) is not None:
            if self._queue.key(job) > (1, before):
                self._renew()
                break
            if not self._made_room(job, decisions):
                break
            decisions.append(self._started(job))
        return decisions

    def wakes(self, now: float) -> float | None:
        return None

    def bound(self, jobs_ahead: int, machine: Machine) -> Wait:
        turn = self._slice + 2 * self._report_max + self._again_max
        return Wait(
            tokens=jobs_ahead * turn,
            why="every other job has at most one turn: its slice, all of it prefilled, the report "
            "in which it ends and one on the way, and what it had to compute again; losses "
            "meanwhile come on top",
        )

    def _charge(self, job: JobId, turn: _Turn, work: Work) -> None:
        fresh = min(work.prefilled, max(0, work.kv_tokens - turn.again_to))
        if fresh < work.prefilled:
            self._again_max = max(self._again_max, turn.again_to)
        turn.used += fresh + PREFILLED * work.produced
        if turn.used >= self._slice and job not in self._spent:
            self._spent.add(job, turn.number)

    def _renew(self) -> None:
        """Nobody waits but those who went just now, so running on was nobody's loss.

        Everyone who runs is given a new slice. Else each of them would have to make room in turn
        for the one who just made room, and all would change places for nothing.
        """
        while (job := self._spent.pop()) is not None:
            self._turns[job].used = 0

    def _relief(self) -> Decision:
        """Somebody goes to RAM: who rests, else whose turn has lasted longest."""
        resting = self._resting.first()
        if resting is not None:
            return self._evicted(resting)
        job = self._spent.first() or self._running.first()
        assert job is not None, "an overfull ledger has a running job"
        return self._preempted(job, Tier.RAM)

    def _made_room(self, job: JobId, decisions: list[Decision]) -> bool:
        """Make room for the first in the queue from spent slices; False where that is too little.

        Jobs go even where it is too little yet, as the room is kept for the first.
        """
        ledger = self._ledger
        while not (ledger.has_lanes(job) and ledger.has_kv(job)):
            resting = self._other_resting(job) if ledger.has_lanes(job) else None
            spent = self._spent.first()
            if resting is not None:
                decisions.append(self._evicted(resting))
            elif spent is not None:
                stays = ledger.has_kv(job, without=ledger.freed_by_rest(spent))
                decisions.append(self._preempted(spent, Tier.DEVICE if stays else Tier.RAM))
            else:
                return False
        return True

    def _other_resting(self, job: JobId) -> JobId | None:
        """Who rests and is not `job`, which may rest itself: then it has rested longest."""
        resting = self._resting.first()
        return None if resting == job else resting

    def _started(self, job: JobId) -> Start:
        turn = self._turns[job]
        turn.number, turn.again_to = self._next(), turn.reached
        self._queue.discard(job)
        self._resting.discard(job)
        self._running.add(job, turn.number)
        self._ledger.start(job)
        return Start(job)

    def _preempted(self, job: JobId, to: Tier) -> Preempt:
        self._ledger.preempt(job, to)
        self._take_off(job)
        self._turns[job].used = 0
        number = self._next()
        self._queue.add(job, (1, number))
        if to is Tier.DEVICE:
            self._resting.add(job, -number)
        return Preempt(job, to)

    def _evicted(self, job: JobId) -> Evict:
        self._ledger.evict(job)
        self._resting.discard(job)
        return Evict(job, Tier.RAM)

    def _take_off(self, job: JobId) -> None:
        self._running.discard(job)
        self._spent.discard(job)

    def _next(self) -> int:
        self._count += 1
        return self._count
