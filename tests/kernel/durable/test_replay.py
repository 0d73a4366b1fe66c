"""The replay of any program, cut off anywhere, tells it the same in the same order."""

import dataclasses
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aios.errors import Diverged
from aios.kernel.durable.replay import ATTEMPT, REPORT, Recorded, Replay

Branches = list[int]  # how many calls each branch of a program makes, one after another


def digest(branch: int, step: int) -> bytes:
    return f"{branch}.{step}".encode()


@dataclass
class Program:
    """Branches that go on as soon as they are told something; calls are named by their digests."""

    branches: Branches
    made: list[bytes] = field(default_factory=list)
    told: list[bytes] = field(default_factory=list)

    def begin(self) -> list[bytes]:
        return self._make(
            [digest(number, 0) for number, calls in enumerate(self.branches) if calls]
        )

    def tell(self, call: bytes) -> list[bytes]:
        """The calls it makes when it is told the answer to `call`."""
        self.told.append(call)
        branch, step = map(int, call.decode().split("."))
        more = step + 1 < self.branches[branch]
        return self._make([digest(branch, step + 1)] if more else [])

    def _make(self, calls: list[bytes]) -> list[bytes]:
        self.made += calls
        return calls


class Life:
    """A first run, with its commits: each has an answer, and the calls made before it that wait."""

    def __init__(self, branches: Branches) -> None:
        self.program = Program(branches)
        self.commits: list[list[Recorded]] = []
        self._calls: dict[bytes, Recorded] = {}
        self._open: list[Recorded] = []  # not answered
        self._answered: list[Recorded] = []  # not told yet
        self._places = 0
        self._seen = 0
        self._issue(self.program.begin())

    def step(self, choice: int) -> None:
        """Answer one of the open calls, or tell the program the next answer."""
        if self._answered and (choice % 2 or not self._open):
            answer = self._answered.pop(0)
            assert answer.place is not None
            self._seen = answer.place + 1
            self._issue(self.program.tell(answer.digest))
        elif self._open:
            call = self._open.pop(choice // 2 % len(self._open))
            done = dataclasses.replace(call, place=self._places, outcome=b"ok")
            self._places += 1
            self.commits.append([*self._open, done])
            self._answered.append(done)

    def _issue(self, calls: list[bytes]) -> None:
        for call in calls:
            number = len(self._calls)
            known = Recorded(number=number, kind="x", digest=call, seen=self._seen)
            self._calls[call] = known
            self._open.append(known)


def left(commits: list[list[Recorded]]) -> list[Recorded]:
    """What a journal holds after these commits."""
    rows = [row for commit in commits for row in commit]
    answered = {row.number: row for row in rows if row.place is not None}
    return list(({row.number: row for row in rows} | answered).values())


def replayed(
    program: Program, recorded: list[Recorded], names: dict[int, bytes] | None = None
) -> Replay:
    """Run a program until nothing recorded can be told any more."""
    replay = Replay(recorded)
    by_number = names or {one.number: one.digest for one in recorded}
    for call in program.begin():
        replay.issue("x", call)
    while due := replay.due():
        for one in due:
            for call in program.tell(by_number[one.number]):
                replay.issue("x", call)
    return replay


LIVES = st.tuples(
    st.lists(st.integers(1, 4), min_size=1, max_size=4), st.lists(st.integers(0, 63), max_size=40)
)


@given(LIVES, st.data())
def test_a_program_cut_off_anywhere_is_told_every_recorded_answer_in_order(
    life: tuple[Branches, list[int]], data: st.DataObject
) -> None:
    branches, choices = life
    first = Life(branches)
    for choice in choices:
        first.step(choice)
    recorded = left(first.commits[: data.draw(st.integers(0, len(first.commits)))])
    again = Program(branches)
    replay = replayed(again, recorded)
    answered = sorted(
        (one for one in recorded if one.place is not None), key=lambda one: one.place or 0
    )
    assert replay.is_over
    assert again.told == [one.digest for one in answered]
    assert again.made[: len(recorded)] == [
        one.digest for one in sorted(recorded, key=lambda one: one.number)
    ]


@given(LIVES, st.data())
def test_a_program_that_makes_another_call_is_noticed_at_that_call(
    life: tuple[Branches, list[int]], data: st.DataObject
) -> None:
    branches, choices = life
    first = Life(branches)
    for choice in choices:
        first.step(choice)
    recorded = left(first.commits)
    if not recorded:
        return
    wrong = data.draw(st.sampled_from(recorded))
    changed = [
        dataclasses.replace(one, digest=b"another") if one is wrong else one for one in recorded
    ]
    names = {one.number: one.digest for one in recorded}
    with pytest.raises(Diverged, match=f"call {wrong.number} was x"):
        replayed(Program(branches), changed, names)


TRIED = Recorded(number=0, kind=ATTEMPT, digest=b"a", seen=0, place=0, outcome=b"")


def test_an_attempt_is_told_when_its_report_is_next() -> None:
    recorded = [
        dataclasses.replace(TRIED, report=2, report_digest=b"r"),
        Recorded(number=1, kind="x", digest=b"x", seen=1, place=1, outcome=b""),
        Recorded(number=2, kind=REPORT, digest=b"r", seen=2, place=2, outcome=b""),
    ]
    replay = Replay(recorded)
    replay.issue(ATTEMPT, b"a")
    assert replay.due() == []
    replay.issue("x", b"x")
    assert [one.number for one in replay.due()] == [1, 0]
    replay.issue(REPORT, b"r")
    assert [one.number for one in replay.due()] == [2]
    assert replay.is_over


def test_an_attempt_without_a_report_is_told_last() -> None:
    recorded = [
        TRIED,
        Recorded(number=1, kind="x", digest=b"x", seen=0, place=1, outcome=b""),
    ]
    replay = Replay(recorded)
    replay.issue(ATTEMPT, b"a")
    replay.issue("x", b"x")
    assert [one.number for one in replay.due()] == [1, 0]


def test_a_program_that_makes_fewer_calls_has_diverged_at_its_end() -> None:
    replay = Replay([Recorded(number=0, kind="x", digest=b"x", seen=0)])
    with pytest.raises(Diverged, match="ended where call 0, x, was recorded"):
        replay.end()
    replay.issue("x", b"x")
    replay.end()


def inner(*, reported: str | None) -> list[Recorded]:
    """An attempt, a call that its tool made, and the report."""
    return [
        dataclasses.replace(TRIED, report=2, report_digest=b"r", reported=reported),
        Recorded(number=1, kind="x", digest=b"x", seen=1, within=0, place=1, outcome=b""),
        Recorded(number=2, kind=REPORT, digest=b"r", seen=2),
    ]


def test_what_the_tool_of_a_reported_attempt_did_is_not_done_again() -> None:
    replay = Replay(inner(reported="fine"))
    replay.issue(ATTEMPT, b"a")
    assert [one.number for one in replay.due()] == [0]
    replay.issue(REPORT, b"r")
    assert replay.is_over
    assert replay.issue("y", b"y") == 3


def test_a_tool_that_runs_again_makes_its_calls_again() -> None:
    replay = Replay(inner(reported=None))
    replay.issue(ATTEMPT, b"a")
    assert [one.number for one in replay.due()] == [0]
    replay.issue("x", b"x")
    assert [one.number for one in replay.due()] == [1]
    replay.issue(REPORT, b"r")
    assert replay.is_over


def test_a_tool_that_does_not_run_again_makes_none_of_its_calls() -> None:
    replay = Replay(inner(reported=None))
    replay.issue(ATTEMPT, b"a")
    assert [one.number for one in replay.due()] == [0]
    assert replay.issue(REPORT, b"r") == 2
    assert replay.due() == []
    assert replay.is_over
