"""The tables and the one way they change: groups of posts, each post whole or not at all.

Synchronous, for one thread at a time. Knows no queue, no blob and no reserve.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import apsw

from aios.errors import Damaged, NoSpace, WrongState
from aios.journal.base import Change, Row, Statement, Value
from aios.journal.connection import connect, in_our_words, told
from aios.journal.migrations import MIGRATIONS
from aios.journal.statements import META_GET, META_PUT
from aios.journal.wal import survey

COMMITS = "commits"  # the meta row that counts them
LOG_PAGES_MAX = 2_000  # 8 MiB; a checkpoint of that many is a pause of some tens of milliseconds

Post = Sequence[Change]
Outcome = Exception | None  # of one post


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Of a database that writes."""

    is_durable: bool = True
    log_pages_max: int = LOG_PAGES_MAX


class Database:
    """One connection that writes."""

    def __init__(self, path: Path | None, settings: Settings = Settings()) -> None:
        self._settings = settings
        self._name = "the database in memory" if path is None else str(path)
        self._log_pages = 0  # in the write-ahead log
        self._log_seen = 0  # of them there were at the last checkpoint
        with told(self._name):
            self._connection = connect(path, is_durable=settings.is_durable)
            try:
                migrate(self._connection, self._name)
                self.commits = counted(self._connection)
                self._connection.set_wal_hook(self._logged)
            except BaseException:
                self._connection.close()
                raise

    def apply(self, posts: Sequence[Post]) -> list[Outcome]:
        """Commit the posts in order, in one transaction; a post that cannot be done fails alone.

        Raises `NoSpace` or `Damaged` where the transaction itself failed: then nothing is there.
        """
        try:
            self._commit(posts, lone=False)
            return [None] * len(posts)
        except Exception as problem:
            said = in_our_words(problem, self._name)
            if isinstance(said, (NoSpace, Damaged)):
                raise said from problem
        # Somebody's post is at fault: once more, with a savepoint for each.
        with told(self._name):
            return self._commit(posts, lone=True)

    @property
    def pages(self) -> int:
        """Of the whole database."""
        return cast(int, self._connection.pragma("page_count"))

    @property
    def is_log_long(self) -> bool:
        """A checkpoint is due even if somebody has to wait for it."""
        return self._log_pages - self._log_seen >= self._settings.log_pages_max

    def checkpoint(self) -> None:
        """Bring the log into the database; waits for no reader, and leaves what one still needs.

        The log has no page checksums, and SQLite trusts what it finds there: a flipped bit would
        go into the database with a good checksum. So the log's own are verified first.
        """
        if self._log_pages == self._log_seen:
            return
        with told(self._name):
            log = Path(self._connection.filename_wal)
            whole = survey(log.read_bytes()).frames
            if whole < self._log_pages:
                raise Damaged(
                    f"{log}: expected {self._log_pages} whole frames, found {whole}; "
                    "what was committed after them is lost"
                )
            self._connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
            self._log_seen = self._log_pages

    def settle(self) -> None:
        """Bring all of the log into the database and leave it empty; nobody may be reading."""
        self.checkpoint()
        with told(self._name):
            self._connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)

    def read(self, statement: Statement, values: Sequence[Value]) -> list[Row]:
        """All rows."""
        return read(self._connection, statement, values)

    def close(self) -> None:
        """Leave the log as it is; no-op the second time."""
        self._connection.close()

    def _logged(self, connection: apsw.Connection, schema: str, pages: int) -> int:
        if pages < self._log_pages:  # It was all in the database: the log began anew.
            self._log_seen = 0
        self._log_pages = pages
        return apsw.SQLITE_OK

    def _commit(self, posts: Sequence[Post], *, lone: bool) -> list[Outcome]:
        execute = self._connection.execute
        execute("BEGIN IMMEDIATE")
        try:
            way = self._alone if lone else self._run
            outcomes = [way(post) for post in posts]
            execute(META_PUT.sql, (COMMITS, self.commits + 1))
            execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:  # SQLite may have rolled back by itself.
                execute("ROLLBACK")
            raise
        self.commits += 1
        return outcomes

    def _run(self, post: Post) -> Outcome:
        for statement, values in post:
            self._connection.execute(statement.sql, values)
        return None

    def _alone(self, post: Post) -> Outcome:
        self._connection.execute("SAVEPOINT post")
        try:
            self._run(post)
        except Exception as problem:
            said = in_our_words(problem, self._name)
            if isinstance(said, (NoSpace, Damaged)):
                raise said from problem
            self._connection.execute("ROLLBACK TO post")
            outcome: Outcome = said
        else:
            outcome = None
        self._connection.execute("RELEASE post")
        return outcome


def read(connection: apsw.Connection, statement: Statement, values: Sequence[Value]) -> list[Row]:
    """All rows of a statement. Raises `Damaged`."""
    with told(f"{connection.filename or 'memory'}, reading {statement.name}"):
        return cast(list[Row], connection.execute(statement.sql, tuple(values)).fetchall())


def migrate(
    connection: apsw.Connection, name: str, steps: Sequence[Sequence[str]] = MIGRATIONS
) -> None:
    """Bring the tables to today's shape, all steps or none. Raises `WrongState` if it is newer."""
    if version(connection) == len(steps):
        return
    with connection:
        found = version(connection)
        if found > len(steps):
            raise WrongState(
                f"{name}: expected a database of version {len(steps)} or older, found "
                f"{found}: it was written by a newer AIOS"
            )
        for step in steps[found:]:
            for sql in step:
                connection.execute(sql)
        connection.pragma("user_version", len(steps))


def version(connection: apsw.Connection) -> int:
    """How many migrations the database has seen."""
    return cast(int, connection.pragma("user_version"))


def counted(connection: apsw.Connection) -> int:
    """Groups committed since the beginning."""
    rows = read(connection, META_GET, (COMMITS,))
    return cast(int, rows[0][0]) if rows else 0
