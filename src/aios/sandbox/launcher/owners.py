"""Whose jobs these are: what each owner has computed lately, and how many run. Pure.

An owner that floods is slowed alone: what begins next is of whoever has the fewest, no owner has
all places, and who has computed for long runs when nobody else would, also with its next job.
"""

from collections.abc import Iterable
from dataclasses import dataclass

BURST_S = 0.1  # of CPU time, from which on an owner's jobs are no short calls any more
TYPICAL_S = (
    0.025  # of CPU time for a job, from which on an owner's next is expected to be no short call
)
FORGIVEN = 0.3  # CPU seconds a second: so much of a processor is nobody's trouble
SPENT_S_MAX = 3.0  # so that all is forgiven after ten quiet seconds
FORGET_ABOVE = 256  # owners


@dataclass(slots=True, eq=False)
class Owner:
    """One owner, or one job of nobody's."""

    live: int = 0  # jobs that run
    _spent_s: float = 0.0
    _at: float = 0.0
    _typical_s: float = 0.0  # of CPU time for a job, the last ones counting most

    def spend(self, cpu_s: float, now: float) -> None:
        self._spent_s = min(SPENT_S_MAX, self._left_s(now) + cpu_s)
        self._at = now

    def did(self, cpu_s: float) -> None:
        """A job has ended that used so much."""
        self._typical_s = (self._typical_s + cpu_s) / 2

    def is_greedy(self, now: float) -> bool:
        return self._left_s(now) >= BURST_S or self._typical_s >= TYPICAL_S

    def is_forgiven(self, now: float) -> bool:
        return not self.live and not self._left_s(now)

    def _left_s(self, now: float) -> float:
        return max(0.0, self._spent_s - FORGIVEN * (now - self._at))


class Owners:
    """By name. Invariant: none has more than `each_max` jobs that run."""

    def __init__(self, each_max: int) -> None:
        self._each_max = each_max
        self._known: dict[str, Owner] = {}

    def of(self, name: str, now: float) -> Owner:
        """Without a name nobody's: an owner of its own for each job."""
        if not name:
            return Owner()
        if len(self._known) > FORGET_ABOVE:
            known = self._known.items()
            self._known = {key: one for key, one in known if not one.is_forgiven(now)}
        return self._known.setdefault(name, Owner())

    def next(self, waiting: Iterable[Owner]) -> int | None:
        """Which of them, in order of arrival, begins now; None while all have their share."""
        fewest = min(enumerate(waiting), key=lambda one: one[1].live, default=None)
        return None if fewest is None or fewest[1].live >= self._each_max else fewest[0]
