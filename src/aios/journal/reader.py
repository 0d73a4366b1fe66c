"""What the reading thread does with a group of reads. Synchronous; writes nothing."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from aios.journal.base import Row, Statement, Value
from aios.journal.connection import connect, told
from aios.journal.database import read


class Question(NamedTuple):
    """A statement that reads, and the values it binds."""

    statement: Statement
    values: tuple[Value, ...]


class Reader:
    """One connection that reads."""

    def __init__(self, path: Path) -> None:
        with told(str(path)):
            self._connection = connect(path)
            self._connection.pragma("query_only", True)

    def read(self, questions: Sequence[Question]) -> list[list[Row] | Exception]:
        """Rows for each, as of now, or why there are none."""
        return [self._one(question) for question in questions]

    def close(self) -> None:
        """No-op the second time."""
        self._connection.close()

    def _one(self, question: Question) -> list[Row] | Exception:
        try:
            return read(self._connection, *question)
        except Exception as problem:
            return problem
