"""Which documents there are: number, id, scope, time. Knows no word and no vector.

A document keeps its number while it lives; the number of one that was removed is given again.
Beside the table, everything but the ids is held in arrays by number, because every search reads
it for every document. The arrays change after the commit; a search that ran meanwhile is put
right by `named`, which looks at the table again.
"""

import itertools
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import apsw
import numpy as np
from numpy.typing import NDArray

from aios.retrieval.base import Document, Query
from aios.retrieval.database import Database, rows

NOBODY = -1
IDS_A_QUERY = 500
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


@dataclass(frozen=True, slots=True)
class Place:
    """A document's number and that of its scope."""

    number: int
    scope: int


class Catalog:
    """The documents of one index."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._scope_numbers: dict[str, int] = {}
        self._scopes = np.full(0, NOBODY, np.int32)
        self._has_vector = np.zeros(0, np.bool_)
        self._free: list[int] = []  # numbers below the highest that nobody has
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
            return {str(id): int(number) for number, id in _rows_of(connection, ids)}

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
        wanted = {self._scope_numbers.get(name, NOBODY) for name in query.scopes} - {NOBODY}
        mask = _any_of(scopes, wanted)
        if query.also or query.only is not None:
            numbers = self.numbers([*query.also, *(query.only or ())])
            _admit(mask, [numbers[id] for id in query.also if id in numbers])
            if query.only is not None:
                mask &= _at([numbers[id] for id in query.only if id in numbers], len(mask))
        lies_in = np.unique(scopes[mask])
        return Allowed(
            mask=mask,
            count=int(np.count_nonzero(mask)),
            scopes=tuple(int(scope) for scope in lies_in if scope != NOBODY),
            scope_documents=int(np.count_nonzero(_any_of(scopes, set(lies_in.tolist())))),
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

    def put(self, connection: apsw.Connection, documents: Sequence[Document]) -> list[Place]:
        """Where documents are, now or as before; in the caller's transaction, no vectors yet."""
        old = {id: number for number, id in _rows_of(connection, [one.id for one in documents])}
        new = itertools.count(self.size)
        places = []
        for document in documents:
            number = old.get(document.id)
            if number is None:
                number = self._free.pop() if self._free else next(new)
            scope = self._scope_number(connection, document.scope)
            connection.execute(
                "INSERT OR REPLACE INTO documents VALUES (?, ?, ?, ?, 0)",
                (number, document.id, scope, document.time),
            )
            places.append(Place(number, scope))
        return places

    def remove(self, connection: apsw.Connection, ids: Sequence[str]) -> list[int]:
        """Forget documents; the numbers they had."""
        numbers = [int(number) for number, *_ in _rows_of(connection, ids)]
        connection.executemany(
            "DELETE FROM documents WHERE number = ?", ((number,) for number in numbers)
        )
        return numbers

    def mark_vectors(self, connection: apsw.Connection, numbers: Sequence[int]) -> None:
        """Those documents have a vector."""
        connection.executemany(
            "UPDATE documents SET has_vector = 1 WHERE number = ?",
            ((number,) for number in numbers),
        )

    def forget_vectors(self, connection: apsw.Connection) -> None:
        """No document has a vector."""
        connection.execute("UPDATE documents SET has_vector = 0 WHERE has_vector")

    def committed(self, numbers: Sequence[int]) -> None:
        """Take over what the table now says about those numbers."""
        if not numbers:
            return
        scopes, vectors = self._grown(max(numbers) + 1)
        scopes[list(numbers)] = NOBODY
        with self._database.read() as connection:
            for number in numbers:
                now = rows(
                    connection,
                    "SELECT scope, has_vector FROM documents WHERE number = ?",
                    (number,),
                )
                if now:
                    scopes[number], vectors[number] = now[0]
                else:
                    self._free.append(number)
        self._scopes, self._has_vector = scopes, vectors

    def reload(self) -> None:
        """Take over everything the table says: after a change that was not committed."""
        self._load()

    def _grown(self, size: int) -> tuple[NDArray[np.int32], Mask]:
        """Copies: searches go on with the arrays that they began with."""
        more = max(0, size - self.size)
        return (
            np.concatenate((self._scopes, np.full(more, NOBODY, np.int32))),
            np.concatenate((self._has_vector, np.zeros(more, np.bool_))),
        )

    def _scope_number(self, connection: apsw.Connection, name: str) -> int:
        number = self._scope_numbers.get(name)
        if number is None:
            connection.execute("INSERT OR IGNORE INTO scopes (name) VALUES (?)", (name,))
            found = rows(connection, "SELECT number FROM scopes WHERE name = ?", (name,))
            number = self._scope_numbers[name] = int(found[0][0])
        return number

    def _load(self) -> None:
        with self._database.read() as connection:
            known = rows(connection, "SELECT number, scope, has_vector FROM documents")
            names = rows(connection, "SELECT name, number FROM scopes")
        table = np.array(known, np.int64).reshape(-1, 3)
        size = int(table[:, 0].max()) + 1 if len(table) else 0
        scopes, has_vector = np.full(size, NOBODY, np.int32), np.zeros(size, np.bool_)
        scopes[table[:, 0]] = table[:, 1]
        has_vector[table[:, 0]] = table[:, 2] != 0
        self._scope_numbers = {str(name): int(number) for name, number in names}
        self._scopes, self._has_vector = scopes, has_vector
        self._free = np.flatnonzero(scopes == NOBODY).tolist()


def _rows_of(connection: apsw.Connection, ids: Sequence[str]) -> list[tuple[int, str]]:
    found: list[tuple[int, str]] = []
    for at in range(0, len(ids), IDS_A_QUERY):
        some = tuple(ids[at : at + IDS_A_QUERY])
        marks = ",".join("?" * len(some))
        found += rows(connection, f"SELECT number, id FROM documents WHERE id IN ({marks})", some)
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
