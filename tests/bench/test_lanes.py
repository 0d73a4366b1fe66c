"""Lanes from a kernel's events: lowest free lane, one span for each stay."""

from aios.bench.lanes import LaneWatch
from aios.bench.records import Ending
from aios.telemetry.bus import Bus
from aios.telemetry.events import Ended, Spawned, Started, Stopped


def started(at: float, generation: str, branches: int = 1) -> Started:
    return Started(at=at, pid=2, generation=generation, branches=branches, resumed=False)


def stopped(at: float, generation: str) -> Stopped:
    return Stopped(at=at, pid=2, generation=generation, tier="ram")


def ended(at: float, generation: str) -> Ended:
    return Ended(at=at, pid=2, generation=generation, outcome="done", produced=1)


def watch(*happened: Spawned | Started | Stopped | Ended) -> LaneWatch:
    bus = Bus()
    lanes = LaneWatch(bus)
    bus.publish(Spawned(at=0, pid=2, name="hotel-1", parent=1))
    for event in happened:
        bus.publish(event)
    return lanes


def test_a_generation_takes_the_lowest_free_lane() -> None:
    lanes = watch(started(0, "x"), started(0, "y"), ended(1, "x"), started(2, "z"), ended(3, "z"))
    assert [(span.lane, span.start, span.end) for span in lanes.spans] == [(0, 0, 1), (0, 2, 3)]
    assert lanes.busy == 1


def test_a_span_carries_its_agents_name_and_how_it_ended() -> None:
    lanes = watch(started(0, "x"), stopped(1, "x"), started(2, "x"), ended(3, "x"))
    assert {span.agent for span in lanes.spans} == {"hotel-1"}
    assert [span.ending for span in lanes.spans] == [Ending.SWITCHED, Ending.DONE]
    assert lanes.switches == 1


def test_moving_one_that_rests_is_no_switch() -> None:
    lanes = watch(started(0, "x"), stopped(1, "x"), stopped(2, "x"))
    assert lanes.switches == 1


def test_branches_take_a_lane_each() -> None:
    lanes = watch(started(0, "x", branches=3), ended(1, "x"))
    assert sorted(span.lane for span in lanes.spans) == [0, 1, 2]


def test_a_call_that_was_given_up_is_cut() -> None:
    lanes = watch(
        started(0, "x"), Ended(at=1, pid=2, generation="x", outcome="cancelled", produced=1)
    )
    assert [span.ending for span in lanes.spans] == [Ending.CUT]


def test_what_is_on_a_lane_when_the_run_is_over_is_cut() -> None:
    lanes = watch(started(0, "x"))
    lanes.finish(5)
    assert [(span.end, span.ending) for span in lanes.spans] == [(5, Ending.CUT)]
