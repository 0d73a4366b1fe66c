"""What a query's words are looked for as: FTS5 expressions. Any text is a query.

BM25 looks at every document that holds a word of the query, so that common words cost the most and
tell the least. Words are taken in order of rarity until `rows_max` documents would be looked at.

Beside the words themselves, two weaker kinds of evidence count: words near each other in the query
that are near each other in the document (a first and a last name), and, for a word that no document
holds, words that may have been meant.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import apsw

from aios.retrieval.vocabulary import Stemmer, alike, halves, same_root
from aios.retrieval.words import STOP_WORDS, words

WORDS_MAX = 48  # of a query
NEAR_WORDS = 6
NEAR_PAIRS_MAX = 24
NEAR_WEIGHT = 0.5
MEANT_WEIGHT = 1.0
_COUNT = "SELECT doc FROM word_counts WHERE term = ?"


@dataclass(frozen=True, slots=True)
class Group:
    """Words of one kind, any of which may match; `rows` documents are looked at, at most."""

    expression: str
    weight: float
    rows: int


class Counts:
    """In how many documents a stem is, looked up once."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection
        self._known: dict[str, int] = {}

    def of(self, stem: str) -> int:
        count = self._known.get(stem)
        if count is None:
            rows = self._connection.execute(_COUNT, (stem,)).fetchall()
            count = self._known[stem] = int(rows[0][0]) if rows else 0
        return count


def ask(connection: apsw.Connection, stemmer: Stemmer, text: str, rows_max: int) -> list[Group]:
    """The groups that a text is looked for as, the words themselves first; none: nothing to find."""
    counts = Counts(connection)
    found = words(text)
    spoken = [word for word in found.main if word not in STOP_WORDS] or found.main
    spoken = spoken[:WORDS_MAX]
    stems = stemmer.stems(spoken)
    asked = dict.fromkeys([*stems, *stemmer.stems(found.extra[:WORDS_MAX])])
    taken = _affordable(asked, counts, rows_max)
    near = [pair for pair in _neighbours(stems) if set(pair) <= taken.keys()]
    meant = dict.fromkeys(_meant(connection, stemmer, spoken, counts))
    groups = (
        _group((_quoted(stem) for stem in taken), 1.0, sum(taken.values())),
        _group((_near(*pair) for pair in near[:NEAR_PAIRS_MAX]), NEAR_WEIGHT, 0),
        _group(meant, MEANT_WEIGHT, 0),
    )
    return [group for group in groups if group is not None]


def _neighbours(stems: Sequence[str]) -> list[tuple[str, str]]:
    """Pairs of words next to each other, or with one between them."""
    pairs = [*pairwise(stems), *zip(stems, stems[2:], strict=False)]
    return [(left, right) for left, right in pairs if left != right]


def _affordable(stems: Iterable[str], counts: Counts, rows_max: int) -> dict[str, int]:
    """Stems that some document holds, rarest first, as many as may be looked at; at least one."""
    taken: dict[str, int] = {}
    rows = 0
    for count, stem in sorted((counts.of(stem), stem) for stem in stems):
        rows += count
        if taken and rows > rows_max:
            break
        if count:
            taken[stem] = count
    return taken


def _meant(
    connection: apsw.Connection, stemmer: Stemmer, spoken: Sequence[str], counts: Counts
) -> Iterator[str]:
    """Expressions for what may have been meant by words that no document holds."""
    stems = stemmer.stems(spoken)
    for word, stem in zip(spoken, stems, strict=True):
        if counts.of(stem):
            continue
        others = (*alike(connection, word), *same_root(connection, word))
        yield from (_quoted(other) for other in stemmer.stems(others) if counts.of(other))
        pair = halves(word, lambda half: counts.of(stemmer.stems([half])[0]))
        if pair:
            left, right = stemmer.stems(pair)
            yield f'"{left} {right}"'
    for joined in stemmer.stems([left + right for left, right in pairwise(spoken)]):
        if counts.of(joined):
            yield _quoted(joined)


def _group(expressions: Iterable[str], weight: float, rows: int) -> Group | None:
    expression = " OR ".join(expressions)
    return Group(expression, weight, rows) if expression else None


def _quoted(stem: str) -> str:
    return f'"{stem}"'


def _near(left: str, right: str) -> str:
    return f'NEAR("{left}" "{right}", {NEAR_WORDS})'
