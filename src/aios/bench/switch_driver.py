"""Takes generations off their lanes at random moments and puts them back, here or elsewhere.

A generation runs for a random number of steps, rests in a random tier for a random number, and
goes on in the same engine process or in another; whoever else runs meanwhile is its company.
Knows of the engines only what a worker tells.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Protocol

from aios.bench.switch_cases import Case
from aios.bench.switch_worker import Answer, Ask, Order, Row
from aios.bench.table import Tell
from aios.context.snapshot import SnapshotRef, Tier
from aios.cores.base import Advanced, CoreEvent, Failed, Finished, Generation, Progress, Suspended
from aios.cores.frames import Drop, Start, Stop
from aios.errors import CoreFailed, error_from
from aios.syscalls import Choice, Generate

RUNNING_MAX = 16  # generations begun and not ended, over all engines
STEPS_MAX = 3  # of one slice
REST_STEPS_MAX = 6
IDLE_ROUNDS_MAX = 2_000  # without any event: something hangs


class Engine(Protocol):
    """What a worker offers: `send`, then `receive`, so that engines may compute at once."""

    def prepare(self, call: Generate) -> tuple[int, ...]: ...

    def send(self, ask: Ask) -> None: ...

    def receive(self) -> Answer: ...


@dataclass(slots=True, kw_only=True)
class Trace:
    """What one run of a case showed."""

    rows: dict[tuple[int, int], bytes] = field(default_factory=dict)  # by branch and position
    delivered: dict[int, list[int]] = field(default_factory=lambda: defaultdict(list))
    choices: tuple[Choice, ...] = ()
    recomputed: str = ""
    switches: int = 0

    def take(self, event: Finished) -> None:
        self.choices, self.recomputed = event.choices, event.recomputed


@dataclass(slots=True, kw_only=True)
class _Flight:
    """A case under way. It runs exactly while `ref` is None."""

    case: Case
    generation: Generation
    engine: int
    due: int  # the round in which it is stopped, or goes on
    trace: Trace = field(default_factory=Trace)
    ref: SnapshotRef | None = None
    is_stopping: bool = False

    @property
    def progress(self) -> Progress:
        told = self.trace.delivered
        produced = tuple(tuple(told[i]) for i in range(max(told, default=-1) + 1))
        return Progress(snapshot=self.ref, produced=produced)


class Driver:
    """Drives some engines until every case has ended."""

    def __init__(self, workers: Sequence[Engine], rng: Random) -> None:
        self._workers = workers
        self._rng = rng
        self._round = 0
        self.begun = 0  # cases
        self._flights: dict[str, _Flight] = {}
        self._orders: list[list[Order]] = [[] for _ in workers]
        self.done: dict[str, tuple[Case, Trace]] = {}
        self.switches: Counter[str] = Counter()  # by kind
        self.journeys: Counter[str] = Counter()  # by tier and destination

    def run(self, more: Callable[[], Case | None]) -> None:
        """Begin cases from `more` until it has none, and see all of them to their end."""
        idle = 0
        source: Callable[[], Case | None] | None = more
        while source is not None or self._flights:
            if source is not None and not self._admit(source):
                source = None
            for flight in self._flights.values():
                self._move(flight)
            idle = 0 if self._step() else idle + 1
            if idle > IDLE_ROUNDS_MAX:
                raise CoreFailed(f"no event in {idle} steps of {sorted(self._flights)}")
            self._round += 1

    def _admit(self, more: Callable[[], Case | None]) -> bool:
        """Perhaps begin a case; False when there are no more."""
        if len(self._flights) >= RUNNING_MAX or self._rng.random() < 0.3:
            return True
        case = more()
        if case is None:
            return False
        self.begun += 1
        engine = self._rng.randrange(len(self._workers))
        prompt = self._workers[engine].prepare(case.call)
        generation = Generation(id=case.id, prompt=prompt, decoding=case.call.decoding)
        flight = _Flight(case=case, generation=generation, engine=engine, due=self._slice())
        self._flights[case.id] = flight
        self._orders[engine].append(Start(generation=generation))
        return True

    def _move(self, flight: _Flight) -> None:
        """Stop or go on where the moment has come."""
        if flight.due > self._round or flight.is_stopping:
            return
        if flight.ref is None:
            self._stop(flight, self._rng.choice((Tier.DEVICE, Tier.RAM, Tier.DISK)))
        elif flight.ref.tier is not Tier.DISK and self._rng.random() < 0.1:
            self._stop(flight, Tier.DISK)  # Moved on while it rests.
        else:
            self._go_on(flight, flight.ref)

    def _stop(self, flight: _Flight, to: Tier) -> None:
        flight.is_stopping = True
        self._orders[flight.engine].append(Stop(id=flight.case.id, to=to, snapshot=flight.ref))

    def _go_on(self, flight: _Flight, ref: SnapshotRef) -> None:
        before = flight.engine
        if ref.tier is not Tier.DEVICE:
            flight.engine = self._rng.randrange(len(self._workers))
        where = "same" if flight.engine == before else "other"
        self.journeys[f"{ref.tier}, {where} engine"] += 1
        self.switches[flight.case.kind] += 1
        flight.trace.switches += 1
        start = Start(generation=flight.generation, progress=flight.progress)
        self._orders[flight.engine].append(start)
        flight.ref, flight.due = None, self._slice()

    def _slice(self) -> int:
        return self._round + self._rng.randint(1, STEPS_MAX)

    def _step(self) -> bool:
        """All engines compute one step, at once; True where anything came of it."""
        for worker, orders in zip(self._workers, self._orders, strict=True):
            worker.send(Ask(orders=tuple(orders)))
            orders.clear()
        answers = [worker.receive() for worker in self._workers]
        for answer in answers:
            keep(answer.rows, {name: one.trace for name, one in self._flights.items()})
            for event in answer.events:
                self._take(event)
        return any(answer.events for answer in answers)

    def _take(self, event: CoreEvent) -> None:
        match event:
            case Advanced():
                for delta in event.deltas:
                    self._flights[event.id].trace.delivered[delta.index] += delta.token_ids
            case Suspended():
                flight = self._flights[event.id]
                flight.ref, flight.is_stopping = event.snapshot, False
                flight.due = self._round + self._rng.randint(0, REST_STEPS_MAX)
            case Finished():
                flight = self._flights.pop(event.id)
                flight.trace.take(event)
                self.done[event.id] = (flight.case, flight.trace)
                for orders in self._orders:  # Engines it passed through forget it too.
                    orders.append(Drop(id=event.id))
            case Failed():
                raise error_from(event.code, f"{event.id}: {event.message}")


def undisturbed(workers: Sequence[Engine], cases: Sequence[Case], tell: Tell) -> dict[str, Trace]:
    """Each case from beginning to end alone in its engine; the engines share out the cases."""
    traces: dict[str, Trace] = {}
    for start in range(0, len(cases), len(workers)):
        tell(f"switch: uninterrupted, {start} of {len(cases)} generations")
        batch = list(zip(workers, cases[start:], strict=False))
        for worker, case in batch:
            prompt = worker.prepare(case.call)
            generation = Generation(id=case.id, prompt=prompt, decoding=case.call.decoding)
            worker.send(Ask(orders=(Start(generation=generation),), until=case.id))
        for worker, case in batch:
            traces[case.id] = _alone(worker, case.id)
    return traces


def _alone(worker: Engine, name: str) -> Trace:
    trace = Trace()
    answer = worker.receive()
    keep(answer.rows, {name: trace})
    for event in answer.events:
        match event:
            case Finished():
                trace.take(event)
            case Failed():
                raise error_from(event.code, f"{name}: {event.message}")
            case Suspended():
                raise CoreFailed(f"{name} was taken off its lanes alone; is the KV too small?")
    return trace


def keep(rows: Iterable[Row], traces: dict[str, Trace]) -> None:
    """Add rows of logits to the traces of their generations."""
    for row in rows:
        traces[row.generation].rows[row.branch, row.position] = row.logits
