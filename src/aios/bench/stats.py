"""Figures from samples: percentiles, medians with a confidence interval, straightness. Pure."""

import math
from collections.abc import Sequence
from random import Random
from statistics import fmean, median

import msgspec

RESAMPLES = 1_000


class Interval(msgspec.Struct, frozen=True):
    """A median and the ends of its 95 % bootstrap confidence interval."""

    median: float
    low: float
    high: float


def percentile(samples: Sequence[float], percent: float) -> float:
    """The value that `percent` of the samples do not exceed, between neighbours interpolated."""
    assert samples, "a percentile needs a sample"
    assert 0 <= percent <= 100
    ordered = sorted(samples)
    place = (len(ordered) - 1) * percent / 100
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def median_interval(samples: Sequence[float], rng: Random) -> Interval:
    """The median with its 95 % interval, from medians of samples drawn again with replacement."""
    drawn = [median(rng.choices(samples, k=len(samples))) for _ in range(RESAMPLES)]
    return Interval(median(samples), percentile(drawn, 2.5), percentile(drawn, 97.5))


def r_squared(xs: Sequence[float], ys: Sequence[float]) -> float:
    """How much of the variance of `ys` a straight line over `xs` explains; 1 is a perfect line."""
    assert len(xs) == len(ys) >= 2, "a line needs two points"
    middle_x, middle_y = fmean(xs), fmean(ys)
    spread_x = sum((x - middle_x) ** 2 for x in xs)
    spread_y = sum((y - middle_y) ** 2 for y in ys)
    assert spread_x > 0, "a line needs two different places"
    if spread_y == 0:
        return 1.0
    together = sum((x - middle_x) * (y - middle_y) for x, y in zip(xs, ys, strict=True))
    return together**2 / (spread_x * spread_y)
