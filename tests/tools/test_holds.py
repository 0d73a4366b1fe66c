"""Who runs beside whom, against a model that does it the slow and obvious way."""

from itertools import combinations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    invariant,
    precondition,
    rule,
)

from aios.tools.base import Mode
from aios.tools.holds import Holds, Ticket

RESOURCES = ("a", "b", "c", "d")
SLOTS = {"": None, "one": 1, "two": 2}
NEEDS = st.dictionaries(st.sampled_from(RESOURCES), st.sampled_from(("read", "write")), max_size=3)


def conflict(first: dict[str, Mode], second: dict[str, Mode]) -> bool:
    return any("write" in (first[name], second[name]) for name in first.keys() & second.keys())


class Model:
    """Everybody in order of arrival; looks at all pairs, every time."""

    def __init__(self) -> None:
        self.needs: dict[int, dict[str, Mode]] = {}  # of who is there, oldest first
        self.slots: dict[int, str] = {}
        self.ready: list[int] = []  # of those, in the order in which they got all resources

    def settle(self) -> None:
        for one, needs in self.needs.items():
            before = [other for other in self.needs if other < one]
            if one not in self.ready and not any(conflict(needs, self.needs[b]) for b in before):
                self.ready.append(one)

    @property
    def granted(self) -> set[int]:
        found = set()
        for place, one in enumerate(self.ready):
            slot = self.slots[one]
            most = SLOTS[slot]
            ahead = sum(self.slots[other] == slot for other in self.ready[:place])
            if most is None or ahead < most:
                found.add(one)
        return found


class Machine(RuleBasedStateMachine):
    """Calls come and go in any order; the holds and the model agree on who runs."""

    tickets = Bundle("tickets")

    def __init__(self) -> None:
        super().__init__()
        self.holds = Holds()
        self.model = Model()
        self.there: dict[int, Ticket] = {}
        self.told: set[int] = set()  # who was said to be granted

    @rule(target=tickets, needs=NEEDS, slot=st.sampled_from(tuple(SLOTS)))
    def come(self, needs: dict[str, Mode], slot: str) -> int:
        ticket = self.holds.request(needs, slot=slot, instances=SLOTS[slot])
        assert ticket is not None
        number = ticket.number
        self.there[number] = ticket
        self.model.needs[number], self.model.slots[number] = needs, slot
        self.model.settle()
        if ticket.is_granted:
            self.told.add(number)
        return number

    @rule(number=consumes(tickets))
    def go(self, number: int) -> None:
        """Ended, or tired of waiting."""
        granted = self.holds.leave(self.there.pop(number))
        self.told.discard(number)
        del self.model.needs[number]
        if number in self.model.ready:
            self.model.ready.remove(number)
        self.model.settle()
        assert not self.told & {one.number for one in granted}, "nobody is granted twice"
        self.told |= {one.number for one in granted}

    @invariant()
    def the_same_calls_run(self) -> None:
        running = {number for number, ticket in self.there.items() if ticket.is_granted}
        assert running == self.model.granted == self.told

    @invariant()
    def no_two_conflicting_calls_run(self) -> None:
        running = [number for number, ticket in self.there.items() if ticket.is_granted]
        for first, second in combinations(running, 2):
            assert not conflict(self.model.needs[first], self.model.needs[second])

    @invariant()
    def somebody_runs_where_somebody_is(self) -> None:
        assert not self.there or any(ticket.is_granted for ticket in self.there.values())

    @precondition(lambda self: not self.there)
    @invariant()
    def nothing_is_kept_for_nobody(self) -> None:
        assert self.holds.resources == 0


TestMachine = Machine.TestCase
TestMachine.settings = settings(max_examples=100, stateful_step_count=60, deadline=None)


class Family(RuleBasedStateMachine):
    """Calls within calls: nobody runs beside a stranger it conflicts with, and nobody is stuck."""

    def __init__(self) -> None:
        super().__init__()
        self.holds = Holds()
        self.there: dict[int, Ticket] = {}
        self.needs: dict[int, dict[str, Mode]] = {}

    @rule(needs=NEEDS, slot=st.sampled_from(tuple(SLOTS)), data=st.data())
    def come(self, needs: dict[str, Mode], slot: str, data: st.DataObject) -> None:
        running = [ticket for ticket in self.there.values() if ticket.is_granted]
        within = data.draw(st.sampled_from([None, *running]))
        ticket = self.holds.request(needs, slot=slot, instances=SLOTS[slot], within=within)
        assert ticket is not None or within is not None, "only a call within a call is refused"
        if ticket is not None:
            self.there[ticket.number], self.needs[ticket.number] = ticket, needs

    @precondition(lambda self: self._done())
    @rule(data=st.data())
    def go(self, data: st.DataObject) -> None:
        """One ends that waits for nobody within it."""
        number = data.draw(st.sampled_from(self._done()))
        self.holds.leave(self.there.pop(number))

    @precondition(lambda self: self.there)
    @rule(data=st.data())
    def give_up(self, data: st.DataObject) -> None:
        number = data.draw(st.sampled_from(sorted(self.there)))
        self.holds.leave(self.there.pop(number))

    def _done(self) -> list[int]:
        parents = {ticket.within for ticket in self.there.values()}
        return [
            number
            for number, ticket in self.there.items()
            if ticket.is_granted and ticket not in parents
        ]

    @invariant()
    def nobody_conflicts_but_with_what_it_is_within(self) -> None:
        running = [ticket for ticket in self.there.values() if ticket.is_granted]
        for first, second in combinations(running, 2):
            if not (_is_within(first, second) or _is_within(second, first)):
                assert not conflict(self.needs[first.number], self.needs[second.number])

    @invariant()
    def somebody_can_always_end(self) -> None:
        assert not self.there or self._done(), "a circle of waits"


def _is_within(inner: Ticket | None, outer: Ticket) -> bool:
    while inner is not None:
        if inner is outer:
            return True
        inner = inner.within
    return False


TestFamily = Family.TestCase
TestFamily.settings = settings(max_examples=100, stateful_step_count=60, deadline=None)


def test_a_writer_is_not_overtaken_by_readers_that_come_later() -> None:
    holds = Holds()
    first = holds.request({"a": "read"})
    writer = holds.request({"a": "write"})
    later = [holds.request({"a": "read"}) for _ in range(100)]
    assert first is not None
    assert writer is not None
    assert not any(one.is_granted for one in later if one)
    assert holds.leave(first) == [writer]
    assert holds.leave(writer) == later


def test_a_call_that_waits_for_a_file_leaves_its_tools_instances_to_others() -> None:
    holds = Holds()
    holds.request({"a": "write"})
    stuck = holds.request({"a": "write"}, slot="t", instances=1)
    other = holds.request({"b": "write"}, slot="t", instances=1)
    assert stuck is not None
    assert other is not None
    assert not stuck.is_granted
    assert other.is_granted


def test_a_call_within_a_call_shares_what_that_holds() -> None:
    holds = Holds()
    outer = holds.request({"a": "write"})
    assert outer is not None
    inner = holds.request({"a": "write"}, within=outer)
    assert inner is not None
    assert inner.is_granted
    waiting = holds.request({"a": "read"})
    assert holds.leave(outer) == [], "what the inner one does is still covered"
    assert holds.leave(inner) == [waiting]


def test_two_calls_that_want_what_the_other_holds_do_not_wait_for_ever() -> None:
    holds = Holds()
    first, second = holds.request({"a": "write"}), holds.request({"b": "write"})
    waits = holds.request({"b": "write"}, within=first)
    assert waits is not None
    assert not waits.is_granted
    assert holds.request({"a": "write"}, within=second) is None
    assert second is not None
    assert holds.leave(second) == [waits]
