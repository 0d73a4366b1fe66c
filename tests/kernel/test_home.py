"""A home is its user's alone, and one that cannot be opened leaves nothing running."""

import asyncio
import os
from pathlib import Path

import pytest

from aios.errors import InvalidArgument, WrongState
from aios.kernel.boot import boot
from aios.kernel.home import home


def test_nobody_else_reads_a_home_also_one_that_was_there(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir(mode=0o755)
    for name in ("old", "new"):
        with home(tmp_path / name):
            assert (tmp_path / name).stat().st_mode & 0o777 == 0o700


def test_a_file_in_the_place_of_a_home_is_told(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("in the way")
    with (
        pytest.raises(InvalidArgument, match="expected a folder for a home"),
        home(tmp_path / "home"),
    ):
        pass


def test_an_index_that_cannot_be_opened_is_told_and_no_engine_is_left(tmp_path: Path) -> None:
    (tmp_path / "index").write_text("in the way")
    before = _children()  # Another test may have left a server for its forks.

    async def started() -> None:
        async with boot(state=tmp_path):
            pass

    with pytest.raises(WrongState, match="expected a folder to keep an index in"):
        asyncio.run(started())
    assert _children() <= before


def _children() -> set[str]:
    """Of this process, by their command lines."""
    found = set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                stat = (entry / "stat").read_text().rpartition(")")[2].split()
                command = (entry / "cmdline").read_text()
            except OSError:
                continue
            if int(stat[1]) == os.getpid() and "aios" in command:
                found.add(command)
    return found
