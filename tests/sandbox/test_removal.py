"""A folder is taken away whatever was done to it, and nothing beside it."""

import os
from pathlib import Path

import pytest

from aios.sandbox.removal import AT_ONCE, remove


def test_a_tree_deeper_than_the_stack_and_than_any_path_is_removed(tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    here = os.open(tmp_path / "work", os.O_RDONLY)
    for _ in range(3_000):
        os.mkdir("d" * 20, dir_fd=here)
        below = os.open("d" * 20, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(os.open("last", os.O_CREAT, dir_fd=here))
    os.close(here)
    remove(tmp_path / "work")
    assert list(tmp_path.iterdir()) == []


def test_links_are_removed_and_what_they_lead_to_stays(tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept/file").write_text("kept")
    work = tmp_path / "work"
    (work / "0/1").mkdir(parents=True)
    (work / "link").symlink_to(tmp_path / "kept")
    (work / "0/up").symlink_to("../..")
    os.link(tmp_path / "kept/file", work / "0/1/other name")
    os.mkfifo(work / "pipe")
    (work / "odd\n\udcff").touch()
    remove(work)
    assert [path.name for path in tmp_path.rglob("*")] == ["kept", "file"]


def test_many_entries_and_folders_without_rights_are_removed(tmp_path: Path) -> None:
    work = tmp_path / "work"
    for number in range(AT_ONCE + 10):
        (work / f"{number % 7}").mkdir(parents=True, exist_ok=True)
        (work / f"{number % 7}" / f"{number}").touch()
    for number in range(7):
        (work / f"{number}").chmod(0)
    work.chmod(0)
    remove(work)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        remove(tmp_path / "work")
    assert list(tmp_path.iterdir()) == []
