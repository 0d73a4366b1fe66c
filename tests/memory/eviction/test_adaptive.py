"""The adaptive rule is about as good as the better of LRU and LRU-2, and better on readings."""

import pytest

from aios.bench.playing import hit_rate
from aios.memory.eviction import Adaptive, Lru, LruK
from tests.memory.eviction import streams

LOSS_MAX = 0.01
STREAMS = {
    "popular keys": streams.popular(seed=1),
    "popular keys and scans": streams.popular_with_scans(seed=2),
    "a log": streams.log(writes=400, rounds=60),
    "agents' turns": streams.turns(seed=3),
    "a loop": streams.loop(length=300, rounds=40),
    "one after the other": [*streams.popular(seed=4), *streams.log(400, 40), *streams.turns(5)],
}


@pytest.mark.parametrize("capacity", [10, 40, 100, 200, 500, 1_500])
@pytest.mark.parametrize("name", STREAMS)
def test_it_is_about_as_good_as_the_better_of_lru_and_lru_2(name: str, capacity: int) -> None:
    uses = STREAMS[name]
    best = max(hit_rate(rule, uses, capacity) for rule in (Lru(), LruK(2)))
    assert hit_rate(Adaptive(), uses, capacity) >= best - LOSS_MAX


def test_part_of_a_loop_stays_where_lru_finds_nothing() -> None:
    uses = streams.loop(length=300, rounds=40)
    assert hit_rate(LruK(2), uses, 200) == 0
    assert hit_rate(Adaptive(), uses, 200) > 0.5


def test_agents_that_read_all_their_pages_find_more_than_by_lru() -> None:
    uses = streams.turns(seed=6)
    assert hit_rate(Adaptive(), uses, 300) > hit_rate(Lru(), uses, 300) + 0.01


def test_agents_of_few_turns_in_no_order_find_more_than_by_lru_and_lru_2() -> None:
    uses = streams.short_lives(seed=7)
    best = max(hit_rate(rule, uses, 60) for rule in (Lru(), LruK(2)))
    assert hit_rate(Adaptive(), uses, 60) > best + 0.02


def test_the_same_uses_give_the_same_victims() -> None:
    rates = {hit_rate(Adaptive(), STREAMS["one after the other"], 90) for _ in range(3)}
    assert len(rates) == 1
