"""A copy of a journal in use is a journal as it was at one moment, and overwrites nothing."""

import asyncio
from pathlib import Path

import pytest

from aios.errors import Damaged, NotFound, WrongState
from aios.journal.backup import backup, restore
from aios.journal.check import check
from aios.journal.disk import Disk
from aios.journal.journal import FileJournal
from aios.testing.faults import flip
from tests.journal.house import contents, oracle, put, step, steps_done, with_journal


def test_backup_of_a_journal_under_load_is_one_moment_of_it(tmp_path: Path) -> None:
    async def scenario(journal: FileJournal) -> int:
        async def write() -> None:
            for number in range(1, 301):
                await journal.post(step(number))

        writing = asyncio.ensure_future(write())
        name = await journal.blobs.put(b"large")
        before = steps_done(await contents(journal))
        await asyncio.to_thread(backup, tmp_path / "home", tmp_path / "copy")
        assert not writing.done() or before < 300
        await writing
        assert await journal.blobs.get(name) == b"large"
        return before

    before = with_journal(tmp_path / "home", scenario)
    restore(tmp_path / "copy", tmp_path / "new")
    state = with_journal(tmp_path / "new", contents)

    assert steps_done(state) >= before
    assert state == oracle(300)[steps_done(state)]
    assert check(tmp_path / "copy") == check(tmp_path / "new") == []


def test_restored_journal_goes_on_with_its_blobs(tmp_path: Path) -> None:
    async def fill(journal: FileJournal) -> str:
        await journal.post(put("a"))
        return await journal.blobs.put(b"large")

    name = with_journal(tmp_path / "home", fill)
    backup(tmp_path / "home", tmp_path / "copy")
    restore(tmp_path / "copy", tmp_path / "new")

    async def go_on(journal: FileJournal) -> None:
        assert await journal.blobs.get(name) == b"large"
        await journal.post(put("b"))
        assert await contents(journal) == ([("a", 1), ("b", 1)], [])

    with_journal(tmp_path / "new", go_on)


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    with_journal(tmp_path / "home", contents)
    backup(tmp_path / "home", tmp_path / "copy")

    with pytest.raises(WrongState, match="never overwrites"):
        backup(tmp_path / "home", tmp_path / "copy")
    with pytest.raises(WrongState, match="never overwrites"):
        restore(tmp_path / "copy", tmp_path / "home")
    with pytest.raises(NotFound):
        restore(tmp_path / "elsewhere", tmp_path / "new")


@pytest.mark.parametrize("name", ["journal.db", "blob"])
def test_damage_is_not_copied(tmp_path: Path, name: str) -> None:
    async def fill(journal: FileJournal) -> str:
        await journal.post(put("a", "x" * 10_000))
        return await journal.blobs.put(b"large")

    blob = with_journal(tmp_path / "home", fill)
    path = (
        tmp_path / "home" / ("journal.db" if name == "journal.db" else f"blobs/{blob[:2]}/{blob}")
    )
    flip(path, 8 * (path.stat().st_size - 1))

    with pytest.raises(Damaged):
        backup(tmp_path / "home", tmp_path / "copy")
    assert not (tmp_path / "copy").exists()


def test_sweep_takes_nothing_while_a_backup_is_made(tmp_path: Path) -> None:
    async def scenario(journal: FileJournal) -> None:
        await journal.blobs.put(b"large")
        with Disk().lock(tmp_path / "blobs" / "lock", is_shared=True):
            assert await journal.blobs.sweep(_nothing) == 0
        assert await journal.blobs.sweep(_nothing) == 1

    with_journal(tmp_path, scenario)


async def _nothing() -> tuple[str, ...]:
    return ()
