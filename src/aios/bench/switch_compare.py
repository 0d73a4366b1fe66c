"""Holds a switched run against the uninterrupted one: every token, every row of logits. Pure."""

from itertools import zip_longest

import msgspec
import numpy as np

from aios.bench.switch_driver import Trace


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """`rows_missing` counts rows of logits that only one of the runs has."""

    tokens: int
    rows: int
    rows_missing: int
    logit_max_abs: float


def difference(plain: Trace, switched: Trace) -> Difference:
    """What the switches changed; all zero but `rows` where they changed nothing."""
    both = plain.rows.keys() & switched.rows.keys()
    return Difference(
        tokens=_tokens(plain, switched),
        rows=len(both),
        rows_missing=len(plain.rows.keys() ^ switched.rows.keys()),
        logit_max_abs=max(
            (_distance(plain.rows[place], switched.rows[place]) for place in both), default=0.0
        ),
    )


def _tokens(plain: Trace, switched: Trace) -> int:
    """Places where the answers differ, and where what was delivered is not what was answered."""
    wrong = 0
    for one, other in zip_longest(plain.choices, switched.choices):
        ours = one.token_ids if one else ()
        theirs = other.token_ids if other else ()
        wrong += _unequal(ours, theirs)
    for index, delivered in switched.delivered.items():
        wrong += _unequal(tuple(delivered), switched.choices[index].token_ids)
    return wrong


def _unequal(one: tuple[int, ...], other: tuple[int, ...]) -> int:
    return sum(ours != theirs for ours, theirs in zip_longest(one, other))


def _distance(one: bytes, other: bytes) -> float:
    if one == other:
        return 0.0
    ours, theirs = np.frombuffer(one, np.float32), np.frombuffer(other, np.float32)
    return float(np.abs(ours.astype(np.float64) - theirs).max())
