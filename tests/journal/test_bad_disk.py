"""The disk is full or fails at any write: a typed error, nothing lost, and it goes on by itself."""

import asyncio
import errno
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from aios.errors import NoSpace
from aios.journal.base import Change
from aios.journal.journal import FileJournal
from aios.testing.faults import FaultyDisk, Platter, under_sqlite
from aios.testing.journal import InlineJournal
from tests.journal.house import META_DELETE, contents, journal_in, put, step, with_journal

STEPS = 25

Use = Callable[[FileJournal, Platter], Coroutine[Any, Any, None]]


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO])
def test_a_write_refused_anywhere_costs_its_own_step_and_nothing_else(
    tmp_path: Path, code: int
) -> None:
    async def refused(at: int, journal: FileJournal, platter: Platter) -> None:
        platter.refuse(at, code)
        done = [number for number in range(1, STEPS + 1) if await _is_done(journal, step(number))]
        assert len(done) >= STEPS - 1
        assert await contents(journal) == await _model(done)
        kept.append(done)

    kept: list[list[int]] = []
    for at in range(1, _writes_of_all_steps(tmp_path / "whole"), 3):
        home = _on_platter(tmp_path / str(at), partial(refused, at))
        assert with_journal(home, contents) == asyncio.run(_model(kept[-1])), at
    assert any(len(done) == STEPS - 1 for done in kept)


def test_full_disk_refuses_writes_lets_reads_go_on_and_ends_by_itself(tmp_path: Path) -> None:
    async def fill(journal: FileJournal, platter: Platter) -> None:
        for number in range(1, 11):
            await journal.post(step(number))
        before = await contents(journal)

        platter.fill()
        for number in range(11, 15):
            with pytest.raises(NoSpace):
                await journal.post([*step(number), *put("large", "x" * 200_000)])
            assert await contents(journal) == before
        with pytest.raises(NoSpace):
            await journal.blobs.put(b"large")

        platter.drain()
        await journal.post(step(11))
        assert await contents(journal) == await _model(list(range(1, 12)))
        assert await journal.blobs.get(await journal.blobs.put(b"large")) == b"large"

    _on_platter(tmp_path, fill)


def test_reserve_is_given_up_on_a_full_disk_and_held_again_after_it(tmp_path: Path) -> None:
    async def fill(journal: FileJournal, platter: Platter) -> None:
        reserve = platter.folder / "home" / "reserve"
        assert reserve.exists()
        platter.fill()
        with pytest.raises(NoSpace):
            await journal.post(put("a"))
        assert not reserve.exists()
        platter.drain()
        await journal.post(put("a"))
        assert reserve.exists()

    _on_platter(tmp_path, fill)


def test_deletions_go_on_where_only_the_reserve_was_left(tmp_path: Path) -> None:
    async def fill(journal: FileJournal, platter: Platter) -> None:
        await journal.post(put("kept"))
        await journal.post(put("gone"))
        platter.fill()
        with pytest.raises(NoSpace):
            await journal.post(put("new", "x" * 500_000))

        await journal.post([Change(META_DELETE, ("gone",))])

        assert await contents(journal) == ([("kept", 1)], [])

    _on_platter(tmp_path, fill)


def test_a_post_that_failed_is_not_there_after_a_crash_right_then(tmp_path: Path) -> None:
    """The frames of a commit whose sync failed may lie whole in the log."""

    async def fail(journal: FileJournal, platter: Platter) -> None:
        await journal.post(put("first"))
        platter.refuse_sync()
        with pytest.raises(NoSpace):
            await journal.post(put("second"))
        platter.copy(tmp_path / "killed")

    _on_platter(tmp_path, fail)

    assert with_journal(tmp_path / "killed" / "home", contents) == ([("first", 1)], [])


async def _is_done(journal: FileJournal, changes: Sequence[Change]) -> bool:
    try:
        await journal.post(changes)
    except NoSpace:
        return False
    return True


async def _model(steps: Sequence[int]) -> object:
    journal = InlineJournal()
    for number in steps:
        await journal.post(step(number))
    return await contents(journal)


def _on_platter(folder: Path, use: Use) -> Path:
    """Use a journal on a platter, from its first write on; where it lies."""
    platter = Platter(folder / "disk")
    platter.folder.mkdir(parents=True)

    async def whole() -> None:
        journal = journal_in(platter.folder / "home", FaultyDisk(platter))
        try:
            await use(journal, platter)
        finally:
            await journal.close()

    with under_sqlite(platter):
        asyncio.run(whole())
    return platter.folder / "home"


def _writes_of_all_steps(folder: Path) -> int:
    counted: list[int] = []

    async def all_steps(journal: FileJournal, platter: Platter) -> None:
        before = platter.writes
        for number in range(1, STEPS + 1):
            await journal.post(step(number))
        counted.append(platter.writes - before)

    _on_platter(folder, all_steps)
    return counted[0]
