"""Random numbers without a generator: a draw is a function of where it is used. Keeps no state.

A draw is SplitMix64 with its counter set from outside: the seed and the branch choose the stream,
the position is the counter. Integer arithmetic alone makes it, so it is the same on every machine
and device, and a generation that was split, moved or preempted draws what it would have drawn.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_WORD = (1 << 64) - 1
_STEP = np.uint64(0x9E3779B97F4A7C15)  # the golden ratio's fraction: SplitMix64's own increment
_BRANCH = np.uint64(0xD1342543DE82EF95)  # any other odd number keeps branches off that path


def uniform(
    seeds: Sequence[int], branches: Sequence[int], positions: Sequence[int]
) -> NDArray[np.float64]:
    """One number in [0, 1) for each (seed, branch, position), of 53 random bits."""
    stream = mix(mix(_words(seeds)) + (_words(branches) + np.uint64(1)) * _BRANCH)
    bits = mix(stream + (_words(positions) + np.uint64(1)) * _STEP)
    drawn: NDArray[np.float64] = (bits >> np.uint64(11)).astype(np.float64) * 2.0**-53
    return drawn


def mix(words: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """SplitMix64's output function: a bijection of 64-bit words in which every bit moves all."""
    words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return words ^ (words >> np.uint64(31))


def _words(numbers: Sequence[int]) -> NDArray[np.uint64]:
    return np.array([number & _WORD for number in numbers], dtype=np.uint64)
