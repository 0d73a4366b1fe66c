"""Blocks in RAM stay within the budget, whatever is put, extended and dropped."""

import pytest

from aios.errors import InvalidArgument
from aios.memory.cache import OVERHEAD, Cache
from aios.memory.eviction import Lru


def cache(blocks: int, high: float = 1.0) -> Cache:
    """Room for that many blocks of 1,000 bytes."""
    return Cache(Lru(), ram_bytes=int(blocks * (1_000 + OVERHEAD) / high), high=high)


def test_the_block_unused_longest_leaves_when_the_high_mark_is_passed() -> None:
    kept = cache(blocks=2, high=0.8)
    for key in (1, 2):
        kept.put(key, bytes(1_000))
    kept.get(1)
    kept.put(3, bytes(1_000))
    assert [key in kept for key in (1, 2, 3)] == [True, False, True]
    assert kept.bytes == 2 * (1_000 + OVERHEAD)


def test_a_block_that_grows_pushes_out_others() -> None:
    kept = cache(blocks=2)
    for key in (1, 2):
        kept.put(key, bytes(1_000))
    kept.extend(2, b"x")
    assert 1 not in kept
    assert kept.get(2) == bytearray(1_000) + b"x"


def test_a_block_larger_than_the_mark_is_not_kept_and_pushes_nothing_out() -> None:
    kept = cache(blocks=2)
    kept.put(1, bytes(1_000))
    kept.put(2, bytes(5_000))
    kept.extend(1, bytes(5_000))
    assert (1 in kept, 2 in kept, kept.bytes) == (False, False, 0)


def test_dropped_blocks_give_their_bytes_back() -> None:
    kept = cache(blocks=2)
    kept.put(1, bytes(1_000))
    kept.put(1, bytes(10))
    kept.drop(1)
    kept.drop(7)
    kept.extend(7, b"never there")
    assert (len(kept), kept.bytes, kept.get(1)) == (0, 0, None)


@pytest.mark.parametrize(("ram_bytes", "high"), [(0, 0.8), (1, 0.0), (1, 1.1)])
def test_a_budget_of_nothing_is_refused(ram_bytes: int, high: float) -> None:
    with pytest.raises(InvalidArgument, match="expected ram_bytes >= 1"):
        Cache(Lru(), ram_bytes=ram_bytes, high=high)
