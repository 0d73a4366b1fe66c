"""Who may run beside whom: shared and exclusive holds over resources, and instances of a tool.

Pure and synchronous. Every resource has a line. A call enters all its lines at once, in order of
arrival, and passes a line when nobody whom it must not run beside stands before it there: readers
pass together, a writer alone. When it has passed them all it enters the line of its tool's
instances, and when it has passed that one too it is granted.

**Bound**: a call waits at most for those that came to a line of its own before it; whoever comes
later never overtakes it there. So nobody starves, reader or writer.

**No deadlock**: in lines of resources everybody waits for earlier ones only; who waits for an
instance waits for those that run, or are next to. A call made from within a running one could close
a circle, because what it is within holds and waits. What an ancestor holds it gets from that one,
in a line of its own for all that are made from within it; and it is refused where its wait could
never end.
"""

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from itertools import count

from aios.tools.base import Mode

# Of a resource, or of a tool's instances; and the number of the ticket that hands the resource on.
_Name = tuple[int, str]


class Ticket:
    """One call's place. Whoever asked for it gives it back with `leave`, granted or not."""

    __slots__ = (
        "_blocked", "_lines", "_needs", "_slot", "has_left", "is_granted", "label", "number",
        "within",
    )  # fmt: skip

    def __init__(
        self, number: int, label: str, needs: Mapping[str, Mode], within: "Ticket | None"
    ) -> None:
        self.number = number
        self.label = label
        self.within = within
        self.is_granted = False
        self.has_left = False  # and is kept because calls from within it are not over
        self._needs = needs
        self._lines: list[_Line] = []
        self._slot: tuple[_Name, int] | None = None  # the line of instances, not entered yet
        self._blocked = 0  # lines that it stands in and has not passed

    def __str__(self) -> str:
        return f"of {self.label}"


class _Line:
    """Tickets in order of arrival: those that have passed, then those that wait."""

    __slots__ = ("capacity", "is_alone", "name", "passed", "waiting")

    def __init__(self, name: _Name, capacity: int | None = None) -> None:
        self.name = name
        self.capacity = capacity  # of instances; None: a resource, with readers and writers
        self.passed: dict[Ticket, None] = {}
        self.waiting: OrderedDict[Ticket, Mode] = OrderedDict()
        self.is_alone = False  # the one that passed is a writer

    def admits(self, mode: Mode) -> bool:
        """Whether the first in the line may pass now."""
        if self.capacity is not None:
            return len(self.passed) < self.capacity
        return not self.passed if mode == "write" else not self.is_alone

    def enter(self, ticket: Ticket, mode: Mode) -> bool:
        """Whether the ticket has passed at once."""
        if self.waiting or not self.admits(mode):
            self.waiting[ticket] = mode
            return False
        self._let_pass(ticket, mode)
        return True

    def leave(self, ticket: Ticket) -> Iterator[Ticket]:
        """Those that pass because of it."""
        if ticket in self.passed:
            del self.passed[ticket]
            self.is_alone = False
        else:
            del self.waiting[ticket]
        while self.waiting:
            first = next(iter(self.waiting))
            if not self.admits(self.waiting[first]):
                return
            self._let_pass(first, self.waiting.pop(first))
            yield first

    def ahead_of(self, ticket: Ticket) -> Iterator[Ticket]:
        """Whom a waiting ticket waits for."""
        mode = self.waiting[ticket]
        if self.capacity is not None or mode == "write" or self.is_alone:
            yield from self.passed
        for other, its in self.waiting.items():
            if other is ticket:
                return
            if self.capacity is not None or "write" in (mode, its):
                yield other

    def _let_pass(self, ticket: Ticket, mode: Mode) -> None:
        self.passed[ticket] = None
        self.is_alone = self.capacity is None and mode == "write"


class Holds:
    """All lines. Invariant: a line that nobody stands in is not kept."""

    def __init__(self) -> None:
        self._lines: dict[_Name, _Line] = {}
        self._slots: dict[_Name, _Line] = {}
        self._inner: dict[Ticket, set[Ticket]] = {}  # of running calls, those made from within
        self._numbers = count(1)

    def request(
        self,
        needs: Mapping[str, Mode],
        *,
        slot: str = "",
        instances: int | None = None,
        within: Ticket | None = None,
    ) -> Ticket | None:
        """A place for a call; it may be granted already. None: it could never be granted.

        `slot` names the tool whose `instances` are limited; `within` is the running call that this
        one is made from.
        """
        if within is not None and (within.has_left or not within.is_granted):
            within = None
        ticket = Ticket(next(self._numbers), slot, needs, within)
        if within is not None:
            self._inner.setdefault(within, set()).add(ticket)
        if instances is not None:
            ticket._slot = (0, slot), instances
        for resource, mode in needs.items():
            name = (_giver(within, resource, mode) if within else 0, resource)
            line = self._lines.get(name)
            if line is None:
                line = self._lines[name] = _Line(name)
            self._enter(ticket, line, mode)
        if not ticket._blocked:
            self._advance(ticket)
        if within is not None and not ticket.is_granted and self._is_circle(ticket):
            self.leave(ticket)
            return None
        return ticket

    def leave(self, ticket: Ticket) -> list[Ticket]:
        """The call has ended, or waits no longer: those that are granted by that.

        What calls from within it do is covered by its holds, so these last until they have ended.
        """
        ticket.has_left = True
        passed: list[Ticket] = []
        leaving: Ticket | None = ticket
        while leaving is not None and leaving.has_left and leaving not in self._inner:
            passed += self._left(leaving)
            leaving = leaving.within
        # First all lines, then what follows: who came first enters the line of instances first.
        for one in passed:
            one._blocked -= 1
        for one in sorted(passed, key=lambda one: one.number):
            if not one._blocked and not one.is_granted:
                self._advance(one)
        return [one for one in dict.fromkeys(passed) if one.is_granted]

    @property
    def resources(self) -> int:
        """How many are held or waited for."""
        return len(self._lines) + len(self._slots)

    def _left(self, ticket: Ticket) -> list[Ticket]:
        """Take a ticket out of everything: those that pass a line because of it."""
        ticket.is_granted = False
        passed: list[Ticket] = []
        for line in ticket._lines:
            passed += line.leave(ticket)
            if not line.passed and not line.waiting:
                (self._lines if line.capacity is None else self._slots).pop(line.name, None)
        ticket._lines.clear()
        if ticket.within is not None:
            self._inner[ticket.within].discard(ticket)
            if not self._inner[ticket.within]:
                del self._inner[ticket.within]
        return passed

    def _enter(self, ticket: Ticket, line: _Line, mode: Mode) -> None:
        ticket._lines.append(line)
        ticket._blocked += not line.enter(ticket, mode)

    def _advance(self, ticket: Ticket) -> None:
        """It has passed every line it stands in."""
        slot, ticket._slot = ticket._slot, None
        if slot is not None:
            line = self._slots.get(slot[0]) or self._slots.setdefault(slot[0], _Line(*slot))
            self._enter(ticket, line, "read")
        ticket.is_granted = not ticket._blocked

    def _is_circle(self, ticket: Ticket) -> bool:
        """Whether a new call waits, in the end, for one that it is made from."""
        ancestors = set(_ancestors(ticket.within))
        seen: set[Ticket] = set()
        ahead = list(self._waits_for(ticket))
        while ahead:
            one = ahead.pop()
            if one in ancestors:
                return True
            if one not in seen:
                seen.add(one)
                ahead += self._waits_for(one)
        return False

    def _waits_for(self, ticket: Ticket) -> Iterable[Ticket]:
        if ticket.is_granted:
            return self._inner.get(ticket, ())
        lines = (line for line in ticket._lines if ticket in line.waiting)
        ahead = [other for line in lines for other in line.ahead_of(ticket)]
        slot = self._slots.get(ticket._slot[0]) if ticket._slot is not None else None
        if slot is not None and not slot.admits("read"):
            ahead += slot.passed  # once it has all else: a circle that is to come
        return ahead


def _ancestors(ticket: Ticket | None) -> Iterator[Ticket]:
    while ticket is not None:
        yield ticket
        ticket = ticket.within


def _giver(within: Ticket, resource: str, mode: Mode) -> int:
    """The number of the nearest ancestor that holds the resource so; 0: none does."""
    for one in _ancestors(within):
        if one._needs.get(resource) in ("write", mode):
            return one.number
    return 0
