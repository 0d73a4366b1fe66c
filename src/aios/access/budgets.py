"""Accounts and their limits: hold in all of a chain or in none, settle, top up, warn. Pure.

Amounts are whole billionths inside, so that what was held and given back sums to nothing. What is
held counts as spent until it is settled: however many calls overlap, `held + spent` of a line
never grows past its limit. Seconds are not held: they pass from the first call on, and stand still
at the limit, so that a top-up buys time from then on.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from aios.syscalls.budget import EVERYBODY, Resource

UNIT = 1_000_000_000
WARN_AT = 0.8  # of a limit

Wants = Mapping[Resource, int]  # in billionths


def units(amount: float) -> int:
    """An amount of the border in billionths."""
    return round(amount * UNIT)


def chain(agent: str, user: str = "") -> tuple[str, ...]:
    """The accounts that pay for an agent: its own, those above it, its user's, everybody's."""
    names = agent.split("/")
    path = ["/".join(names[:length]) for length in range(len(names), 0, -1)]
    return (*path, *((user,) if user else ()), EVERYBODY)


@dataclass(slots=True, eq=False)
class Line:
    """One resource of one account. Invariant: `held` is the sum of the holds that are open."""

    account: str
    resource: Resource
    limit: int | None = None  # None: counted, not limited
    spent: int = 0  # of seconds: up to `since`
    held: int = 0
    since: float | None = None  # of seconds: from when on they pass; None: nobody has called yet
    warned: bool = False
    waiting: int = 0  # calls that wait for more
    is_time: bool = False

    def __post_init__(self) -> None:
        self.is_time = self.resource is Resource.SECONDS

    def used(self, now: float) -> int:
        """What is spent and held by now."""
        if not self.is_time or self.since is None:
            return self.spent + self.held
        passed = self.spent + units(max(0.0, now - self.since))
        return passed if self.limit is None else min(passed, max(self.limit, self.spent))

    def is_low(self, now: float) -> bool:
        return self.limit is not None and 0 < self.limit * WARN_AT <= self.used(now)

    def raise_by(self, more: int, now: float) -> None:
        """A higher limit; seconds that passed beyond the old one cost nothing."""
        assert self.limit is not None
        self._stop(now)
        self.limit += more
        self.warned = False

    def set(self, limit: int | None, now: float) -> None:
        """Another limit, or none."""
        self._stop(now)
        self.limit = limit
        self.warned = False

    def _stop(self, now: float) -> None:
        if self.since is not None:
            self.spent, self.since = self.used(now), now


@dataclass(slots=True, eq=False)
class Held:
    """What is set aside for one call, the same in each of its lines."""

    lines: tuple[Line, ...]
    wants: Wants
    is_open: bool = True

    @property
    def is_any(self) -> bool:
        """Whether there is something to settle: time is not."""
        return any(not line.is_time for line in self.lines)


@dataclass(frozen=True, slots=True)
class Short:
    """The tightest line that does not have what is wanted."""

    line: Line
    wanted: int

    @property
    def is_hopeless(self) -> bool:
        """More than the whole limit: waiting for others to settle would never do."""
        return self.line.limit is not None and self.wanted > self.line.limit


@dataclass(slots=True)
class Accounts:
    """All lines there are, by account and resource."""

    _lines: dict[tuple[str, Resource], Line] = field(default_factory=dict)

    @property
    def is_any(self) -> bool:
        return bool(self._lines)

    def restore(self, line: Line) -> None:
        self._lines[line.account, line.resource] = line

    def find(self, account: str, resource: Resource) -> Line | None:
        return self._lines.get((account, resource))

    def line(self, account: str, resource: Resource) -> Line:
        """The line, a new one where there is none."""
        return self._lines.setdefault((account, resource), Line(account, resource))

    def all(self) -> list[Line]:
        """In order of account and resource."""
        return [self._lines[key] for key in sorted(self._lines)]

    def of(self, accounts: Iterable[str]) -> tuple[Line, ...]:
        """The lines of a chain, its own account's first."""
        wanted = ((account, resource) for account in accounts for resource in Resource)
        return tuple(self._lines[key] for key in wanted if key in self._lines)


def try_hold(lines: Sequence[Line], wants: Wants, now: float) -> Held | Short:
    """Hold in every line or in none. Seconds begin to pass with the first call."""
    mine = [line for line in lines if line.resource in wants]
    for line in mine:
        if line.limit is not None and _needed(line, wants, now) > line.limit:
            return _shortest(mine, wants, now)
    for line in mine:
        if not line.is_time:
            line.held += wants[line.resource]
        elif line.since is None:
            line.since = now
    return Held(tuple(mine), wants)


def settle(held: Held, took: Wants) -> None:
    """Spend what was taken, at most what was held, and give back the rest. Once."""
    assert held.is_open, "a hold is settled once"
    held.is_open = False
    for line in held.lines:
        if not line.is_time:
            wanted = held.wants[line.resource]
            line.held -= wanted
            line.spent += min(took.get(line.resource, 0), wanted)
            assert line.held >= 0


def newly_low(lines: Iterable[Line], now: float) -> list[Line]:
    """Lines that have come near their limit, each told once for a limit."""
    low = [line for line in lines if not line.warned and line.is_low(now)]
    for line in low:
        line.warned = True
    return low


def _shortest(lines: Iterable[Line], wants: Wants, now: float) -> Short:
    """A line that can never give it before one that cannot now."""
    missing = [
        Short(line, wants[line.resource])
        for line in lines
        if line.limit is not None and _needed(line, wants, now) > line.limit
    ]
    return next((short for short in missing if short.is_hopeless), missing[0])


def _needed(line: Line, wants: Wants, now: float) -> int:
    """Time that is used up to the limit is used up; of the rest, exactly the limit may be held."""
    if line.is_time:
        return line.used(now) + 1
    return line.spent + line.held + wants[line.resource]
