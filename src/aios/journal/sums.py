"""SQLite's checksum of pages and of log frames as a product with a matrix, for many at once. Pure.

For each pair of words x, y it does `a += x + b; b += y + a` modulo 2**32. That is linear in the
words and in what `a` and `b` were before.
"""

import numpy as np
from numpy.typing import NDArray

Words = NDArray[np.uint32]

_STEP = np.array([[1, 1], [1, 2]], np.uint32)  # what a pair of zeros does to (a, b)


def weights(words: int) -> Words:
    """Row i: how word i counts in `a` and in `b` at the end of that many words."""
    rows, later = [], np.eye(2, dtype=np.uint32)
    for _ in range(words // 2):
        rows += [later[:, 1], later.sum(axis=1, dtype=np.uint32)]
        later = later @ _STEP
    return np.array(rows[::-1], np.uint32)


def advance(words: int) -> Words:
    """What that many zeros do to a row (a, b), by multiplication from the right."""
    power = np.eye(2, dtype=np.uint32)
    for _ in range(words // 2):
        power = power @ _STEP
    return power.T
