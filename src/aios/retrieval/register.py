"""Who gives documents their numbers: the writing side of `catalog.py`. Knows no word and no vector.

A document keeps its number while it lives; the number of one that was removed is given again.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import apsw

from aios.retrieval.base import Document
from aios.retrieval.database import rows, rows_of


@dataclass(frozen=True, slots=True)
class Place:
    """A document's number and that of its scope."""

    number: int
    scope: int


class Register:
    """The table of documents, as its one writer changes it: in transactions of the caller."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection
        self._scopes: dict[str, int] = {}
        self._free: list[int] = []  # numbers below the highest that nobody has
        self._next = 0
        self.reload()

    @property
    def count(self) -> int:
        """How many documents there are."""
        return self._next - len(self._free)

    def reload(self) -> None:
        """Take over what the table says: at first, and after a change that was not committed."""
        taken = {int(row[0]) for row in rows(self._connection, "SELECT number FROM documents")}
        self._next = max(taken, default=-1) + 1
        self._free = [number for number in range(self._next) if number not in taken]
        names = rows(self._connection, "SELECT name, number FROM scopes")
        self._scopes = {str(name): int(number) for name, number in names}

    def put(self, documents: Sequence[Document], *, has_vector: bool) -> list[Place]:
        """Where documents are, now or as before."""
        ids = [one.id for one in documents]
        old = {id: number for number, id in rows_of(self._connection, ids)}
        places = [
            Place(old[one.id] if one.id in old else self._number(), self._scope(one.scope))
            for one in documents
        ]
        self._connection.executemany(
            "INSERT OR REPLACE INTO documents VALUES (?, ?, ?, ?, ?)",
            [
                (place.number, one.id, place.scope, one.time, has_vector)
                for place, one in zip(places, documents, strict=True)
            ],
        )
        return places

    def remove(self, ids: Sequence[str]) -> list[int]:
        """Forget documents; the numbers they had, which others may get from now on."""
        numbers = [number for number, _ in rows_of(self._connection, ids)]
        self._connection.executemany(
            "DELETE FROM documents WHERE number = ?", [(number,) for number in numbers]
        )
        self._free += numbers
        return numbers

    def mark_vectors(self, ids: Sequence[str]) -> dict[str, int]:
        """Those of the documents that are there have a vector; their numbers."""
        found = {id: number for number, id in rows_of(self._connection, ids)}
        self._connection.executemany(
            "UPDATE documents SET has_vector = 1 WHERE number = ?",
            [(number,) for number in found.values()],
        )
        return found

    def _number(self) -> int:
        if self._free:
            return self._free.pop()
        self._next += 1
        return self._next - 1

    def _scope(self, name: str) -> int:
        number = self._scopes.get(name)
        if number is None:
            self._connection.execute("INSERT OR IGNORE INTO scopes (name) VALUES (?)", (name,))
            found = rows(self._connection, "SELECT number FROM scopes WHERE name = ?", (name,))
            number = self._scopes[name] = int(found[0][0])
        return number
