"""The scaling benchmark counts a lost, doubled or foreign reply, and its rows have their fields."""

from collections.abc import AsyncIterator, Callable, Sequence
from itertools import pairwise
from random import Random

import msgspec

from aios.bench.scaling import CALLS, Tally, measure, tally, timed
from aios.bench.table import quiet
from aios.clock import LoopClock
from aios.cores.base import CoreEvent, Finished
from aios.testing import INSTANT, ScriptedCore, ScriptedStore, run

AGENTS = 7
ALL = AGENTS * CALLS
Spoil = Callable[[Sequence[CoreEvent]], Sequence[CoreEvent]]


class SpoiledCore(ScriptedCore):
    """A scripted core whose events somebody tampers with."""

    def __init__(self, spoil: Spoil) -> None:
        super().__init__(INSTANT, clock=LoopClock(), rng=Random(0), store=ScriptedStore())
        self._spoil = spoil

    async def events(self) -> AsyncIterator[Sequence[CoreEvent]]:
        async for batch in super().events():
            yield self._spoil(batch)


def counted(spoil: Spoil) -> Tally:
    """What the benchmark counts over such a core, in virtual time."""
    return run(lambda _: timed(AGENTS, 0, SpoiledCore(spoil))).tally


def test_an_honest_core_loses_and_doubles_nothing() -> None:
    assert counted(lambda batch: batch) == Tally(completed=ALL, lost=0, doubled=0)


def test_a_generation_that_never_ends_is_counted_as_lost() -> None:
    def swallow(batch: Sequence[CoreEvent]) -> Sequence[CoreEvent]:
        return [one for one in batch if not (isinstance(one, Finished) and one.id.endswith("-5"))]

    assert counted(swallow) == Tally(completed=ALL - 1, lost=1, doubled=0)


def test_an_answer_that_belongs_to_another_call_is_counted_as_lost() -> None:
    def swap(batch: Sequence[CoreEvent]) -> Sequence[CoreEvent]:
        ends = [one for one in batch if isinstance(one, Finished)]
        wrong = {one.id: other.choices for one, other in pairwise(ends)}
        return [
            msgspec.structs.replace(one, choices=wrong[one.id])
            if isinstance(one, Finished) and one.id in wrong
            else one
            for one in batch
        ]

    # Each of the three rounds of calls keeps one right answer.
    assert counted(swap) == Tally(completed=CALLS, lost=ALL - CALLS, doubled=0)


def test_a_core_that_ends_a_generation_twice_gets_one_reply_out_of_the_kernel() -> None:
    def repeat(batch: Sequence[CoreEvent]) -> Sequence[CoreEvent]:
        return [*batch, *filter(_is_end, batch)]

    assert counted(repeat) == Tally(completed=ALL, lost=0, doubled=0)


def test_a_reply_that_comes_twice_is_counted_as_doubled() -> None:
    found = tally({"a": 1, "b": 2}, [("a", 1), ("a", 1), ("b", 2)], ends=["g1", "g2"])
    assert found == Tally(completed=2, lost=0, doubled=1)


def test_a_generation_that_ends_twice_is_counted_as_doubled() -> None:
    found = tally({"a": 1, "b": 2}, [("a", 1), ("b", 2)], ends=["g1", "g2", "g2"])
    assert found == Tally(completed=2, lost=0, doubled=1)


def test_more_generations_than_calls_are_counted_as_doubled() -> None:
    found = tally({"a": 1, "b": 2}, [("a", 1), ("b", 2)], ends=["g1", "g2", "g3"])
    assert found == Tally(completed=2, lost=0, doubled=1)


def test_a_wrong_checksum_does_not_make_up_for_a_missing_reply() -> None:
    found = tally({"a": 1, "b": 2}, [("a", 1), ("b", 1)], ends=["g1", "g2"])
    assert found == Tally(completed=1, lost=1, doubled=0)


def test_every_row_has_its_fields_and_is_measured_in_processes_of_its_own() -> None:
    found = msgspec.to_builtins(measure((4, 8), 1, 0, quiet).result)
    assert list(found) == ["rows", "linear_r2"]
    fields = ["agents", "seconds", "bytes_per_agent", "completed", "lost", "doubled"]
    assert [list(row) for row in found["rows"]] == [fields, fields]
    assert [row["completed"] for row in found["rows"]] == [4 * CALLS, 8 * CALLS]


def _is_end(event: CoreEvent) -> bool:
    return isinstance(event, Finished)
