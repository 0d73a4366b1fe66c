"""The calls of a durable program, made again: which is which, and when each is answered. Pure.

A program is a function of what its calls came to, in the order in which it was told. So it is run
again and told the same in the same order: an answer is given once every call has been made again
that had been made before it was given, and then all branches of the program stand where they stood.
A call that is not the recorded one is a divergence. Calls beyond the recorded ones are new, and
answered after all that are recorded.

A tool's run stands between two calls, its attempt and its report, and is not repeated once it is
reported. Then the calls that the tool itself made are not made again and count as not recorded.
And the report would come earlier than it did; it comes on time because the attempt is answered
late: when its report, or the first call of a tool that does run again, is next.
"""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass

from aios.errors import Diverged

ATTEMPT = "process.attempt"
REPORT = "process.report"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """A call as the journal remembers it."""

    number: int  # in the order in which the program made its calls, from 0
    kind: str
    digest: bytes
    seen: int  # every answer with a smaller place had been given when the call was made
    within: int | None = None  # the number of the attempt whose tool made it
    place: int | None = None  # in the order of answers; None: it was not answered
    outcome: bytes | None = None
    is_abandoned: bool = False  # the program itself gave it up
    reported: str | None = None  # of an attempt: what its tool gave
    report: int | None = None  # of an attempt: the number of the call that reports it
    report_digest: bytes = b""  # of an attempt: what that call looks like


class Replay:
    """Where a program stands on its way through its recorded calls."""

    def __init__(self, recorded: Sequence[Recorded]) -> None:
        calls = {one.number: one for one in sorted(recorded, key=lambda one: one.number)}
        settled = _within(calls, {one.number for one in recorded if one.reported is not None})
        self._recorded = {key: one for key, one in calls.items() if key not in settled}
        self._missing = dict(self._recorded)  # not made again yet, in order
        self._attempts = {one.report_digest: one.number for one in recorded if one.kind == ATTEMPT}
        self._answers = _in_order(list(self._recorded.values()))
        places = (one.place for one in recorded if one.place is not None)
        self.places = max(places, default=-1) + 1  # the first that no recorded answer has
        self._told = 0  # of `_answers`
        self._next = max(calls, default=-1) + 1  # the number of the next new call

    def issue(self, kind: str, digest: bytes) -> int:
        """The program makes a call: its number. Raises `Diverged`."""
        known = self._reported(digest) if kind == REPORT else self._first()
        if known is None:
            self._next += 1
            return self._next - 1
        if (known.kind, known.digest) != (kind, digest):
            different = "with other arguments" if known.kind == kind else "another call"
            raise Diverged(
                f"call {known.number} was {known.kind} and now is {kind}, {different}: the program "
                "is not the one that made the recorded calls, or does not do the same every time"
            )
        del self._missing[known.number]
        return known.number

    def recorded(self, number: int) -> Recorded | None:
        """What is known of a call; None where it is new."""
        return self._recorded.get(number)

    def due(self) -> list[Recorded]:
        """The calls to be answered now, in this order. Each is told once."""
        due = []
        missing = next(iter(self._missing), self._next)
        while self._told < len(self._answers) and self._answers[self._told].needs <= missing:
            due.append(self._answers[self._told].call)
            self._told += 1
        return [one for one in due if one.number in self._recorded]

    def end(self) -> None:
        """The program has ended. Raises `Diverged` where recorded calls were not made again."""
        for number, known in self._missing.items():
            raise Diverged(f"the program ended where call {number}, {known.kind}, was recorded")

    @property
    def is_over(self) -> bool:
        """Every recorded call was made again, and nothing recorded is left to be told."""
        return self._told == len(self._answers) and not self._missing

    def _first(self) -> Recorded | None:
        """The next call to be made again. Reports come when their tools are done."""
        calls = (one for one in self._missing.values() if one.kind != REPORT)
        return next(calls, None)

    def _reported(self, digest: bytes) -> Recorded | None:
        """The report to be made again; a tool that did not run again makes no calls any more."""
        if digest in self._attempts:
            for number in _within(self._missing, {self._attempts[digest]}):
                del self._missing[number], self._recorded[number]
        reports = (one for one in self._missing.values() if one.kind == REPORT)
        return next((one for one in reports if one.digest == digest), None)


@dataclass(frozen=True, slots=True)
class _Answer:
    call: Recorded
    needs: int  # every call with a smaller number must have been made


def _within(calls: Mapping[int, Recorded], attempts: Set[int]) -> set[int]:
    """The calls that the tools of these attempts made, and tools that those called."""
    inside: set[int] = set()
    for number, call in calls.items():  # In order: an attempt comes before what is within it.
        if call.within in attempts or call.within in inside:
            inside.add(number)
    return inside


def _in_order(recorded: Sequence[Recorded]) -> list[_Answer]:
    """All answers in the order of telling them."""
    first_after = _first_after(recorded)
    held = {one.number: one for one in recorded if one.kind == ATTEMPT and one.place is not None}
    plain = [one for one in recorded if one.place is not None and one.number not in held]
    plain.sort(key=_place, reverse=True)
    told: list[_Answer] = []
    for call in recorded:
        while plain and _place(plain[-1]) < call.seen:
            told.append(_Answer(plain.pop(), call.number))
        if (attempt := held.pop(first_after.get(call.number, -1), None)) is not None:
            told.append(_Answer(attempt, call.number))
    made = max((one.number + 1 for one in recorded), default=0)
    late = [*reversed(plain), *sorted(held.values(), key=_place)]
    return told + [_Answer(one, made) for one in late]


def _first_after(recorded: Sequence[Recorded]) -> dict[int, int]:
    """Of calls that an attempt's answer makes the program make, the attempts."""
    found: dict[int, int] = {}
    reports = {one.report: one.number for one in recorded if one.report is not None}
    attempts = set()
    for call in recorded:
        attempt = reports.get(call.number, call.within)
        if attempt is not None and attempt not in attempts:
            attempts.add(attempt)
            found[call.number] = attempt
    return found


def _place(one: Recorded) -> int:
    assert one.place is not None
    return one.place
