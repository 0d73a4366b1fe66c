"""What a query's words are looked for as: FTS5 expressions. Any text is a query.

BM25 looks at every document that holds a word of the query, so that common words cost the most and
tell the least. Words are taken in order of rarity until `rows_max` documents would be looked at; of
the commoner ones it only counts whether a document so found has them.

For a word that no document holds, words that may have been meant are looked for, in the same way
and up to as many documents again.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import apsw

from aios.retrieval.closeness import Pair
from aios.retrieval.database import rows
from aios.retrieval.vocabulary import Stemmer, alike, halves, same_root
from aios.retrieval.words import STOP_WORDS, words

WORDS_MAX = 48  # of a query
NEAR_WEIGHT = 0.3
_COUNT = "SELECT doc FROM word_counts WHERE term = ?"


@dataclass(frozen=True, slots=True)
class Limits:
    """How many documents there are, and how many may be looked at for one query."""

    documents: int
    rows_max: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What to look for. Empty expressions find nothing."""

    spoken: str  # the words themselves, ranked by BM25
    rows: int  # documents to be looked at for them, at most
    meant: str  # and what may have been meant by those that no document holds
    beside: dict[str, float]  # stems too common to be looked for, and their nats
    near: tuple[Pair, ...]


class Counts:
    """In how many documents a stem is; `known` are those that were looked up before."""

    def __init__(self, connection: apsw.Connection, known: dict[str, int]) -> None:
        self._connection = connection
        self._known = known

    def of(self, stem: str) -> int:
        count = self._known.get(stem)
        if count is None:
            found = rows(self._connection, _COUNT, (stem,))
            count = self._known[stem] = int(found[0][0]) if found else 0
        return count


def ask(
    connection: apsw.Connection, stemmer: Stemmer, text: str, limits: Limits, known: dict[str, int]
) -> Asked:
    """What a text is looked for as; `known` counts are used and added to."""
    counts = Counts(connection, known)
    found = words(text)
    spoken = [word for word in found.main if word not in STOP_WORDS] or found.main
    spoken = spoken[:WORDS_MAX]
    stems = stemmer.stems(spoken)
    asked = dict.fromkeys([*stems, *stemmer.stems(found.extra[:WORDS_MAX])])
    nats = {stem: _nats(counts.of(stem), limits) for stem in asked if counts.of(stem)}
    taken = _affordable(nats, counts, limits.rows_max)
    phrases, others = _meant(connection, stemmer, spoken, counts)
    meant = _affordable(others, counts, limits.rows_max, least=0 if taken or phrases else 1)
    beside = {stem: nats[stem] for stem in nats if stem not in taken}
    beside |= {stem: _nats(counts.of(stem), limits) for stem in others if stem not in meant}
    return Asked(
        spoken=" OR ".join(_quoted(stem) for stem in taken),
        rows=sum(taken.values()),
        meant=" OR ".join([*phrases, *map(_quoted, meant)]),
        beside=beside,
        near=tuple(
            Pair(one, other, NEAR_WEIGHT * (nats[one] + nats[other]))
            for one, other in _neighbours(stems)
            if one in nats and other in nats
        ),
    )


def _nats(count: int, limits: Limits) -> float:
    """What a word tells that `count` documents have, as BM25 reckons."""
    others = max(0, limits.documents - count)  # more may have come since they were counted
    return max(0.0, math.log((others + 0.5) / (count + 0.5)))


def _neighbours(stems: Sequence[str]) -> list[tuple[str, str]]:
    """Pairs of words next to each other, or with one between them."""
    pairs = [*pairwise(stems), *zip(stems, stems[2:], strict=False)]
    return [(left, right) for left, right in pairs if left != right]


def _affordable(
    stems: Iterable[str], counts: Counts, rows_max: int, *, least: int = 1
) -> dict[str, int]:
    """Stems that some document holds, rarest first, as many as may be looked at, or `least`."""
    taken: dict[str, int] = {}
    rows = 0
    for count, stem in sorted((counts.of(stem), stem) for stem in stems):
        rows += count
        if len(taken) >= least and rows > rows_max:
            break
        if count:
            taken[stem] = count
    return taken


def _meant(
    connection: apsw.Connection, stemmer: Stemmer, spoken: Sequence[str], counts: Counts
) -> tuple[list[str], list[str]]:
    """Phrases and stems that may have been meant by words that no document holds."""
    phrases: dict[str, None] = {}
    others: list[str] = []
    for word, stem in zip(spoken, stemmer.stems(spoken), strict=True):
        if counts.of(stem):
            continue
        others += stemmer.stems([*alike(connection, word), *same_root(connection, word)])
        pair = halves(word, lambda half: counts.of(stemmer.stems([half])[0]))
        if pair:
            left, right = stemmer.stems(pair)
            phrases[f'"{left} {right}"'] = None
    others += stemmer.stems([left + right for left, right in pairwise(spoken)])
    return list(phrases), [stem for stem in dict.fromkeys(others) if counts.of(stem)]


def _quoted(stem: str) -> str:
    return f'"{stem}"'
