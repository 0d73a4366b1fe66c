"""Looks at every byte of a journal and names what is damaged: pages by table, blobs by name.

Changes nothing. A journal in use may be checked: what was just being written is read again.
"""

from collections.abc import Collection, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import apsw
import numpy as np

from aios.errors import AiosError, Damaged, NotFound
from aios.journal.blobs import blob_names, read_blob
from aios.journal.connection import PAGE_BYTES, connect, told
from aios.journal.database import counted, read
from aios.journal.disk import Disk
from aios.journal.layout import Layout
from aios.journal.pages import are_whole
from aios.journal.statements import CHUNK_BLOBS, FILE_BLOBS, MESSAGE_BLOBS
from aios.journal.wal import survey
from aios.journal.witness import Witness

PAGES_AT_ONCE = 1_024
TRIES = 3  # readings of bytes that do not fit before they count: they may be half written
BLOB_STATEMENTS = (FILE_BLOBS, CHUNK_BLOBS, MESSAGE_BLOBS)
MESSAGES_MAX = 100  # of SQLite's own check


@dataclass(frozen=True, slots=True)
class Trouble:
    """One thing that is not as it was written."""

    place: str  # "database page 12 (table note)", "blob 3f...", "witness"
    problem: str


def check(folder: Path, referenced: Collection[str] = ()) -> list[Trouble]:
    """All that is wrong; `referenced` are the blobs that must be there. Blocks, and reads a lot."""
    layout, disk = Layout(folder), Disk()
    promised, troubles = _promised(layout, disk)
    if disk.size(layout.database):
        troubles += _in_database(layout, disk, promised)
    elif promised:
        troubles.append(Trouble("database", f"{layout.database} is gone or empty"))
    return [*troubles, *_in_blobs(layout, disk, referenced)]


def blobs_in_use(folder: Path) -> set[str]:
    """Every blob that a row refers to, as far as the rows can be read. Blocks."""
    layout, found = Layout(folder), set[str]()
    if not Disk().size(layout.database):
        return found
    with suppress(AiosError), told(str(layout.database)), _opened(layout.database) as connection:
        for statement in BLOB_STATEMENTS:
            with suppress(AiosError):
                found |= {str(row[0]) for row in read(connection, statement, ())}
    return found


def _promised(layout: Layout, disk: Disk) -> tuple[int, list[Trouble]]:
    try:
        promised = Witness(disk, layout.witness).load()
    except Damaged as problem:
        return 0, [Trouble("witness", problem.message)]
    if promised is None and disk.size(layout.database):
        return 0, [Trouble("witness", f"{layout.witness} is gone")]
    return promised or 0, []


def _in_database(layout: Layout, disk: Disk, promised: int) -> list[Trouble]:
    bad = [page for page in _bad_pages(layout, disk) if not _is_whole(layout, disk, page)]
    if bad:
        tables = _tables(layout.database)
        found = [
            Trouble(f"database page {page} ({tables.get(page, 'table unknown')})", "wrong checksum")
            for page in bad
        ]
    else:
        found = list(_in_structure(layout, promised))
    if _is_log_damaged(layout, disk):
        found.append(Trouble("write-ahead log", "it changed before its end: commits are lost"))
    return found


def _bad_pages(layout: Layout, disk: Disk) -> Iterator[int]:
    """Numbers, from 1, of pages that do not fit their checksum at first sight."""
    size, step = disk.size(layout.database) or 0, PAGES_AT_ONCE * PAGE_BYTES
    for offset in range(0, size, step):
        whole = are_whole(disk.read_part(layout.database, offset, step))
        yield from (offset // PAGE_BYTES + int(at) + 1 for at in np.flatnonzero(~whole))
    if size % PAGE_BYTES:
        yield size // PAGE_BYTES + 1


def _is_whole(layout: Layout, disk: Disk, page: int) -> bool:
    offset = (page - 1) * PAGE_BYTES
    for _ in range(TRIES):
        data = disk.read_part(layout.database, offset, PAGE_BYTES)
        if len(data) == PAGE_BYTES and are_whole(data)[0]:
            return True
    return False


def _is_log_damaged(layout: Layout, disk: Disk) -> bool:
    return all(
        disk.size(layout.log) and survey(disk.read(layout.log)).is_damaged for _ in range(TRIES)
    )


def _tables(database: Path) -> dict[int, str]:
    """Which table or index each page belongs to, as far as it can be told."""
    tables: dict[int, str] = {}
    with suppress(AiosError, apsw.Error), _opened(database) as connection:
        connection.pragma("checksum_verification", 0)
        for name, page in connection.execute("SELECT name, pageno FROM dbstat"):
            tables[cast(int, page)] = f"table or index {name}"
    return tables


def _in_structure(layout: Layout, promised: int) -> Iterator[Trouble]:
    """What SQLite itself finds, where every page is as it was written."""
    try:
        with told(str(layout.database)), _opened(layout.database) as connection:
            last = counted(connection)
            if last < promised:
                yield Trouble("database", f"commit {promised} was promised, {last} is the last")
            for (message,) in connection.execute(f"PRAGMA integrity_check({MESSAGES_MAX})"):
                if message != "ok":
                    yield Trouble("database", str(message))
            for row in connection.execute("PRAGMA foreign_key_check"):
                yield Trouble(f"table {row[0]}", f"row {row[1]} refers to nothing in {row[2]}")
    except AiosError as problem:
        yield Trouble("database", problem.message)


def _in_blobs(layout: Layout, disk: Disk, referenced: Collection[str]) -> Iterator[Trouble]:
    there = blob_names(disk, layout.blobs)
    yield from (Trouble(f"blob {name}", "it is gone") for name in sorted({*referenced} - {*there}))
    for name in there:
        try:
            read_blob(disk, layout.blobs, name)
        except Damaged as problem:
            yield Trouble(f"blob {name}", problem.message)
        except NotFound:
            continue  # A sweep was faster.


def _opened(database: Path) -> closing[apsw.Connection]:
    connection = connect(database)
    connection.pragma("query_only", True)
    return closing(connection)
