"""Kernels killed again and again: nothing acknowledged is lost, and nothing is done twice."""

import pytest

from aios.testing.undying import Undying

FOUND = (3, 141, 305)  # Seeds that failed once; each stays.


@pytest.mark.parametrize("first", [0, 20])
def test_nothing_is_lost_or_doubled_however_often_the_kernel_is_killed(first: int) -> None:
    kills = sum(Undying(seed).run().kills for seed in range(first, first + 20))
    assert kills > 20


def test_seeds_that_failed_once_pass() -> None:
    for seed in FOUND:
        Undying(seed).run()


def test_the_same_seed_has_the_same_fate() -> None:
    assert Undying(5).run() == Undying(5).run()
