"""What each rule of eviction promises, and that no rule loses or invents a key."""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aios.bench.playing import hit_rate
from aios.errors import InvalidArgument
from aios.memory.eviction import Adaptive, Lru, LruK, Rule

RULES: dict[str, Callable[[], Rule]] = {
    "lru": Lru,
    "lru-1": lambda: LruK(1),
    "lru-2": LruK,
    "lru-3 with a short memory": lambda: LruK(3, history_max=3, correlated=2),
    "adaptive": Adaptive,
    "adaptive with a short memory": lambda: Adaptive(history_max=2),
}
KEYS = st.integers(0, 11)
STEPS = st.lists(st.tuples(st.sampled_from(["use", "use", "use", "victim", "remove"]), KEYS))


@pytest.mark.parametrize("make", RULES.values(), ids=RULES.keys())
@given(steps=STEPS)
@settings(max_examples=150, deadline=None)
def test_a_victim_is_always_a_resident_key(
    make: Callable[[], Rule], steps: list[tuple[str, int]]
) -> None:
    rule, resident = make(), set[int]()
    for what, key in steps:
        if what == "use":
            (rule.touched if key in resident else rule.added)(key)
            resident.add(key)
        elif what == "remove":
            rule.removed(key)
            resident.discard(key)
        elif resident:
            resident.remove(rule.victim())
        assert len(rule) == len(resident)
    assert {rule.victim() for _ in range(len(rule))} == resident


@given(uses=st.lists(st.integers(0, 9), max_size=200), capacity=st.integers(1, 6))
@settings(max_examples=200, deadline=None)
def test_lru_of_one_use_is_lru(uses: list[int], capacity: int) -> None:
    if uses:
        one = hit_rate(LruK(1), uses, capacity)
        assert one == hit_rate(Lru(), uses, capacity)


def test_lru_gives_up_what_was_unused_longest() -> None:
    rule = Lru()
    for key in (1, 2, 3):
        rule.added(key)
    rule.touched(1)
    assert [rule.victim(), rule.victim(), rule.victim()] == [2, 3, 1]


def test_lru_2_gives_up_keys_of_one_use_before_keys_of_two() -> None:
    rule = LruK(2)
    for key in (1, 2, 3, 4):
        rule.added(key)
    for key in (2, 1, 2):
        rule.touched(key)
    # 3 and 4 by their last use; then 1, whose last use but one is older than 2's.
    assert [rule.victim() for _ in range(4)] == [3, 4, 1, 2]


def test_lru_2_remembers_the_use_of_a_key_that_went() -> None:
    rule = LruK(2)
    for key in (1, 2):
        rule.added(key)
    assert rule.victim() == 1
    rule.added(1)
    assert rule.victim() == 2, "1 has been used twice by now"


def test_lru_2_remembers_no_more_than_it_may() -> None:
    rule = LruK(2, history_max=1)
    for key in (1, 2, 3):
        rule.added(key)
    assert [rule.victim(), rule.victim()] == [1, 2]
    rule.added(1)  # forgotten when 2 went
    assert rule.victim() == 3
    rule.added(2)
    assert rule.victim() == 1


def test_correlated_uses_count_as_one() -> None:
    burst, twice = LruK(2, correlated=2), LruK(2)
    for rule in (burst, twice):
        rule.added(1)
        rule.touched(1)
        rule.added(2)
        rule.added(3)
    assert burst.victim() == 1
    assert twice.victim() == 2


def test_removed_keys_are_forgotten() -> None:
    rule = LruK(2)
    rule.added(1)
    rule.touched(1)
    rule.removed(1)
    rule.added(1)
    rule.added(2)
    assert rule.victim() == 1


@pytest.mark.parametrize("k", [0, -1])
def test_a_k_below_one_is_refused(k: int) -> None:
    with pytest.raises(InvalidArgument, match="expected k >= 1"):
        LruK(k)
