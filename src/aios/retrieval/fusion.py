"""Two rankings into one. Pure.

`by_rank` is reciprocal rank fusion (Cormack, Clarke and Büttcher, SIGIR 2009): robust where the
scores of the two cannot be compared. `by_score` adds scores, each as a share of the best of its
kind: it keeps how far ahead the first is of the second, which ranks forget.
"""

from collections.abc import Sequence
from dataclasses import dataclass

RANK_OFFSET = 60  # of the paper


@dataclass(frozen=True, slots=True)
class Scored:
    """A document by number, and how well one way found it."""

    number: int
    score: float


def by_rank(rankings: Sequence[Sequence[Scored]], weights: Sequence[float]) -> dict[int, float]:
    """The sum over rankings of weight / (60 + rank); ranks count from 1."""
    fused: dict[int, float] = {}
    for ranking, weight in zip(rankings, weights, strict=True):
        for rank, one in enumerate(ranking, 1):
            fused[one.number] = fused.get(one.number, 0.0) + weight / (RANK_OFFSET + rank)
    return fused


def by_score(rankings: Sequence[Sequence[Scored]], weights: Sequence[float]) -> dict[int, float]:
    """The weighted sum of scores, each divided by the best of its ranking."""
    fused: dict[int, float] = {}
    for ranking, weight in zip(rankings, weights, strict=True):
        best = max((one.score for one in ranking), default=0.0)
        for one in ranking:
            share = one.score / best if best > 0 else 0.0
            fused[one.number] = fused.get(one.number, 0.0) + weight * share
    return fused
