"""The calls of a durable program, made again: which is which, and when each is answered. Pure.

A program is a function of what its calls came to, in the order in which it was told. So it is run
again and told the same in the same order: an answer is given once every call has been made again
that had been made before it was given, and then all branches of the program stand where they stood.
A call that is not the recorded one is a divergence.

One kind of answer is told later than it was: that an attempt (a run of a tool) may begin. The tool
does not run again, so its report would come earlier than it did; it comes on time if the attempt's
answer is held back until the report is next.

Calls beyond the recorded ones are new, and answered after all that are recorded.
"""

from collections.abc import Sequence
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
    place: int | None = None  # in the order of answers; None: it was not answered
    outcome: bytes | None = None
    is_abandoned: bool = False  # the program itself gave it up
    reported: str | None = None  # of an attempt: what its tool gave
    report: int | None = None  # of an attempt: the number of the call that reports it


class Replay:
    """Where a program stands on its way through its recorded calls."""

    def __init__(self, recorded: Sequence[Recorded]) -> None:
        self._recorded = {one.number: one for one in recorded}
        self._last = max(self._recorded, default=-1)
        self._answers = _in_order(recorded)
        self._issued = 0
        self._told = 0  # of `_answers`

    def issue(self, kind: str, digest: bytes) -> int:
        """The program makes a call: its number. Raises `Diverged`."""
        number = self._issued
        known = self._recorded.get(number)
        if known is not None and (known.kind, known.digest) != (kind, digest):
            different = "other arguments" if known.kind == kind else "another call"
            raise Diverged(
                f"call {number} was {known.kind}, and now is {kind} ({different}): the program is "
                "not the one that made the recorded calls, or does not do the same every time"
            )
        self._issued += 1
        return number

    def recorded(self, number: int) -> Recorded | None:
        """What is known of a call; None where it is new."""
        return self._recorded.get(number)

    def due(self) -> list[Recorded]:
        """The calls to be answered now, in this order. Each is told once."""
        due = []
        while self._told < len(self._answers):
            answer = self._answers[self._told]
            if answer.needs > self._issued:
                break
            self._told += 1
            due.append(answer.call)
        return due

    def end(self) -> None:
        """The program has ended. Raises `Diverged` where recorded calls were not made again."""
        if self._issued <= self._last:
            missing = self._recorded.get(self._issued)
            kind = missing.kind if missing else "some call"
            raise Diverged(f"the program ended where call {self._issued}, {kind}, was recorded")

    @property
    def is_over(self) -> bool:
        """Every recorded call was made again, and nothing recorded is left to be told."""
        return self._told == len(self._answers) and self._issued > self._last

    @property
    def places(self) -> int:
        """The first place that no recorded answer has."""
        places = (one.place for one in self._recorded.values() if one.place is not None)
        return max(places, default=-1) + 1


@dataclass(frozen=True, slots=True)
class _Answer:
    call: Recorded
    needs: int  # calls that must have been made before


def _in_order(recorded: Sequence[Recorded]) -> list[_Answer]:
    """All answers in the order of telling them."""
    answered = [one for one in recorded if one.place is not None]
    held = {one.number: one for one in answered if one.kind == ATTEMPT}
    by_report = {one.report: one for one in held.values() if one.report is not None}
    plain = sorted((one for one in answered if one.number not in held), key=_place)
    told: list[_Answer] = []
    following = iter(plain)
    upcoming = next(following, None)
    for call in sorted(recorded, key=lambda one: one.number):
        while upcoming is not None and _place(upcoming) < call.seen:
            told.append(_Answer(upcoming, call.number))
            upcoming = next(following, None)
        if call.number in by_report:
            told.append(_Answer(by_report[call.number], call.number))
    made = max((one.number + 1 for one in recorded), default=0)
    while upcoming is not None:
        told.append(_Answer(upcoming, made))
        upcoming = next(following, None)
    unreported = (one for one in held.values() if one.report is None)
    return told + [_Answer(one, made) for one in sorted(unreported, key=_place)]


def _place(one: Recorded) -> int:
    assert one.place is not None
    return one.place
