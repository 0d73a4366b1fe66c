"""Opens SQLite connections whose pages carry checksums, and tells their errors in our words.

Knows no table. Checksums come from SQLite's own `cksumvfs`: eight bytes at the end of every page,
written with it and verified whenever it is read.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock

import apsw
from apsw import sqlite_extra

from aios.errors import AiosError, Conflict, Damaged, NoSpace

PAGE_BYTES = 4096
CHECKSUM_BYTES = 8  # the reserve at a page's end by which `cksumvfs` knows its pages
CACHE_KIB = 32_768  # of pages, a connection
STATEMENTS_KEPT = 512  # prepared ones, a connection; more than there are
BUSY_MS = 10_000  # another process (a check, a backup) holds a lock no longer than this

CHECKSUMS = "cksmvfs"  # the layer's name
_loading = Lock()
_DISK = (OSError, apsw.FullError, apsw.IOError, apsw.CantOpenError, apsw.ReadOnlyError)
_BROKEN = (apsw.CorruptError, apsw.NotADBError, apsw.FormatError)


def connect(path: Path | None, *, is_durable: bool = True) -> apsw.Connection:
    """A connection to the file, in WAL mode; to a database in memory where there is no path."""
    if path is None:
        return _prepared(apsw.Connection(":memory:", statementcachesize=STATEMENTS_KEPT))
    load_checksums()
    connection = apsw.Connection(str(path), vfs=CHECKSUMS, statementcachesize=STATEMENTS_KEPT)
    try:
        connection.set_busy_timeout(BUSY_MS)
        connection.reserve_bytes(reserve=CHECKSUM_BYTES)
        connection.pragma("page_size", PAGE_BYTES)
        connection.pragma("journal_mode", "wal")
        connection.pragma("synchronous", "full" if is_durable else "off")
        # The log is brought into the database when the writer says so, and has looked at it first.
        connection.wal_autocheckpoint(0)
        connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
        return _prepared(connection)
    except BaseException:
        connection.close()
        raise


def load_checksums() -> None:
    """Make the checksum layer known, over what is the default layer now; once a process."""
    with _loading:
        if CHECKSUMS in apsw.vfs_names():
            return
        default = apsw.vfs_names()[0]
        with apsw.Connection(":memory:") as connection:
            sqlite_extra.load(connection, "cksumvfs")
        connection.close()
        # It makes itself the default; other users of SQLite in this process did not ask for it.
        apsw.set_default_vfs(default)


@contextmanager
def told(what: str) -> Iterator[None]:
    """Turn SQLite's errors about the disk and the data into ours; `what` was being done."""
    try:
        yield
    except (apsw.Error, UnicodeDecodeError, OSError) as problem:
        raise in_our_words(problem, what) from problem


def in_our_words(problem: Exception, what: str) -> Exception:
    """The typed error that this is; a programmer's error stays what it is."""
    if isinstance(problem, AiosError):
        return problem
    if isinstance(problem, (*_BROKEN, UnicodeDecodeError)) or _is_checksum(problem):
        return Damaged(
            f"{what}: expected the bytes that were written, found others ({problem}); "
            "`aios journal check` names the pages and tables"
        )
    if isinstance(problem, _DISK):
        return NoSpace(f"{what}: the disk is full or failing: {problem}")
    if isinstance(problem, apsw.ConstraintError):
        return Conflict(f"{what}: {problem}")
    return problem


def _is_checksum(problem: Exception) -> bool:
    code = getattr(problem, "extendedresult", None)
    return code in (apsw.SQLITE_IOERR_DATA, apsw.SQLITE_IOERR_CORRUPTFS)


def _prepared(connection: apsw.Connection) -> apsw.Connection:
    connection.pragma("cache_size", -CACHE_KIB)
    connection.pragma("foreign_keys", True)
    connection.pragma("temp_store", "memory")
    return connection
