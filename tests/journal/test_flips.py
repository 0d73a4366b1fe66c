"""One bit flips on the disk: it is noticed, or it changed nothing; never are other rows read."""

import asyncio
import random
import shutil
from pathlib import Path

import pytest

from aios.errors import Damaged
from aios.journal.base import Row
from aios.journal.check import check
from aios.journal.database import Database, Settings
from aios.journal.disk import Disk
from aios.journal.journal import FileJournal
from aios.journal.wal import FRAME_BYTES, HEADER_BYTES
from aios.journal.witness import Witness
from aios.testing.faults import flip
from tests.journal.house import contents, journal_in, oracle, put, step, with_journal

STEPS = 60
FLIPS = 120
FILE_HEADER_BITS = 100 * 8

State = tuple[list[Row], list[Row]]


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A journal that was closed in peace."""
    folder = tmp_path_factory.mktemp("closed") / "home"
    with_journal(folder, _fill)
    return folder


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A journal whose last commits are in the log only."""
    base = tmp_path_factory.mktemp("killed")

    async def fill_and_copy() -> None:
        journal = journal_in(base / "running", log_pages_max=10_000)
        await _fill(journal)
        shutil.copytree(base / "running", base / "home", ignore=shutil.ignore_patterns("*-shm"))
        await journal.close()

    asyncio.run(fill_and_copy())
    return base / "home"


@pytest.fixture(scope="module")
def expected() -> State:
    return oracle(STEPS)[-1]


async def _fill(journal: FileJournal) -> None:
    for number in range(1, STEPS + 1):
        await journal.post(step(number))


def test_a_flip_in_the_database_never_changes_what_is_read_and_the_check_names_it(
    tmp_path: Path, closed: Path, expected: State
) -> None:
    noticed = 0
    for bit in _bits(closed / "journal.db"):
        home = _flipped(closed, tmp_path / str(bit), "journal.db", bit)
        page = f"database page {bit // 8 // 4096 + 1} "
        assert any(trouble.place.startswith(page) for trouble in check(home)), bit
        noticed += _is_noticed(home, expected)
    assert noticed > FLIPS // 2


def test_a_flip_in_the_log_never_takes_a_commit_back_in_silence(
    tmp_path: Path, killed: Path, expected: State
) -> None:
    assert with_journal(shutil.copytree(killed, tmp_path / "whole"), contents) == expected
    for bit in _bits(killed / "journal.db-wal"):
        home = _flipped(killed, tmp_path / str(bit), "journal.db-wal", bit)
        assert _is_noticed(home, expected), bit


def test_a_flip_in_the_log_is_noticed_without_the_newest_word_of_the_witness(
    tmp_path: Path, killed: Path
) -> None:
    """As after a power cut, which leaves an older one. Only the last commit is beyond proof."""
    for bit in random.Random(3).sample(range(8 * _last_commit_at(killed)), FLIPS):
        home = _flipped(killed, tmp_path / str(bit), "journal.db-wal", bit)
        (home / "witness").unlink()
        Witness(Disk(is_durable=False), home / "witness").create(1)
        with pytest.raises(Damaged):
            with_journal(home, contents)


def test_a_flip_in_the_witness_is_noticed_or_mended(
    tmp_path: Path, closed: Path, expected: State
) -> None:
    for bit in [*range(0, 8 * 24, 3), *range(8 * 4096, 8 * 4096 + 8 * 24, 5)]:
        home = _flipped(closed, tmp_path / "home", "witness", bit)
        _is_noticed(home, expected)
        shutil.rmtree(home)


def test_a_log_that_changed_under_a_running_journal_is_not_brought_into_the_database(
    tmp_path: Path,
) -> None:
    path = tmp_path / "journal.db"
    database = Database(path, Settings(is_durable=False))
    database.apply([put("a", "x" * 3_000)])
    database.apply([put("b", "y" * 3_000)])
    flip(Path(f"{path}-wal"), 8 * (32 + 24 + 2_000))

    with pytest.raises(Damaged, match="whole frames"):
        database.checkpoint()
    database.close()


def test_a_flip_in_a_blob_is_noticed_named_and_mended_by_who_puts_it_again(tmp_path: Path) -> None:
    async def scenario(journal: FileJournal) -> None:
        data = random.Random(1).randbytes(5_000)
        name = await journal.blobs.put(data)
        for bit in random.Random(2).sample(range(8 * 5_000), 20):
            flip(tmp_path / "blobs" / name[:2] / name, bit)
            with pytest.raises(Damaged, match=name):
                await journal.blobs.get(name)
            assert [trouble.place for trouble in check(tmp_path)] == [f"blob {name}"]
            assert await journal.blobs.put(data) == name
            assert await journal.blobs.get(name) == data

    with_journal(tmp_path, scenario)


@pytest.mark.parametrize("name", ["journal.db", "witness", "journal.db-wal"])
def test_a_file_that_is_gone_is_noticed(tmp_path: Path, killed: Path, name: str) -> None:
    home = shutil.copytree(killed, tmp_path / "home")
    (home / name).unlink()

    with pytest.raises(Damaged, match="aios journal restore"):
        with_journal(home, contents)


@pytest.mark.parametrize("size", [0, 1, 4_096, 5_000, 12_288])
def test_a_database_that_was_cut_is_noticed(tmp_path: Path, closed: Path, size: int) -> None:
    home = shutil.copytree(closed, tmp_path / "home")
    with (home / "journal.db").open("r+b") as file:
        file.truncate(size)

    with pytest.raises(Damaged):
        with_journal(home, contents)
    assert check(home)


def _bits(path: Path) -> list[int]:
    """Some of the header, which is more delicate, and some of the rest."""
    chance, size = random.Random(1), path.stat().st_size * 8
    return [
        *chance.sample(range(FILE_HEADER_BITS), FLIPS // 3),
        *chance.sample(range(FILE_HEADER_BITS, size), FLIPS - FLIPS // 3),
    ]


def _last_commit_at(home: Path) -> int:
    """Where its frames begin in the log: behind the end of the commit before."""
    log = (home / "journal.db-wal").read_bytes()
    starts = range(HEADER_BYTES, len(log), FRAME_BYTES)
    return [start + FRAME_BYTES for start in starts if any(log[start + 4 : start + 8])][-2]


def _flipped(source: Path, target: Path, name: str, bit: int) -> Path:
    shutil.copytree(source, target)
    flip(target / name, bit)
    return target


def _is_noticed(home: Path, expected: State) -> bool:
    """Whether it raises; what it reads, if it does not, is what was written."""
    try:
        state = with_journal(home, contents)
    except Damaged:
        return True
    assert state == expected
    return False
