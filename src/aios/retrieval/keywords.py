"""Documents by their words: FTS5's BM25 over title, keywords and text. Knows no vector."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

import apsw
import numpy as np
from numpy.typing import NDArray

from aios.retrieval.asking import Asked, Limits, ask
from aios.retrieval.base import Document
from aios.retrieval.catalog import Allowed
from aios.retrieval.closeness import evidence, sequence
from aios.retrieval.database import Row
from aios.retrieval.register import Place
from aios.retrieval.vocabulary import Stemmer, Vocabulary
from aios.retrieval.words import Words, words

ROWS_MAX = 1_500  # documents looked at for one query: some two milliseconds,
ROWS_SHARE = 20  # and one more for every twenty that there are
LOOKED_AT_AGAIN = 200
COUNTS_KEPT = 100_000
MERGED_PAGES = 250
TIDIED_SHARE = 0.25
WORDS_MAX = 10_000  # of a document: near each other is only what is among the first of them
ROWS_MAX_IN_SCOPES = 200_000  # of which few are looked at: those in the scopes
SCOPE_DOCUMENTS_FEW = 2_000
WEIGHTS = (3.0, 3.0, 1.0, 1.0, 0.0)  # weights of title, keywords, text, extra, scope

Fields = tuple[Words, Words, Words]
"""The words of a document's title, keywords and text."""

_PUT_WORDS = (
    "INSERT OR REPLACE INTO words (rowid, title, keywords, text, extra, scope)"
    " VALUES (?, ?, ?, ?, ?, ?)"
)
_PUT_SEQUENCE = "INSERT OR REPLACE INTO sequences VALUES (?, ?)"
_BM25 = f"bm25(words, {', '.join(map(str, WEIGHTS))})"
_FOUND = f"SELECT rowid, -{_BM25} AS score FROM words WHERE words MATCH ?"
_BEST = f"{_FOUND} ORDER BY score DESC, rowid DESC LIMIT ?"
_NEWEST = f"{_FOUND} ORDER BY rowid DESC LIMIT ?"
# Private use: no query has such a word.
_SCOPE_WORD = "\ue000{}"


@dataclass(frozen=True, slots=True)
class Matches:
    """Documents by falling score."""

    numbers: NDArray[np.intp]
    scores: NDArray[np.float64]


class Keywords:
    """The words of an index's documents. A document's row is its number plus one."""

    def __init__(self) -> None:
        self._vocabulary = Vocabulary()
        self._stemmer = Stemmer()
        self._counts: dict[str, int] = {}  # documents by stem, where they were looked up
        self._changed = 0  # documents since FTS5's pieces were last one
        self._is_merging = False

    def put(
        self, connection: apsw.Connection, places: Sequence[Place], texts: Sequence[Fields]
    ) -> None:
        """Add or replace documents, in the caller's transaction."""
        self._changed += len(texts)
        made = [self._rows(*one) for one in zip(places, texts, strict=True)]
        connection.executemany(_PUT_WORDS, [row for row, _ in made])
        connection.executemany(_PUT_SEQUENCE, [row for _, row in made])
        found = (words for one in texts for part in one for words in part)
        self._vocabulary.learn(connection, set(chain.from_iterable(found)))

    def _rows(self, place: Place, texts: Fields) -> tuple[Row, Row]:
        """One document as it stands in both tables."""
        fields = [*(one.main for one in texts), [word for one in texts for word in one.extra]]
        stems = [self._stemmer.stems(field) for field in fields]
        numbers = sequence([self._stemmer.numbers(field) for field in stems], WORDS_MAX)
        return (
            (place.number + 1, *map(" ".join, stems), _SCOPE_WORD.format(place.scope)),
            (place.number, numbers),
        )

    def remove(self, connection: apsw.Connection, numbers: Sequence[int]) -> None:
        """Forget documents, in the caller's transaction."""
        for number in numbers:
            connection.execute("DELETE FROM words WHERE rowid = ?", (number + 1,))
            connection.execute("DELETE FROM sequences WHERE number = ?", (number,))

    def tidy(self, connection: apsw.Connection, documents: int) -> bool:
        """Merge some of FTS5's pieces where much has changed; whether there is more to do.

        Each piece is a look-up more for every word of every query.
        """
        if not self._is_merging and self._changed < documents * TIDIED_SHARE:
            return False
        # A negative number begins to merge all pieces, a positive one goes on with that.
        pages = MERGED_PAGES if self._is_merging else -MERGED_PAGES
        before = connection.total_changes()
        connection.execute("INSERT INTO words (words, rank) VALUES ('merge', ?)", (pages,))
        self._is_merging = connection.total_changes() - before >= 2  # as FTS5 tells that it is done
        self._changed = 0
        return self._is_merging

    def abandoned(self) -> None:
        """The transaction of the last `put` was not committed."""
        self._vocabulary.forget_seen()

    def follow(self) -> None:
        """Documents changed. A search under way goes on with the counts that it began with."""
        self._counts = {}

    def counts(self) -> dict[str, int]:
        """What is known of how many documents a stem has. Taken before the database is read."""
        if len(self._counts) > COUNTS_KEPT:
            self._counts = {}
        return self._counts

    def search(
        self,
        connection: apsw.Connection,
        text: str,
        allowed: Allowed,
        limit: int,
        counts: dict[str, int],
    ) -> Matches:
        """The `limit` best among the allowed documents."""
        is_few = allowed.scope_documents <= SCOPE_DOCUMENTS_FEW
        size = len(allowed.mask)
        rows_max = ROWS_MAX_IN_SCOPES if is_few else ROWS_MAX + size // ROWS_SHARE
        asked = ask(connection, self._stemmer, text, Limits(size, rows_max), counts)
        within = _within(allowed.scopes) if is_few else ""
        # Of documents spread evenly so many that enough are allowed; all of few.
        enough = max(limit, LOOKED_AT_AGAIN)
        count = min(rows_max, enough * (1 + size // max(1, allowed.count)))
        is_bounded = is_few or asked.rows <= rows_max
        spoken = _found(connection, _BEST if is_bounded else _NEWEST, within, asked.spoken, count)
        meant = _found(connection, _BEST, within, asked.meant, count)
        found = _together(np.concatenate((spoken, meant)), allowed)
        return _best(_looked_at_again(connection, asked, _best(found, enough)), limit)


def fields(document: Document) -> Fields:
    """The words of title, keywords and text."""
    return (words(document.title), words(document.keywords), words(document.text))


def _within(scopes: Sequence[int]) -> str:
    scope_words = " OR ".join(f'"{_SCOPE_WORD.format(scope)}"' for scope in scopes)
    return f"({scope_words}) AND "


def _found(
    connection: apsw.Connection, statement: str, within: str, expression: str, limit: int
) -> NDArray[np.float64]:
    """Rows and their scores."""
    if not expression:
        return np.zeros((0, 2))
    found = connection.execute(statement, (f"{within}({expression})", limit)).fetchall()
    return np.array(found, np.float64).reshape(-1, 2)


def _together(table: NDArray[np.float64], allowed: Allowed) -> Matches:
    """Scores summed up by document, of those that are allowed."""
    numbers, inverse = np.unique(table[:, 0].astype(np.intp) - 1, return_inverse=True)
    scores = np.bincount(inverse, table[:, 1], len(numbers)).astype(np.float64)
    known = numbers < len(allowed.mask)
    known[known] = allowed.mask[numbers[known]]
    return Matches(numbers[known], scores[known])


def _looked_at_again(connection: apsw.Connection, asked: Asked, found: Matches) -> Matches:
    if not len(found.numbers) or not (asked.beside or asked.near):
        return found
    numbers = found.numbers.tolist()
    marks = ",".join("?" * len(numbers))
    statement = f"SELECT number, stems FROM sequences WHERE number IN ({marks})"
    kept = dict(connection.execute(statement, tuple(numbers)))
    sequences = [kept.get(number, b"") for number in numbers]
    more = evidence(sequences, asked.beside, asked.near)
    return Matches(found.numbers, found.scores + more)


def _best(found: Matches, limit: int) -> Matches:
    """The best; of equal ones those of the highest number, which mostly are the newest."""
    best = np.lexsort((-found.numbers, -found.scores))[:limit]
    return Matches(found.numbers[best], found.scores[best])
