"""A second look at the documents that words found best: what they have beside, and how near. Pure.

A document is the sequence of its stems' numbers, 32 bits each. The look costs the same in a large
index as in a small one, since it is at a few hundred documents; so it takes in what is too dear for
all of them: words that very many documents have, and pairs of words near each other (a first and a
last name).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from xxhash import xxh32_intdigest

NEAR_WORDS = 6  # a pair further apart is none
NOTHING = 0


@dataclass(frozen=True, slots=True)
class Pair:
    """Two different stems that tell something, in nats, where they are near each other."""

    one: str
    other: str
    nats: float


def number_of(stem: str) -> int:
    """A stem's number, the same for ever; never that of `NOTHING`."""
    return xxh32_intdigest(stem.encode()) or 1


def sequence(fields: Sequence[Sequence[int]], words_max: int) -> bytes:
    """The numbers of a document's fields, each so far from the next that no pair spans them."""
    found: list[int] = []
    for field in fields:
        found.extend(field)
        found.extend([NOTHING] * (NEAR_WORDS + 1))
    return np.array(found[:words_max] + [NOTHING] * (NEAR_WORDS + 1), np.uint32).tobytes()


def evidence(
    sequences: Sequence[bytes], words: Mapping[str, float], pairs: Sequence[Pair]
) -> NDArray[np.float64]:
    """The nats of all `words` and `pairs` that each document has."""
    scores = np.zeros(len(sequences))
    stems = np.frombuffer(b"".join(sequences), np.uint32)
    lengths = [len(one) // stems.itemsize for one in sequences]
    owner = np.repeat(np.arange(len(sequences)), lengths)
    asked = {*words, *(pair.one for pair in pairs), *(pair.other for pair in pairs)}
    places = {stem: np.flatnonzero(stems == number_of(stem)) for stem in asked}
    found = [(places[stem], nats) for stem, nats in words.items()]
    found += [(_near(places[pair.one], places[pair.other]), pair.nats) for pair in pairs]
    for at, nats in found:
        has = np.zeros(len(sequences), np.bool_)
        has[owner[at]] = True
        scores[has] += nats
    return scores


def _near(one: NDArray[np.intp], other: NDArray[np.intp]) -> NDArray[np.intp]:
    """Those places of `one` that have some of `other` within reach."""
    if not len(other):
        return other
    reach = NEAR_WORDS + 1
    next_other = np.searchsorted(other, one - reach)
    there = np.minimum(next_other, len(other) - 1)
    return one[(next_other < len(other)) & (other[there] <= one + reach)]
