"""Which documents there are, for who searches: number, id, scope, time. Knows no word, no vector.

`register.py` writes the table, in another process mostly. Beside it, everything but the ids is held
here in arrays by number, because every search reads it for every document. The arrays follow after
the commit; a search that ran meanwhile is put right by `named`, which looks at the table again.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import apsw
import numpy as np
from numpy.typing import NDArray

from aios.retrieval.base import Query
from aios.retrieval.database import IDS_A_QUERY, Database, Row, rows, rows_of

NOBODY = -1
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowed:
    """What a query may find: documents by number, and the scopes that they lie in."""

    mask: Mask
    count: int
    scopes: tuple[int, ...]
    scope_documents: int  # in those scopes together


@dataclass(frozen=True, slots=True)
class Named:
    """A document's number resolved."""

    number: int
    id: str
    time: float


class Catalog:
    """The documents of one index."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._names: dict[str, int] = {}  # the scopes' numbers
        self._scopes = np.full(0, NOBODY, np.int32)
        self._of_scope = np.zeros(0, np.intp)  # documents by scope
        self._has_vector = np.zeros(0, np.bool_)
        self._load()

    @property
    def size(self) -> int:
        """One more than the highest number."""
        return len(self._scopes)

    @property
    def count(self) -> int:
        return int(np.count_nonzero(self._scopes != NOBODY))

    @property
    def vectors_end(self) -> int:
        """One more than the highest number that has a vector."""
        return int(np.flatnonzero(self._has_vector)[-1]) + 1 if self._has_vector.any() else 0

    @property
    def has_vector(self) -> Mask:
        """Documents whose text was embedded."""
        found: Mask = self._has_vector & (self._scopes != NOBODY)
        return found

    def numbers(self, ids: Sequence[str]) -> dict[str, int]:
        """Numbers of those documents that are there."""
        with self._database.read() as connection:
            return {str(id): int(number) for number, id in rows_of(connection, ids)}

    def without_vector(self, limit: int) -> list[str]:
        """Some documents whose text was not embedded yet."""
        with self._database.read() as connection:
            found = rows(
                connection, "SELECT id FROM documents WHERE NOT has_vector LIMIT ?", (limit,)
            )
        return [str(row[0]) for row in found]

    def allowed(self, query: Query) -> Allowed:
        """Documents that `query` may find, as of now."""
        scopes = self._scopes
        of_scope = self._of_scope
        wanted = {self._names.get(name, NOBODY) for name in query.scopes} - {NOBODY}
        mask = _any_of(scopes, wanted)
        if query.also or query.only is not None:
            numbers = self.numbers([*query.also, *(query.only or ())])
            _admit(mask, [numbers[id] for id in query.also if id in numbers])
            if query.only is not None:
                mask &= _at([numbers[id] for id in query.only if id in numbers], len(mask))
            lies_in = [one for one in np.unique(scopes[mask]).tolist() if 0 <= one < len(of_scope)]
        else:
            lies_in = [scope for scope in wanted if scope < len(of_scope) and of_scope[scope]]
        return Allowed(
            mask=mask,
            count=int(np.count_nonzero(mask)),
            scopes=tuple(sorted(lies_in)),
            scope_documents=sum(int(of_scope[scope]) for scope in lies_in),
        )

    def with_vector(self, mask: Mask) -> Mask:
        """Those of `mask` whose text was embedded."""
        known = self._has_vector[: len(mask)]
        return np.logical_and(mask[: len(known)], known)

    def named(
        self, connection: apsw.Connection, numbers: Collection[int], query: Query
    ) -> dict[int, Named]:
        """The documents of those numbers that `query` may find, as the table has them."""
        found: dict[int, Named] = {}
        marks = ",".join("?" * len(numbers))
        named = rows(
            connection,
            "SELECT documents.number, id, name, time FROM documents"
            f" JOIN scopes ON scopes.number = scope WHERE documents.number IN ({marks})",
            tuple(numbers),
        )
        for number, id, scope, time in named:
            is_open = scope in query.scopes or id in query.also
            if is_open and (query.only is None or id in query.only):
                found[number] = Named(number, str(id), float(time))
        return found

    def forget_vectors(self, connection: apsw.Connection) -> None:
        """No document has a vector."""
        connection.execute("UPDATE documents SET has_vector = 0 WHERE has_vector")

    def follow(self, numbers: Collection[int]) -> None:
        """Take over what the table now says about those numbers."""
        if not numbers:
            return
        scopes, vectors = self._grown(max(numbers) + 1)
        scopes[list(numbers)], vectors[list(numbers)] = NOBODY, False
        with self._database.read() as connection:
            for number, scope, has_vector in _rows_at(connection, list(numbers)):
                scopes[number], vectors[number] = scope, has_vector
            if scopes[list(numbers)].max() >= len(self._of_scope):
                self._names = _names(connection)
        self._take(scopes, vectors)

    def reload(self) -> None:
        """Take over everything the table says."""
        self._load()

    def _grown(self, size: int) -> tuple[NDArray[np.int32], Mask]:
        """Copies: searches go on with the arrays that they began with."""
        more = max(0, size - self.size)
        return (
            np.concatenate((self._scopes, np.full(more, NOBODY, np.int32))),
            np.concatenate((self._has_vector, np.zeros(more, np.bool_))),
        )

    def _take(self, scopes: NDArray[np.int32], has_vector: Mask) -> None:
        self._of_scope = np.bincount(scopes[scopes != NOBODY])
        self._scopes, self._has_vector = scopes, has_vector

    def _load(self) -> None:
        with self._database.read() as connection:
            known = rows(connection, "SELECT number, scope, has_vector FROM documents")
            self._names = _names(connection)
        table = np.array(known, np.int64).reshape(-1, 3)
        size = int(table[:, 0].max()) + 1 if len(table) else 0
        scopes, has_vector = np.full(size, NOBODY, np.int32), np.zeros(size, np.bool_)
        scopes[table[:, 0]] = table[:, 1]
        has_vector[table[:, 0]] = table[:, 2] != 0
        self._take(scopes, has_vector)


def _names(connection: apsw.Connection) -> dict[str, int]:
    found = rows(connection, "SELECT name, number FROM scopes")
    return {str(name): int(number) for name, number in found}


def _rows_at(connection: apsw.Connection, numbers: Sequence[int]) -> list[Row]:
    """What the table has at those numbers."""
    found: list[Row] = []
    for at in range(0, len(numbers), IDS_A_QUERY):
        some = tuple(numbers[at : at + IDS_A_QUERY])
        marks = ",".join("?" * len(some))
        found += rows(
            connection,
            f"SELECT number, scope, has_vector FROM documents WHERE number IN ({marks})",
            some,
        )
    return found


def _any_of(scopes: NDArray[np.int32], wanted: set[int]) -> Mask:
    if len(wanted) == 1:
        return np.asarray(scopes == next(iter(wanted)))
    return np.isin(scopes, list(wanted))


def _at(numbers: Sequence[int], size: int) -> Mask:
    mask = np.zeros(size, np.bool_)
    _admit(mask, numbers)
    return mask


def _admit(mask: Mask, numbers: Sequence[int]) -> None:
    mask[[number for number in numbers if number < len(mask)]] = True
