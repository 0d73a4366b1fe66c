"""`aios memory`: what agents remember, from a stopped home and through a running kernel."""

import asyncio
import base64
import json
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from threading import Event, Thread

import pytest

from aios.cli import main
from aios.kernel.cabinet import Cabinet, open_cabinet
from aios.retrieval.ngrams import NgramEmbedder
from aios.syscalls import history, memory, note
from aios.syscalls.file import Create
from aios.syscalls.llm import Message, ToolCall
from tests.cli.served import Served, served

Run = Callable[..., str]


async def fill(call: Callable[..., Awaitable[object]]) -> None:
    """What agent travel and its child remember; one block is shared."""
    ask = Message("assistant", tool_calls=(ToolCall("1", "book", "{}"),))
    await call("travel", memory.Write(name="plan", data=b"Rome\n\x00\xff"))
    await call("travel", memory.Share(name="plan", agent="cook"))
    await call("travel", history.Extend(name="trip", messages=(Message("user", "Where?"), ask)))
    await call("travel", note.Add(text="likes the sea", tags=("taste",)))
    await call("travel", note.Add(text="pays by card \x1b[31m", tags=("money", "habit")))
    await call("travel/flights", memory.Write(name="seat", data=b"7A"))


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "journal").mkdir()

    async def make() -> None:
        async with open_cabinet(tmp_path, NgramEmbedder()) as cabinet:
            await fill(cabinet.call)
            await cabinet.call("cook", Create(path="menu", data=b"soup"))

    asyncio.run(make())
    return tmp_path


@pytest.fixture
def aios(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """Runs `aios memory` with those words; its stdout, or its stderr where it fails."""

    def run(*words: str, code: int = 0) -> str:
        monkeypatch.setattr(sys, "argv", ["aios", "memory", *words])
        with pytest.raises(SystemExit) as left:
            main()
        shown = capfd.readouterr()
        assert left.value.code == code, shown.err
        return shown.err if code else shown.out

    return run


@pytest.fixture
def running(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Served]:
    """A server with real rooms on another thread, which remembers what `fill` says."""
    monkeypatch.delenv("AIOS_HOME", raising=False)
    ready, stop, found = Event(), asyncio.Event(), list[Served]()

    async def serve() -> None:
        async with served(tmp_path / "live") as one:
            await fill(one.call)
            found.append(one)
            ready.set()
            await stop.wait()

    loop = asyncio.new_event_loop()
    thread = Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    assert ready.wait(20)
    monkeypatch.setenv("AIOS_URL", found[0].url)
    yield found[0]
    loop.call_soon_threadsafe(stop.set)
    thread.join(20)
    loop.close()


def test_agents_of_a_home_and_what_they_remember(aios: Run, place: Path) -> None:
    rows = [line.split() for line in aios("agents", "--home", str(place)).splitlines()]
    assert rows[1:] == [["travel", "1", "7", "1", "2"], ["travel/flights", "1", "2", "0", "0"]]
    told = json.loads(aios("agents", "--home", str(place), "-o", "json"))
    assert told[0] == {"agent": "travel", "blocks": 1, "bytes": 7, "histories": 1, "notes": 2}


def test_blocks_are_shown_to_whom_they_are_open_and_read_byte_by_byte(
    aios: Run, place: Path
) -> None:
    home = ("--home", str(place))
    assert "cook (read)" in aios("blocks", "travel", *home)
    assert aios("blocks", "cook", *home).splitlines()[1].split()[:2] == ["travel", "plan"]
    told = json.loads(aios("read", "travel", "plan", *home, "-o", "json"))
    assert base64.b64decode(told["data"]) == b"Rome\n\x00\xff"
    aios_error = aios("read", "cook", "plan", *home, code=1)
    assert aios_error.startswith("aios: not_found: ")
    shared = json.loads(aios("read", "cook", "plan", "--owner", "travel", *home, "-o", "json"))
    assert shared == told
    assert aios("read", "travel/flights", "seat", *home) == "7A"


def test_histories_are_listed_and_told_message_by_message(aios: Run, place: Path) -> None:
    home = ("--home", str(place))
    assert aios("histories", "travel", *home).splitlines()[1].split() == ["trip", "2"]
    lines = [line.split() for line in aios("history", "travel", "trip", *home).splitlines()]
    assert lines[1:] == [["0", "user", "Where?"], ["1", "assistant", "book({})"]]
    told = json.loads(aios("history", "travel", "trip", *home, "-o", "json"))
    assert told[1]["tool_calls"][0]["name"] == "book"


def test_notes_are_found_by_words_by_meaning_and_by_tags(aios: Run, place: Path) -> None:
    home = ("--home", str(place))

    def texts(*words: str) -> list[str]:
        found = json.loads(aios("notes", "travel", *home, *words, "-o", "json"))
        return [one["note"]["text"][:5] for one in found]

    assert texts() == ["pays ", "likes"]
    assert texts("--query", "sea", "--mode", "keyword") == ["likes"]
    assert texts("--query", "likes seas", "--mode", "semantic")[0] == "likes"
    assert texts("--tag", "money", "--tag", "habit") == ["pays "]
    assert texts("--tag", "money", "--tag", "taste") == []
    assert json.loads(aios("notes", "cook", *home, "-o", "json")) == []


def test_what_an_agent_wrote_does_nothing_to_the_terminal(aios: Run, place: Path) -> None:
    table = aios("notes", "travel", "--home", str(place))
    assert "\x1b" not in table
    assert "\\x1b[31m" in table


def test_a_running_kernel_is_asked_as_the_agent_itself(
    aios: Run, running: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIOS_TOKEN", running.first)
    assert aios("blocks", "travel").splitlines()[1].split()[:2] == ["travel", "plan"]
    assert aios("read", "travel/flights", "seat") == "7A"
    assert "likes the sea" in aios("notes", "travel", "--query", "sea")
    assert running.names() == ["init", "travel", "flights"]  # What the commands opened is closed.
    monkeypatch.setenv("AIOS_TOKEN", running.tokens["travel"])
    assert aios("histories", "travel").splitlines()[1].split() == ["trip", "2"]
    assert aios("read", "travel/flights", "seat") == "7A"
    assert "expected that of 'cook'" in aios("blocks", "cook", code=1)


def test_all_agents_are_told_of_by_a_home_only(aios: Run) -> None:
    assert "expected --home" in aios("agents", code=1)


def test_a_cabinet_says_what_no_agent_may(place: Path) -> None:
    async def look() -> list[str]:
        async with open_cabinet(place, NgramEmbedder()) as cabinet:
            return await named(cabinet)

    async def named(cabinet: Cabinet) -> list[str]:
        return [one.agent for one in await cabinet.memory()] + [
            agent for agent, _ in await cabinet.files()
        ]

    assert asyncio.run(look()) == ["travel", "travel/flights", "cook"]
