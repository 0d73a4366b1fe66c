"""Accounts against a plain model: never overspent, nothing lost, whatever overlaps."""

from dataclasses import dataclass, field

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from aios.access.budgets import (
    UNIT,
    Accounts,
    Held,
    Line,
    Short,
    chain,
    newly_low,
    settle,
    try_hold,
    units,
)
from aios.syscalls.budget import Resource

R = Resource
AGENTS = ("a", "a/b", "a/b/c", "d")
ACCOUNTS = (*AGENTS, "@team", "@all")
SPENT = (R.TOKENS, R.MONEY)
AMOUNTS = st.integers(0, 20)


def team(agent: str) -> str:
    return "@team" if agent.startswith("a") else ""


def accounts(*limits: tuple[str, Resource, float | None]) -> Accounts:
    made = Accounts()
    for account, resource, limit in limits:
        made.line(account, resource).set(None if limit is None else units(limit), 0.0)
    return made


def held(made: Accounts, agent: str, tokens: int) -> Held | Short:
    return try_hold(made.of(chain(agent)), {R.TOKENS: tokens * UNIT}, 0.0)


def spent(made: Accounts, account: str) -> float:
    line = made.find(account, R.TOKENS)
    assert line is not None
    return line.spent / UNIT


def test_a_chain_goes_from_the_agent_over_its_parents_to_everybody() -> None:
    assert chain("a/b/c", "@team") == ("a/b/c", "a/b", "a", "@team", "@all")
    assert chain("a") == ("a", "@all")


def test_what_an_agent_spends_is_spent_by_all_above_it() -> None:
    made = accounts(("a/b", R.TOKENS, 10), ("a", R.TOKENS, 10), ("@all", R.TOKENS, 10))
    got = held(made, "a/b", 4)
    assert isinstance(got, Held)
    settle(got, {R.TOKENS: 3 * UNIT})
    assert [spent(made, one) for one in ("a/b", "a", "@all")] == [3, 3, 3]


def test_the_tightest_account_decides_and_nothing_is_held_in_the_others() -> None:
    made = accounts(("a/b", R.TOKENS, 100), ("a", R.TOKENS, 10))
    first = held(made, "a/b", 8)
    short = held(made, "a/b", 8)
    assert isinstance(first, Held)
    assert isinstance(short, Short)
    assert (short.line.account, short.is_hopeless) == ("a", False)
    assert [line.held for line in made.all()] == [8 * UNIT, 8 * UNIT]


def test_more_than_the_whole_limit_is_hopeless_though_another_line_is_only_full() -> None:
    made = accounts(("a/b", R.TOKENS, 10), ("a", R.TOKENS, 5))
    assert isinstance(held(made, "a/b", 5), Held)
    short = held(made, "a/b", 6)
    assert isinstance(short, Short)
    assert (short.line.account, short.is_hopeless) == ("a", True)


def test_an_account_without_a_limit_is_counted() -> None:
    made = accounts(("a", R.TOKENS, None))
    got = held(made, "a", 10**9)
    assert isinstance(got, Held)
    settle(got, got.wants)
    assert spent(made, "a") == 10**9


def test_more_than_was_held_is_never_spent() -> None:
    made = accounts(("a", R.TOKENS, 10))
    got = held(made, "a", 2)
    assert isinstance(got, Held)
    settle(got, {R.TOKENS: 9 * UNIT})
    assert spent(made, "a") == 2


def test_a_hold_is_settled_once() -> None:
    got = held(accounts(("a", R.TOKENS, 10)), "a", 2)
    assert isinstance(got, Held)
    settle(got, {})
    with pytest.raises(AssertionError):
        settle(got, {})


def test_a_limit_below_what_is_spent_grants_nothing_more() -> None:
    made = accounts(("a", R.TOKENS, 10))
    got = held(made, "a", 8)
    assert isinstance(got, Held)
    settle(got, got.wants)
    made.line("a", R.TOKENS).set(5 * UNIT, 0.0)
    assert isinstance(held(made, "a", 1), Short)


def test_a_warning_comes_once_for_a_limit() -> None:
    made = accounts(("a", R.TOKENS, 10))
    lines = made.of(chain("a"))
    held(made, "a", 7)
    assert newly_low(lines, 0.0) == []
    held(made, "a", 1)
    assert [line.account for line in newly_low(lines, 0.0)] == ["a"]
    assert newly_low(lines, 0.0) == []
    made.line("a", R.TOKENS).raise_by(10 * UNIT, 0.0)
    held(made, "a", 9)
    assert len(newly_low(lines, 0.0)) == 1


def seconds(made: Accounts, now: float) -> Held | Short:
    return try_hold(made.of(chain("a")), {R.SECONDS: 0}, now)


def test_time_passes_from_the_first_call_and_stands_still_at_the_limit() -> None:
    made = accounts(("a", R.SECONDS, 60))
    line = made.line("a", R.SECONDS)
    assert line.used(1_000.0) == 0
    assert isinstance(seconds(made, 1_000.0), Held)
    assert isinstance(seconds(made, 1_059.0), Held)
    short = seconds(made, 1_060.0)
    assert isinstance(short, Short)
    assert not short.is_hopeless
    assert line.used(9_000.0) == 60 * UNIT
    line.raise_by(30 * UNIT, 9_000.0)
    assert isinstance(seconds(made, 9_029.0), Held)
    assert isinstance(seconds(made, 9_030.0), Short)


def test_a_clock_that_goes_back_gives_no_time() -> None:
    made = accounts(("a", R.SECONDS, 60))
    seconds(made, 1_000.0)
    assert made.line("a", R.SECONDS).used(900.0) == 0


@dataclass
class Plain:
    """The reference: one pair of numbers for each account and resource, no chains kept."""

    limit: int | None
    spent: int = 0
    open: list[int] = field(default_factory=list)

    @property
    def used(self) -> int:
        return self.spent + sum(self.open)


class Spending(RuleBasedStateMachine):
    """Random agents hold, settle and are topped up, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.real = Accounts()
        self.plain: dict[tuple[str, Resource], Plain] = {}
        self.open: list[tuple[str, Held]] = []

    def lines_of(self, agent: str, wants: dict[Resource, int]) -> list[Plain]:
        keys = [(one, r) for one in chain(agent, team(agent)) for r in wants]
        return [self.plain[key] for key in keys if key in self.plain]

    @rule(account=st.sampled_from(ACCOUNTS), resource=st.sampled_from(SPENT), limit=AMOUNTS)
    def limit(self, account: str, resource: Resource, limit: int) -> None:
        self.real.line(account, resource).set(limit, 0.0)
        self.plain.setdefault((account, resource), Plain(limit)).limit = limit

    @rule(account=st.sampled_from(ACCOUNTS), resource=st.sampled_from(SPENT), more=AMOUNTS)
    def top_up(self, account: str, resource: Resource, more: int) -> None:
        plain = self.plain.get((account, resource))
        if plain is not None and plain.limit is not None:
            self.real.line(account, resource).raise_by(more, 0.0)
            plain.limit += more

    @rule(agent=st.sampled_from(AGENTS), tokens=AMOUNTS, money=AMOUNTS)
    def hold(self, agent: str, tokens: int, money: int) -> None:
        wants = {R.TOKENS: tokens, R.MONEY: money}
        got = try_hold(self.real.of(chain(agent, team(agent))), wants, 0.0)
        may = all(
            plain.limit is None or plain.used + wants[resource] <= plain.limit
            for resource in wants
            for plain in self.lines_of(agent, {resource: 0})
        )
        assert isinstance(got, Held) == may
        if isinstance(got, Held):
            for resource in wants:
                for plain in self.lines_of(agent, {resource: 0}):
                    if self._is_in(got, plain):
                        plain.open.append(wants[resource])
            self.open.append((agent, got))

    def _is_in(self, got: Held, plain: Plain) -> bool:
        keys = {(line.account, line.resource) for line in got.lines}
        return any(self.plain[key] is plain for key in keys)

    @precondition(lambda self: self.open)
    @rule(data=st.data(), share=st.fractions(0, 1))
    def settle(self, data: st.DataObject, share: float) -> None:
        _, got = self.open.pop(data.draw(st.integers(0, len(self.open) - 1)))
        took = {resource: int(wanted * share) for resource, wanted in got.wants.items()}
        settle(got, took)
        for line in got.lines:
            plain = self.plain[line.account, line.resource]
            plain.open.remove(got.wants[line.resource])
            plain.spent += took[line.resource]

    @invariant()
    def every_line_is_what_the_plain_numbers_say(self) -> None:
        for line in self.real.all():
            plain = self.plain[line.account, line.resource]
            assert (line.spent, line.held) == (plain.spent, sum(plain.open))
            assert line.held >= 0


Spending.TestCase.settings = settings(max_examples=150, stateful_step_count=60, deadline=None)
TestSpending = Spending.TestCase


def test_tenths_that_come_and_go_leave_nothing_behind() -> None:
    line = Line("a", R.MONEY, limit=units(1.0))
    for _ in range(1_000):
        got = try_hold((line,), {R.MONEY: units(0.1)}, 0.0)
        assert isinstance(got, Held)
        settle(got, {})
    assert (line.held, line.spent) == (0, 0)
