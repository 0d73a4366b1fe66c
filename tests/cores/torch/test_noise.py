"""The counter-based draws: their numbers, their statistics, and that nothing else moves them."""

import numpy as np
import pytest
from numpy.typing import NDArray

from aios.cores.torch.noise import mix, uniform

PINNED = [
    "0x1.73f30e46dc9bcp-2", "0x1.931f46e0842a5p-1", "0x1.7df3c3e5b39a2p-2", "0x1.dfed2844c236ap-1",
]  # fmt: skip
N = 1 << 16
ALONG = {
    "positions": lambda: uniform([11] * N, [0] * N, range(N)),
    "branches": lambda: uniform([11] * N, range(N), [3] * N),
    "seeds": lambda: uniform(range(N), [0] * N, [0] * N),
    "seeds far apart": lambda: uniform([i << 40 for i in range(N)], [1] * N, [0] * N),
    "diagonal": lambda: uniform(range(N), range(N), range(N)),
}


def test_the_mixer_is_splitmix64() -> None:
    step = 0x9E3779B97F4A7C15
    states = np.array([(1234567 + i * step) % 2**64 for i in range(1, 6)], dtype=np.uint64)

    assert mix(states).tolist() == [
        6457827717110365317, 3203168211198807973, 9817491932198370423,
        4593380528125082431, 16408922859458223821,
    ]  # fmt: skip


def test_a_draw_never_changes_between_releases() -> None:
    # Suspended generations continue with these numbers; a change here breaks their promise.
    drawn = uniform([0, 1, -1, 2**63 - 1], [0, 0, 3, 63], [0, 1, 2, 10**6])

    assert [value.hex() for value in drawn.tolist()] == PINNED


def test_a_draw_does_not_depend_on_its_neighbours() -> None:
    alone = [uniform([s], [b], [p])[0] for s, b, p in ((5, 0, 1), (-7, 2, 0), (9, 1, 4))]

    assert uniform([5, -7, 9], [0, 2, 1], [1, 0, 4]).tolist() == alone


@pytest.mark.parametrize("axis", ALONG)
def test_draws_are_uniform_and_uncorrelated_along(axis: str) -> None:
    drawn = ALONG[axis]()

    assert drawn.min() >= 0
    assert drawn.max() < 1
    assert np.unique(drawn).size == N
    assert abs(drawn.mean() - 0.5) < 4 * (1 / 12 / N) ** 0.5
    assert _excess(np.histogram(drawn, 1024, (0, 1))[0]) < 4
    for lag in (1, 2, 3, 64):
        assert abs(np.corrcoef(drawn[lag:], drawn[:-lag])[0, 1]) < 4 / N**0.5
    pairs = np.histogram2d(drawn[::2], drawn[1::2], 32, ((0, 1), (0, 1)))[0]
    assert _excess(pairs.ravel()) < 4


@pytest.mark.parametrize("argument", [0, 1, 2])
def test_flipping_one_input_bit_flips_half_of_the_output_bits(argument: int) -> None:
    plain = [list(range(512)), list(range(512)), list(range(512))]
    for bit in range(0, 63, 3):
        other = [list(values) for values in plain]
        other[argument] = [value ^ (1 << bit) for value in other[argument]]
        changed = _bits(uniform(*plain)) ^ _bits(uniform(*other))
        flips = sum(word.bit_count() for word in changed.tolist()) / 512
        assert abs(flips - 26.5) < 5 * (53 / 4 / 512) ** 0.5


def _bits(drawn: NDArray[np.float64]) -> NDArray[np.uint64]:
    return (drawn * 2.0**53).astype(np.uint64)


def _excess(counts: NDArray[np.int64] | NDArray[np.float64]) -> float:
    """How many standard deviations chi-square lies from what chance gives."""
    mean = counts.sum() / counts.size
    chi = ((counts - mean) ** 2 / mean).sum()
    return float(abs(chi - (counts.size - 1)) / (2 * (counts.size - 1)) ** 0.5)
