"""What its owner left goes before all that a rule would choose, and is new when it is used."""

from collections.abc import Callable

import pytest

from aios.bench.playing import hit_rate
from aios.memory.eviction import Adaptive, Leaving, Lru, LruK, Rule

RULES: list[Callable[[], Rule]] = [Lru, LruK, Adaptive]


@pytest.mark.parametrize("rule", RULES)
def test_what_was_left_goes_first_and_longest_left_before_others(rule: Callable[[], Rule]) -> None:
    kept = Leaving(rule())
    for key in (1, 2, 3, 4):
        kept.added(key)
    kept.left([4])
    kept.left([3])
    assert len(kept) == 4
    assert [kept.victim(), kept.victim()] == [4, 3]
    assert {kept.victim(), kept.victim()} == {1, 2}


@pytest.mark.parametrize("rule", RULES)
def test_what_was_left_and_used_again_is_as_others_are(rule: Callable[[], Rule]) -> None:
    kept = Leaving(rule())
    for key in (1, 2, 3):
        kept.added(key)
    kept.left([1, 2, 3])
    kept.touched(2)
    kept.removed(3)
    assert [kept.victim(), kept.victim()] == [1, 2]
    assert len(kept) == 0


def test_a_stream_finds_more_where_ends_are_told() -> None:
    uses = [1, 2, 3, 1, 2, 4, 1, 2]
    assert hit_rate(Lru(), uses, 3) == 4 / 8
    assert hit_rate(Lru(), [1, 2, 3, 4, 1, 2], 3) == 0
    assert hit_rate(Lru(), [1, 2, 3, 4, 1, 2], 3, ends={3: [3]}) == 2 / 6
