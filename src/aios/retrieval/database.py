"""The index's own SQLite database: one writing connection, a few reading ones. Knows no search.

All of it can be made again from the rooms, so a database that is damaged, missing, or of another
layout is simply begun anew.
"""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import apsw

from aios.errors import Damaged, NoSpace

LAYOUT = 1
READERS_KEPT = 4
BUSY_MS = 5_000
IDS_A_QUERY = 500
CACHE_KIB = 16_384  # of each connection
Row = tuple[Any, ...]
Values = tuple[str | int | float, ...]

_SCHEMA = (
    "CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID",
    # A document's number is its row in `words` and in the file of vectors.
    """
    CREATE TABLE documents (
        number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, scope INTEGER NOT NULL,
        time REAL NOT NULL, has_vector INTEGER NOT NULL
    ) STRICT
    """,
    "CREATE TABLE scopes (number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT",
    """
    CREATE VIRTUAL TABLE words USING fts5 (
        title, keywords, text, extra, scope,
        content='', contentless_delete=1, tokenize='unicode61 remove_diacritics 0'
    )
    """,
    # The numbers of each document's stems in their order, 32 bits each.
    "CREATE TABLE sequences (number INTEGER PRIMARY KEY, stems BLOB NOT NULL) STRICT",
    "CREATE VIRTUAL TABLE word_counts USING fts5vocab(words, row)",
    # Words that were ever seen; and each of them under what is left when one letter is dropped.
    "CREATE TABLE spellings (word TEXT PRIMARY KEY) STRICT, WITHOUT ROWID",
    """
    CREATE TABLE misspellings (
        key INTEGER NOT NULL, word TEXT NOT NULL, PRIMARY KEY (key, word)
    ) STRICT, WITHOUT ROWID
    """,
)


def rows(connection: apsw.Connection, statement: str, values: Values = ()) -> list[Row]:
    """What a query finds."""
    return connection.execute(statement, values).fetchall()


def rows_of(connection: apsw.Connection, ids: Sequence[str]) -> list[tuple[int, str]]:
    """Numbers and ids of those documents that are there."""
    found: list[tuple[int, str]] = []
    for at in range(0, len(ids), IDS_A_QUERY):
        some = tuple(ids[at : at + IDS_A_QUERY])
        marks = ",".join("?" * len(some))
        found += rows(connection, f"SELECT number, id FROM documents WHERE id IN ({marks})", some)
    return found


class Database:
    """An open index database. The writer is for one thread at a time, readers for any."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._free: list[apsw.Connection] = []
        self._lock = threading.Lock()
        self.writer = self._opened()

    @contextmanager
    def write(self) -> Iterator[apsw.Connection]:
        """One transaction, durable when it ends."""
        with guarded(), self.writer:
            yield self.writer

    @contextmanager
    def read(self) -> Iterator[apsw.Connection]:
        """A connection that sees one moment for as long as it is held."""
        with self._lock:
            connection = self._free.pop() if self._free else None
        with guarded():
            connection = connection or self._opened()
            try:
                with connection:
                    yield connection
            finally:
                self._give_back(connection)

    def fact(self, name: str) -> str | None:
        """What `remember` kept under that name."""
        with guarded():
            found = rows(self.writer, "SELECT value FROM facts WHERE name = ?", (name,))
        return str(found[0][0]) if found else None

    def remember(self, name: str, value: str) -> None:
        with self.write() as connection:
            connection.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", (name, value))

    def close(self) -> None:
        for connection in (*self._free, self.writer):
            connection.close()
        self._free.clear()

    def _give_back(self, connection: apsw.Connection) -> None:
        with self._lock:
            if len(self._free) < READERS_KEPT:
                self._free.append(connection)
                return
        connection.close()

    def _opened(self) -> apsw.Connection:
        connection = apsw.Connection(str(self._path))
        connection.set_busy_timeout(BUSY_MS)
        connection.execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL")
        connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
        return connection


def open_database(path: Path) -> Database:
    """The database at `path`; a new, empty one where there is none that can be used."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        found = _known(path)
    except (Damaged, apsw.Error):
        found = None
    if found is not None:
        return found
    delete_database(path)
    database = Database(path)
    with database.write() as connection:
        for statement in _SCHEMA:
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {LAYOUT}")
    return database


def join_database(path: Path) -> Database:
    """The database at `path` as another process has it open already. Raises `Damaged`."""
    found = _known(path)
    if found is None:
        raise Damaged(f"no search index of layout {LAYOUT} in {path}")
    return found


def delete_database(path: Path) -> None:
    """Remove the file and what SQLite keeps beside it."""
    for ending in ("", "-wal", "-shm", "-journal"):
        path.with_name(path.name + ending).unlink(missing_ok=True)


@contextmanager
def guarded() -> Iterator[None]:
    """SQLite's errors as ours."""
    try:
        yield
    except (apsw.CorruptError, apsw.NotADBError) as error:
        raise Damaged(f"the search index cannot be read: {error}") from error
    except (apsw.FullError, apsw.IOError) as error:
        raise NoSpace(f"the search index cannot be written: {error}") from error


def _known(path: Path) -> Database | None:
    if not path.exists():
        return None
    database = Database(path)
    try:
        with guarded():
            layout = rows(database.writer, "PRAGMA user_version")[0][0]
            rows(database.writer, "SELECT count(*) FROM facts")
    except Damaged:
        database.close()
        raise
    if layout == LAYOUT:
        return database
    database.close()
    return None
