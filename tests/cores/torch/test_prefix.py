"""The prefix cache: only whole chunks after equal beginnings, and the oldest idle goes first."""

import numpy as np

from aios.cores.torch.prefix import PrefixCache

A, B, C = (tuple(range(start, start + 4)) for start in (0, 10, 20))


def blocks(*numbers: int) -> "np.ndarray[tuple[int], np.dtype[np.int64]]":
    return np.array(numbers, dtype=np.int64)


def cache_of(*prompts: tuple[tuple[int, ...], tuple[int, ...]]) -> PrefixCache:
    """Chunks of 4 tokens in 2 blocks; all of them idle."""
    cache = PrefixCache(4, 2)
    for tokens, numbers in prompts:
        cache.keep(tokens, blocks(*numbers))
        cache.rest(blocks(*numbers))
    return cache


def test_the_longest_kept_chain_of_whole_chunks_is_found() -> None:
    cache = cache_of((A + B, (1, 2, 3, 4)))

    assert cache.find(A + B + C).tolist() == [1, 2, 3, 4]
    assert cache.find(A + C).tolist() == [1, 2]
    assert cache.find(A[:3]).tolist() == []


def test_the_same_chunk_after_another_beginning_is_another_chunk() -> None:
    cache = cache_of((A + B, (1, 2, 3, 4)))

    assert cache.find(C + B).tolist() == []
    assert cache.find(B).tolist() == []


def test_a_child_is_given_up_before_its_parent() -> None:
    cache = cache_of((A + B, (1, 2, 3, 4)))

    assert cache.evict() == [3, 4]
    assert cache.find(A + B).tolist() == [1, 2]
    assert cache.evict() == [1, 2]
    assert cache.evict() == []


def test_what_was_used_last_stays_longest() -> None:
    cache = cache_of((A, (1, 2)), (B, (3, 4)))

    cache.used(blocks(1, 2))
    cache.rest(blocks(1, 2))

    assert cache.evict() == [3, 4]


def test_chunks_in_use_are_not_given_up() -> None:
    cache = cache_of((A, (1, 2)))

    cache.used(blocks(1, 2))

    assert cache.idle_blocks == 0
    assert cache.evict() == []


def test_blocks_of_no_chunk_come_back_at_once() -> None:
    cache = PrefixCache(4, 2)
    cache.keep(A, blocks(1, 2))

    assert cache.rest(blocks(1, 2, 9)) == [9]
    assert cache.idle_blocks == 2


def test_a_chunk_that_is_kept_already_keeps_its_first_blocks() -> None:
    cache = cache_of((A, (1, 2)))

    cache.keep(A + B, blocks(5, 6, 7, 8))

    assert cache.find(A + B).tolist() == [1, 2, 7, 8]
    assert cache.rest(blocks(5, 6)) == [5, 6]
