"""`aios journal`: what is damaged is named, and a home comes back whole from its copy."""

import asyncio
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from aios.cli import main
from aios.cli.doctor import journal as doctor_on
from aios.journal.connection import PAGE_BYTES
from aios.retrieval.choose import name_for, remember
from aios.syscalls import history, memory, note
from aios.syscalls.file import Bin, Create, Delete, ReadFile, Versions, WriteFile
from aios.syscalls.llm import Message
from aios.testing.faults import flip
from tests.cli.served import Served, served

LARGE = bytes(range(256)) * 1_000  # more than a block's chunk keeps in the database
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def aios(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """Runs `aios journal` with those words; its exit code, stdout and stderr."""

    def run(*words: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["aios", "journal", *map(str, words)])
        with pytest.raises(SystemExit) as left:
            main()
        code = left.value.code
        assert isinstance(code, int)
        shown = capfd.readouterr()
        return code, shown.out, shown.err

    return run


def other_process(*words: object) -> None:
    """The same in a process of its own, as beside a running kernel."""
    command = [sys.executable, "-m", "aios.cli", "journal", *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


async def fill(one: Served) -> None:
    await one.call("travel", Create(path="trips/rome.txt", data=b"by train"))
    await one.call("travel", WriteFile(path="trips/rome.txt", data=b"by plane"))
    await one.call("travel", Create(path="old", data=b"x"))
    await one.call("travel", Delete(path="old"))
    await one.call("travel/flights", Create(path="seat", data=b"7A"))
    await one.call("travel", memory.Write(name="plan", data=LARGE))
    await one.call("travel", history.Extend(name="trip", messages=(Message("user", "Where?"),)))
    await one.call("travel", note.Add(text="likes the sea"))


async def look(one: Served) -> None:
    """All of it is there."""
    assert (await one.call("travel", ReadFile(path="trips/rome.txt"))).data == b"by plane"
    old = await one.call("travel", ReadFile(path="trips/rome.txt", version=1))
    assert old.data == b"by train"
    assert len((await one.call("travel", Versions(path="trips/rome.txt"))).versions) == 2
    assert [gone.path for gone in (await one.call("travel", Bin())).deleted] == ["old"]
    assert (await one.call("travel/flights", ReadFile(path="seat"))).data == b"7A"
    assert (await one.call("travel", memory.Read(name="plan"))).data == LARGE
    turns = await one.call("travel", history.Turns(name="trip"))
    assert turns.messages == (Message("user", "Where?"),)
    found = await one.call("travel", note.Search(query="sea"))
    assert [hit.note.text for hit in found.notes] == ["likes the sea"]


def lived(home: Path, *steps: Callable[[Served], object]) -> None:
    """A kernel on that home, from its start to its end."""

    async def life() -> None:
        async with served(home) as one:
            for step in steps:
                done = step(one)
                if asyncio.iscoroutine(done):
                    await done

    asyncio.run(life())


@pytest.fixture
def home(tmp_path: Path) -> Path:
    lived(tmp_path / "home", fill)
    return tmp_path / "home"


def test_a_home_that_was_wiped_comes_back_from_a_copy_made_while_it_was_in_use(
    tmp_path: Path, aios: Run
) -> None:
    home, copy = tmp_path / "home", tmp_path / "copies" / "copy"
    lived(home, fill, lambda _: other_process("backup", copy, "--home", home))
    shutil.rmtree(home)

    code, out, _ = aios("restore", copy, "--home", home)

    assert (code, "the files of 2 agents" in out) == (0, True)
    assert (home / "files/travel/trips/rome.txt").read_bytes() == b"by plane"
    assert (home / "files/travel+flights/seat").read_bytes() == b"7A"
    assert not (home / "files/travel/old").exists()
    assert aios("check", "--home", home)[0] == 0
    lived(home, look)


def test_nothing_is_overwritten_and_what_is_no_backup_is_said(
    home: Path, tmp_path: Path, aios: Run
) -> None:
    copy, strange = tmp_path / "copy", tmp_path / "strange"
    assert aios("backup", copy, "--home", home)[0] == 0
    strange.mkdir()
    (strange / "letter").write_text("mine")
    for words in (
        ("backup", copy, "--home", home),
        ("restore", copy, "--home", home),
        ("restore", copy, "--home", strange),
    ):
        code, _, err = aios(*words)
        assert (code, err.startswith("aios: wrong_state: ")) == (1, True)
    strangers: tuple[tuple[object, ...], ...] = (
        ("restore", strange, "--home", tmp_path / "new"),
        ("backup", tmp_path / "new", "--home", strange),
        ("check", "--home", strange),
    )
    for stranger in strangers:
        code, _, err = aios(*stranger)
        assert (code, err.startswith("aios: not_found: ")) == (1, True)
    assert not (tmp_path / "new").exists()
    assert [one.name for one in strange.iterdir()] == ["letter"]


@pytest.mark.parametrize("what", ["page", "blob", "gone"])
def test_damage_is_named_and_never_copied(home: Path, tmp_path: Path, aios: Run, what: str) -> None:
    blob = max((home / "journal/blobs").glob("??/*"), key=lambda path: path.stat().st_size)
    if what == "page":
        flip(home / "journal/journal.db", 8 * (PAGE_BYTES + 100))
    elif what == "blob":
        flip(blob, 1_000)
    else:
        blob.unlink()

    code, out, _ = aios("check", "--home", home)

    named = {"page": "database page 2 (table", "blob": blob.name, "gone": "it is gone"}
    assert (code, named[what] in out) == (1, True)
    assert json.loads(aios("check", "--home", home, "-o", "json")[1])[0].keys() == {
        "place", "problem",
    }  # fmt: skip
    assert "aios journal check" in doctor_on(home).advice
    code, _, err = aios("backup", tmp_path / "copy", "--home", home)
    assert (code, err.startswith("aios: damaged: ")) == (1, True)
    assert not (tmp_path / "copy").exists()


def test_a_whole_journal_and_one_that_is_not_there_are_well(home: Path, aios: Run) -> None:
    code, out, _ = aios("check", "--home", home)
    assert (code, out.endswith("is whole\n")) == (0, True)
    assert "whole" in doctor_on(home).found
    assert doctor_on(home / "nix").advice == ""
    assert "none yet" in doctor_on(home / "nix").found


def test_a_copy_keeps_by_which_embedder_its_home_is_searched(
    home: Path, tmp_path: Path, aios: Run
) -> None:
    remember(home, "ngrams")
    assert aios("backup", tmp_path / "copy", "--home", home)[0] == 0
    remember(tmp_path / "copy", str(tmp_path))
    assert name_for(tmp_path / "copy") == str(tmp_path)
    remember(tmp_path / "copy", "ngrams")
    assert aios("restore", tmp_path / "copy", "--home", tmp_path / "new")[0] == 0
    assert (tmp_path / "new/embedder").read_text() == "ngrams\n"
