"""Figures from samples, against values worked out by hand."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aios.bench.stats import median_interval, percentile, r_squared

SAMPLES = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=50)


def test_percentiles_lie_between_neighbours_in_proportion() -> None:
    samples = [40.0, 10.0, 30.0, 20.0]
    assert percentile(samples, 0) == 10
    assert percentile(samples, 50) == 25
    assert percentile(samples, 75) == pytest.approx(32.5)
    assert percentile(samples, 100) == 40


def test_one_sample_is_every_percentile() -> None:
    assert [percentile([7.0], percent) for percent in (0, 50, 99, 100)] == [7.0] * 4


@given(SAMPLES, st.floats(0, 100))
def test_a_percentile_is_within_the_samples(samples: list[float], percent: float) -> None:
    assert min(samples) <= percentile(samples, percent) <= max(samples)


def test_r_squared_of_a_line_is_1_and_of_a_parabola_less() -> None:
    xs = [1.0, 2.0, 3.0, 4.0]
    assert r_squared(xs, [5 - 2 * x for x in xs]) == pytest.approx(1)
    assert r_squared(xs, [x * x for x in xs]) == pytest.approx(125 / 129)
    assert r_squared(xs, [1.0, -1.0, -1.0, 1.0]) == pytest.approx(0)


def test_r_squared_tells_quadratic_growth_from_linear_on_the_rows_of_the_scaling_benchmark() -> (
    None
):
    agents = [250.0, 500.0, 1_000.0, 2_000.0, 10_000.0]
    assert r_squared(agents, [3e-4 * n + 0.01 for n in agents]) >= 0.99
    assert r_squared(agents, [3e-8 * n * n for n in agents]) < 0.99


def test_the_interval_holds_the_median_and_narrows_with_samples() -> None:
    rng = Random(1)
    few = median_interval([rng.gauss(100, 10) for _ in range(5)], rng)
    many = median_interval([rng.gauss(100, 10) for _ in range(500)], rng)
    assert few.low <= few.median <= few.high
    assert many.low <= 100 <= many.high
    assert many.high - many.low < few.high - few.low


def test_the_interval_of_equal_samples_is_a_point() -> None:
    found = median_interval([3.0] * 5, Random(0))
    assert (found.low, found.median, found.high) == (3.0, 3.0, 3.0)
