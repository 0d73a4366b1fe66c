"""`aios files`: a home is looked into while its kernel is stopped, and not while one runs."""

import asyncio
import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from aios.cli import main
from aios.kernel.cabinet import open_cabinet
from aios.kernel.home import home
from aios.retrieval.ngrams import NgramEmbedder
from aios.syscalls.file import Create, Delete, WriteFile

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A home with a few files."""
    (tmp_path / "journal").mkdir()

    async def fill() -> None:
        async with open_cabinet(tmp_path, NgramEmbedder()) as cabinet:
            await cabinet.call("travel", Create(path="trips/rome.txt", data=b"by train\n"))
            await cabinet.call("travel", WriteFile(path="trips/rome.txt", data=b"by plane\n"))
            await cabinet.call("travel", Create(path="old", data=b"x"))
            await cabinet.call("travel", Delete(path="old"))

    asyncio.run(fill())
    return tmp_path


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], place: Path) -> Run:
    """Runs `aios files` with those words on the home; its exit code, stdout and stderr."""

    def files(command: str, *words: str, agent: str = "travel") -> tuple[int, str, str]:
        options = ["--home", str(place), *(["--agent", agent] if agent else [])]
        monkeypatch.setattr(sys, "argv", ["aios", "files", command, *options, *words])
        with pytest.raises(SystemExit) as left:
            main()
        code = left.value.code
        assert isinstance(code, int)
        shown = capfd.readouterr()
        return code, shown.out, shown.err

    return files


def test_a_home_is_looked_into(run: Run) -> None:
    assert "travel" in run("agents", agent="")[1]
    assert "trips/rome.txt" in run("list", "--deep")[1]
    assert run("read", "trips/rome.txt")[1] == "by plane\n"
    assert run("read", "trips/rome.txt", "--version", "1")[1] == "by train\n"
    assert [line.split()[0] for line in run("versions", "trips/rome.txt")[1].splitlines()] == [
        "VERSION", "v2", "v1",
    ]  # fmt: skip
    for mode in ("keyword", "semantic", "hybrid"):
        found = run("search", "plane", "--mode", mode)[1].splitlines()
        assert found == ["trips/rome.txt", "    by plane"]
    assert "-by train\n+by plane\n" in run("diff", "trips/rome.txt", "1")[1]
    assert "+by train\n" in run("diff", "trips/rome.txt", "2", "1")[1]


def test_a_file_goes_back_in_time_and_comes_out_of_the_bin(run: Run, place: Path) -> None:
    assert "version 3" in run("rollback", "trips/rome.txt", "1")[1]
    assert (place / "files/travel/trips/rome.txt").read_text() == "by train\n"
    [gone] = json.loads(run("bin", "-o", "json")[1])
    id = gone["id"]
    assert run("restore", id)[1] == "old\n"
    assert (place / "files/travel/old").read_text() == "x"


def test_errors_are_one_typed_line(run: Run, place: Path, tmp_path: Path) -> None:
    code, _, err = run("read", "missing")
    assert (code, err.startswith("aios: not_found: ")) == (1, True)
    with home(place):
        code, _, err = run("list")
    assert (code, err.startswith("aios: busy: another kernel")) == (1, True)
    assert "without --home" in err


def test_a_folder_that_is_no_home_is_said_and_not_made_one(
    run: Run, place: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    nowhere = place / "nowhere"
    monkeypatch.setattr(sys, "argv", ["aios", "files", "agents", "--home", str(nowhere)])
    with pytest.raises(SystemExit):
        main()
    assert "no home in" in capfd.readouterr().err
    assert not nowhere.exists()
