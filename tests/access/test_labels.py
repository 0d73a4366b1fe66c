"""Labels are a lattice, and an act is judged by what its process knows."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aios.access.base import Effect
from aios.access.labels import (
    CONSEQUENCES,
    MANY,
    PLAIN,
    RULE_OF_TWO,
    SOURCES_MAX,
    Going,
    Label,
    is_below,
    join,
    joined,
    label,
    objection,
    shown,
)

NAMES = st.frozensets(st.sampled_from(["mail", "web", "ann", "bob", "eve"]), max_size=5)
CROWDS = st.integers(0, SOURCES_MAX + 3).map(lambda n: frozenset(map(str, range(n))))
LABELS = st.builds(label, NAMES | CROWDS, st.none() | NAMES)
ANY_EFFECT = st.sampled_from(list(Effect))
TAINTED = label({"mail"})
PRIVATE = label(readers={"ann"})
BOTH = join(TAINTED, PRIVATE)


@given(LABELS, LABELS, LABELS)
def test_joining_is_associative_commutative_and_idempotent(a: Label, b: Label, c: Label) -> None:
    assert join(a, join(b, c)) == join(join(a, b), c)
    assert join(a, b) == join(b, a)
    assert join(a, a) == a
    assert join(a, PLAIN) == a


@given(LABELS, LABELS)
def test_a_join_is_the_least_label_above_both(a: Label, b: Label) -> None:
    both = join(a, b)
    assert is_below(a, both)
    assert is_below(b, both)
    assert is_below(a, b) == (both == b)
    assert a.sources <= both.sources or MANY in both.sources


@given(LABELS, LABELS, LABELS)
def test_joining_is_monotone(a: Label, b: Label, c: Label) -> None:
    if is_below(a, b):
        assert is_below(join(a, c), join(b, c))


@given(st.lists(LABELS, max_size=5))
def test_nobody_may_see_a_join_who_may_not_see_all_its_parts(labels: list[Label]) -> None:
    both = joined(labels)
    for one in labels:
        if one.readers is not None:
            assert both.readers is not None
            assert both.readers <= one.readers


@given(LABELS, LABELS, ANY_EFFECT, st.booleans(), st.none() | NAMES)
def test_what_knows_more_is_never_allowed_more(
    a: Label, b: Label, effect: Effect, leaves: bool, readers: frozenset[str] | None
) -> None:
    going = Going(effect=effect, is_leaving=leaves, readers=readers)
    if objection(a, going) is not None:
        assert objection(join(a, b), going) is not None


def test_more_sources_than_can_be_told_apart_are_any_source() -> None:
    crowd = label(map(str, range(SOURCES_MAX + 1)))
    assert crowd == label({MANY})
    assert not crowd.is_trusted
    assert is_below(TAINTED, crowd)


@pytest.mark.parametrize("effect", list(Effect))
def test_untrusted_input_leads_to_no_consequence(effect: Effect) -> None:
    found = objection(TAINTED, Going(effect=effect))
    assert (found is not None) == (effect in CONSEQUENCES)
    assert objection(PLAIN, Going(effect=effect)) is None


def test_private_data_leaves_only_to_its_readers() -> None:
    def outside(*readers: str) -> Going:
        return Going(effect=Effect.FINAL, is_leaving=True, readers=readers)

    assert objection(PRIVATE, outside("ann")) is None
    assert objection(PRIVATE, outside("ann", "eve")) is not None
    nobody_knows = objection(PRIVATE, Going(effect=Effect.READ, is_leaving=True))
    assert nobody_knows is not None
    assert "somebody unknown" in nobody_knows.reason
    assert objection(PRIVATE, Going(effect=Effect.FINAL)) is None


def test_all_three_at_once_are_the_rule_of_two_also_where_the_reader_is_permitted() -> None:
    found = objection(BOTH, Going(effect=Effect.OUTSIDE, is_leaving=True, readers=("ann",)))
    assert found is not None
    assert found.rule == RULE_OF_TWO


def test_a_reader_is_the_same_in_any_case_of_letters() -> None:
    assert label(readers={" Ann@X.org "}) == label(readers={"ann@x.org"})


def test_a_label_is_told_in_a_line() -> None:
    assert shown(BOTH) == "from mail; for ann only"
    assert shown(PLAIN) == ""
    assert shown(label(readers=())) == "for its owner only"
