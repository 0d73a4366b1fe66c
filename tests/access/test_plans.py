"""A call is part of a plan only where it is certain that it was meant."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aios.access.plans import Made, arguments_of, is_same, made, matches, places, used
from aios.syscalls import file
from aios.syscalls.access import PlannedAct
from aios.syscalls.tool import CallTool

PAY = PlannedAct(tool="bank/pay", fixed={"to": "ann", "amount": 5}, open=("words",))
NAMES = st.sampled_from(["to", "amount", "words"])
VALUES = st.sampled_from(["ann", "eve", 5, 5.0, True, None])
ARGUMENTS = st.dictionaries(NAMES, VALUES, max_size=3)


def pays(arguments: dict[str, Any], sensitive: frozenset[str] | None = frozenset()) -> Made:
    return Made("tool.call", "bank/pay", arguments, sensitive)


@given(ARGUMENTS, st.none() | st.frozensets(NAMES))
def test_what_matches_has_every_fixed_value_and_no_open_one_on_which_harm_hangs(
    arguments: dict[str, Any], sensitive: frozenset[str] | None
) -> None:
    if matches(PAY, pays(arguments, sensitive)):
        assert arguments["to"] == "ann"
        assert arguments["amount"] == 5
        assert arguments["amount"] is not True
        assert "words" not in arguments or (sensitive is not None and "words" not in sensitive)


@pytest.mark.parametrize("text", [
    '{"to": "ann", "to": "eve"}', '{"amount": NaN}', '{"amount": Infinity}', "[1]", "nothing", "",
    '{"a": {"b": 1, "b": 2}}', "[" * 100_000,
])  # fmt: skip
def test_what_two_readers_could_read_differently_is_in_no_plan(text: str) -> None:
    assert arguments_of(text) is None
    anything = PlannedAct(tool="t/x", open=("to", "amount", "a"))
    assert not matches(anything, made(CallTool(name="t/x", arguments=text), frozenset()))


def test_numbers_are_no_truth_values_and_equal_as_numbers() -> None:
    assert is_same(1, 1.0)
    assert is_same({"a": [1, "x"]}, {"a": [1.0, "x"]})
    assert not is_same(1, True)
    assert not is_same([1], [True])
    assert not is_same(0, False)
    assert not is_same({"a": 1}, {"a": 1, "b": 2})


def test_a_syscall_is_matched_by_the_fields_that_say_something() -> None:
    planned = PlannedAct(verb="file.delete", fixed={"path": "a"})
    assert matches(planned, made(file.Delete(path="a")))
    assert not matches(planned, made(file.Delete(path="a", owner="bob")))
    assert not matches(planned, made(file.MakeFolder(path="a")))


def test_a_call_takes_the_narrowest_act_that_fits_it() -> None:
    wide = PlannedAct(tool="bank/pay", open=("to",))
    narrow = PlannedAct(tool="bank/pay", fixed={"to": "ann"})
    ann, eve = pays({"to": "ann"}), pays({"to": "eve"})
    assert places((wide, narrow), [ann, eve]) == [1, 0]
    assert places((wide, narrow), [eve, ann, ann]) == [0, 1, None]


@given(st.lists(st.integers(1, 3), max_size=4), st.lists(ARGUMENTS, max_size=6))
def test_no_act_is_used_more_often_than_it_may_be(
    uses: list[int], calls: list[dict[str, Any]]
) -> None:
    plan = tuple(
        PlannedAct(tool="bank/pay", open=("to", "amount", "words"), uses=count) for count in uses
    )
    taken = places(plan, map(pays, calls))
    left = used(plan, taken)
    assert sum(one.uses for one in left) == sum(uses) - sum(one is not None for one in taken)
    assert sum(one is not None for one in taken) == min(len(calls), sum(uses))
