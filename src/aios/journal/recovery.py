"""Opens the database that a kernel left, however it ended; proves that nothing promised is gone.

Where something is, the files stay as they are: whoever mends them wants the evidence.
"""

from pathlib import Path

from aios.errors import Damaged
from aios.journal.connection import PAGE_BYTES
from aios.journal.database import Database, Settings
from aios.journal.disk import Disk
from aios.journal.layout import Layout
from aios.journal.pages import are_whole
from aios.journal.wal import survey
from aios.journal.witness import Witness

WHAT_TO_DO = (
    "`aios journal check` names what is damaged, `aios journal restore` puts a backup in its place"
)


def recover(layout: Layout, witness: Witness, disk: Disk, settings: Settings) -> Database:
    """The database with every commit that the witness knows of. Raises `Damaged`."""
    path = layout.database
    promised = witness.load()
    size = disk.size(path) or 0
    if promised is None:
        if size:
            raise _lost(path, "the witness that lay beside it is gone")
        witness.create(0)
    elif promised and not size:
        raise _lost(path, "it is gone or empty")
    if disk.size(layout.log):
        if survey(disk.read(layout.log)).is_damaged:
            raise _lost(path, "its write-ahead log changed behind the last whole frame")
    elif promised:
        _prove_first_page(path, disk)
    return _opened(path, promised or 0, disk, settings)


def _opened(path: Path, promised: int, disk: Disk, settings: Settings) -> Database:
    database = Database(path, settings)
    try:
        if database.commits < promised:
            raise _lost(path, f"commit {promised} was promised, {database.commits} is the last")
        database.settle()
        size = disk.size(path) or 0
        if size != database.pages * PAGE_BYTES:
            raise _lost(path, f"{database.pages} pages were written, the file has {size} bytes")
        _prove_first_page(path, disk)
    except BaseException:
        database.close()
        raise
    return database


def _prove_first_page(path: Path, disk: Disk) -> None:
    """It says whether the others have checksums, so it cannot be left to SQLite to look at."""
    page = disk.read_part(path, 0, PAGE_BYTES)
    if len(page) < PAGE_BYTES or not are_whole(page)[0]:
        raise _lost(path, "page 1 does not fit its checksum")


def _lost(path: Path, why: str) -> Damaged:
    return Damaged(f"{path}: {why}. {WHAT_TO_DO}")
