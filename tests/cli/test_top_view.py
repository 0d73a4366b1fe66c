"""What `aios top` makes of process lists and events."""

from typing import Any

from aios.cli.top_view import View
from aios.syscalls import ProcessInfo, ProcessState


def agent(pid: int, parent: int = 1, tokens: int = 0, calls: int = 0) -> ProcessInfo:
    return ProcessInfo(
        pid=pid, parent=parent, name=f"a{pid}", agent=f"a{pid}", state=ProcessState.RUNNING,
        priority=0, program=None, calls=calls, live_calls=0, waiting_for="", prompt_tokens=tokens,
        completion_tokens=0, mail=0, age_s=0.0,
    )  # fmt: skip


def started(generation: str, pid: int, branches: int = 1) -> dict[str, Any]:
    return {"event": "started", "generation": generation, "pid": pid, "branches": branches}


def test_rates_are_of_the_time_since_the_last_refresh() -> None:
    view = View()
    view.refresh([agent(2, tokens=100, calls=1)], 10.0)
    view.refresh([agent(2, tokens=150, calls=2), agent(3, tokens=70)], 12.0)
    first, newcomer = view.rows
    assert (first.tokens_per_s, first.calls_per_s) == (25.0, 0.5)
    assert newcomer.tokens_per_s == 0.0


def test_who_is_on_a_lane_is_heard_from_events() -> None:
    view = View()
    view.heard(started("g1", 2, branches=3))
    view.heard(started("g2", 3))
    view.heard({"event": "stopped", "generation": "g2", "pid": 3, "tier": "ram"})
    view.refresh([agent(2), agent(3)], 0.0)
    assert [row.lanes for row in view.rows] == [3, 0]
    assert (view.lanes, view.switches) == (3, 1)
    view.heard({"event": "core_died", "reason": "x", "pid": 0})
    view.refresh([agent(2)], 1.0)
    assert view.lanes == 0
    assert view.rows[0].trail == "▃ "


def test_children_stand_below_their_parents_in_the_chosen_order() -> None:
    view = View()
    view.refresh([agent(1, 0), agent(2, tokens=1), agent(3, 2), agent(4, tokens=9)], 0.0)
    shown = view.shown("tokens", "", tree=True)
    assert [(depth, row.info.pid) for depth, row in shown] == [(0, 1), (1, 4), (1, 2), (2, 3)]
    assert [row.info.pid for _, row in view.shown("pid", "a3", tree=True)] == [3]
