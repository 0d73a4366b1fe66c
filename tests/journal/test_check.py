"""The check finds nothing in a sound journal, also in use, and names what is damaged."""

import asyncio
from pathlib import Path
from typing import cast

from aios.journal.check import Trouble, check
from aios.journal.connection import connect
from aios.journal.journal import FileJournal
from aios.testing.faults import flip
from tests.journal.house import put, step, with_journal


def test_sound_journal_in_use_has_no_troubles(tmp_path: Path) -> None:
    async def scenario(journal: FileJournal) -> None:
        writing = asyncio.gather(*(journal.post(step(number)) for number in range(1, 2_000)))
        for _ in range(3):
            assert await asyncio.to_thread(check, tmp_path) == []
        await writing

    with_journal(tmp_path, scenario)
    assert check(tmp_path) == []


def test_damaged_page_is_named_with_its_table(tmp_path: Path) -> None:
    async def fill(journal: FileJournal) -> None:
        for number in range(30):
            await journal.post(put(f"{number}", "x" * 3_000))

    with_journal(tmp_path, fill)
    connection = connect(tmp_path / "journal.db")
    pages = "SELECT pageno FROM dbstat WHERE name = 'meta' AND pagetype = 'leaf'"
    page = cast(list[tuple[int]], connection.execute(pages).fetchall())[0][0]
    connection.close()
    flip(tmp_path / "journal.db", 8 * (page * 4_096 - 100))

    assert check(tmp_path) == [
        Trouble(f"database page {page} (table or index meta)", "wrong checksum")
    ]


def test_missing_blob_is_named(tmp_path: Path) -> None:
    async def fill(journal: FileJournal) -> str:
        return await journal.blobs.put(b"there")

    there = with_journal(tmp_path, fill)
    gone = "0" * 64

    assert check(tmp_path, [there, gone]) == [Trouble(f"blob {gone}", "it is gone")]


def test_nothing_there_is_no_trouble(tmp_path: Path) -> None:
    assert check(tmp_path) == []
