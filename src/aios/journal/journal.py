"""The journal of one home: a folder with the database, its witness, the blobs and the reserve.

Wires the two threads to the event loop. Knows no table.
"""

import asyncio
import sys
from collections.abc import Awaitable, Sequence
from contextlib import ExitStack
from pathlib import Path

from aios.errors import NoSpace
from aios.journal.base import Change, Row, Statement, Value
from aios.journal.blobs import FileBlobs, refused
from aios.journal.database import LOG_PAGES_MAX, Post, Settings
from aios.journal.disk import Disk
from aios.journal.layout import Layout
from aios.journal.reader import Question, Reader
from aios.journal.recovery import recover
from aios.journal.reserve import RESERVE_BYTES, Reserve
from aios.journal.witness import Witness
from aios.journal.worker import Worker
from aios.journal.writer import Writer

POSTS_MAX = 100_000  # that wait
READS_MAX = 100_000
# SQLite gives the interpreter's lock back several times a statement, and beside a busy event loop
# a thread waits this long to have it again. With Python's 5 ms a group of 100 takes seconds.
SWITCH_S = 0.000_1


class FileJournal:
    """A `Journal` on disk; `open_journal` makes one."""

    def __init__(self, blobs: FileBlobs, writer: Writer, reader: Reader) -> None:
        self.blobs = blobs
        self._is_open = True
        self._state = writer
        self._reader_state = reader
        self._writer: Worker[Post, None] = Worker(
            writer.write, name="journal writer", waiting_max=POSTS_MAX, idle=writer.rest
        )
        self._reader: Worker[Question, list[Row]] = Worker(
            reader.read, name="journal reader", waiting_max=READS_MAX
        )

    def post(self, changes: Sequence[Change]) -> Awaitable[None]:
        """All of the changes or none; the awaitable ends once they are durable."""
        return self._writer.submit(changes)

    async def read(self, statement: Statement, *values: Value) -> list[Row]:
        """Rows as of some moment after every change whose await has ended."""
        if self._state.damaged is not None:
            raise self._state.damaged
        return await self._reader.submit(Question(statement, values))

    async def close(self) -> None:
        """Everything posted is done; the next start has nothing to recover. No-op when closed."""
        if self._is_open:
            self._is_open = False
            await asyncio.to_thread(self._end)

    def _end(self) -> None:
        self._writer.close()
        self._reader.close()
        self._reader_state.close()
        self._state.close()
        self.blobs.close()


def open_journal(
    folder: Path,
    *,
    disk: Disk | None = None,
    is_durable: bool = True,
    reserve_bytes: int = RESERVE_BYTES,
    log_pages_max: int = LOG_PAGES_MAX,
) -> FileJournal:
    """Open or begin the journal in a folder, and recover what a killed kernel left. Blocks.

    Raises `Damaged` where something that was promised is not there, `NoSpace`, or `WrongState` for
    a database that a newer AIOS wrote. Not durable: what was posted survives the process only.
    """
    sys.setswitchinterval(min(SWITCH_S, sys.getswitchinterval()))
    disk, layout = disk or Disk(is_durable=is_durable), Layout(folder)
    with refused(folder), ExitStack() as undo:
        disk.make_folder(folder)
        disk.sync_folder(folder.parent)
        reserve = Reserve(disk, layout.reserve, reserve_bytes)
        witness = Witness(disk, layout.witness)
        settings = Settings(is_durable=is_durable, log_pages_max=log_pages_max)
        try:
            database = recover(layout, witness, disk, settings)
        except NoSpace:
            reserve.release()  # The kernel before us may have had no time for it.
            database = recover(layout, witness, disk, settings)
        undo.callback(database.close)
        writer = Writer(database, witness, reserve)
        writer.begin()
        reader = Reader(layout.database)
        undo.callback(reader.close)
        journal = FileJournal(FileBlobs(disk, layout.blobs, reserve), writer, reader)
        undo.pop_all()
        return journal
