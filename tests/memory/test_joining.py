"""Appends join chunks seldom, and leave few."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aios.memory.joining import FULL_BYTES, JOINED, TAIL_MAX, joined


def _appended(sizes: list[int], added: int) -> int:
    """Append to the chunks; the bytes that were written."""
    count = joined(sizes[-TAIL_MAX:], added)
    chunk = added + sum(sizes[len(sizes) - count :])
    sizes[len(sizes) - count :] = [chunk]
    return chunk


@pytest.mark.parametrize("one", [1, 1_024, 5_000])
def test_equal_appends_write_each_byte_a_few_times(one: int) -> None:
    sizes: list[int] = []
    written = sum(_appended(sizes, one) for _ in range(8_192))
    assert sum(sizes) == 8_192 * one
    assert written <= 6 * 8_192 * one


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 22).map(lambda power: 1 << power), max_size=400))
def test_whatever_is_appended_few_small_chunks_are_left(parts: list[int]) -> None:
    sizes: list[int] = []
    written = sum(_appended(sizes, part) for part in parts)
    small = [size for size in sizes if size < FULL_BYTES]
    assert sum(sizes) == sum(parts)
    assert len(small) <= 8 * JOINED + sum(parts) // FULL_BYTES * JOINED
    assert written <= 8 * JOINED * (sum(parts) + 1)


def test_a_full_chunk_is_never_written_again() -> None:
    assert joined([FULL_BYTES] * 20, FULL_BYTES - 1) == 0
