"""Documents by their words: FTS5's BM25 over title, keywords and text. Knows no vector."""

from collections.abc import Sequence
from dataclasses import dataclass

import apsw
import numpy as np
from numpy.typing import NDArray

from aios.retrieval.asking import Group, ask
from aios.retrieval.base import Document
from aios.retrieval.catalog import Allowed, Place
from aios.retrieval.gate import Gate
from aios.retrieval.vocabulary import Stemmer, Vocabulary
from aios.retrieval.words import words

ROWS_MAX = 12_000  # documents looked at for one query: some ten milliseconds
ROWS_MAX_IN_SCOPES = 200_000  # of which few are looked at: those in the scopes
SCOPE_DOCUMENTS_FEW = 2_000
FIELDS = (3.0, 3.0, 1.0, 1.0, 0.0)  # weights of title, keywords, text, extra, scope

_BM25 = f"bm25(words, {', '.join(map(str, FIELDS))})"
_FOUND = f"SELECT rowid, -{_BM25} AS score FROM words WHERE words MATCH ?"
_BEST = f"{_FOUND} ORDER BY score DESC, rowid LIMIT ?"
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

    def put(
        self,
        connection: apsw.Connection,
        places: Sequence[Place],
        documents: Sequence[Document],
        gate: Gate,
    ) -> None:
        """Add or replace documents, in the caller's transaction."""
        for place, document in zip(places, documents, strict=True):
            gate.pause()
            fields = _fields(document)
            stems = (" ".join(self._stemmer.stems(field)) for field in fields)
            connection.execute(
                "INSERT OR REPLACE INTO words (rowid, title, keywords, text, extra, scope)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (place.number + 1, *stems, _SCOPE_WORD.format(place.scope)),
            )
            self._vocabulary.learn(connection, {word for field in fields for word in field})

    def remove(self, connection: apsw.Connection, numbers: Sequence[int]) -> None:
        """Forget documents, in the caller's transaction."""
        connection.executemany(
            "DELETE FROM words WHERE rowid = ?", ((number + 1,) for number in numbers)
        )

    def abandoned(self) -> None:
        """The transaction of the last `put` was not committed."""
        self._vocabulary.forget_seen()

    def search(
        self, connection: apsw.Connection, text: str, allowed: Allowed, limit: int
    ) -> Matches:
        """The `limit` best among the allowed documents."""
        is_few = allowed.scope_documents <= SCOPE_DOCUMENTS_FEW
        groups = ask(
            connection, self._stemmer, text, ROWS_MAX_IN_SCOPES if is_few else ROWS_MAX
        )
        within = _within(allowed.scopes) if is_few else ""
        rows_limit = _rows_for(limit, allowed)
        found = [_rows(connection, group, within, rows_limit) for group in groups]
        return _best(found, allowed, limit)


def _fields(document: Document) -> tuple[list[str], ...]:
    """Words of title, keywords and text, and other forms of all of them."""
    found = [words(text) for text in (document.title, document.keywords, document.text)]
    return (*(one.main for one in found), [word for one in found for word in one.extra])


def _within(scopes: Sequence[int]) -> str:
    scope_words = " OR ".join(f'"{_SCOPE_WORD.format(scope)}"' for scope in scopes)
    return f"({scope_words}) AND "


def _rows_for(limit: int, allowed: Allowed) -> int:
    """Rows to take so that, of documents spread evenly, enough are allowed; all of few."""
    size = len(allowed.mask)
    return min(ROWS_MAX, limit * max(1, size // max(1, allowed.count)) + limit)


def _rows(
    connection: apsw.Connection, group: Group, within: str, limit: int
) -> NDArray[np.float64]:
    is_bounded = within or group.rows <= ROWS_MAX
    statement, limit = (_BEST, limit) if is_bounded else (_NEWEST, ROWS_MAX)
    rows = connection.execute(statement, (f"{within}({group.expression})", limit)).fetchall()
    table = np.array(rows, np.float64).reshape(-1, 2)
    table[:, 1] *= group.weight
    return table


def _best(found: Sequence[NDArray[np.float64]], allowed: Allowed, limit: int) -> Matches:
    table = np.concatenate(found) if found else np.zeros((0, 2))
    numbers, inverse = np.unique(table[:, 0].astype(np.intp) - 1, return_inverse=True)
    scores = np.bincount(inverse, table[:, 1], len(numbers))
    known = numbers < len(allowed.mask)
    known[known] = allowed.mask[numbers[known]]
    numbers, scores = numbers[known], scores[known]
    best = np.lexsort((numbers, -scores))[:limit]
    return Matches(numbers[best], scores[best])
