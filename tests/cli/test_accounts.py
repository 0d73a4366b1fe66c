"""`aios approvals`, `budgets`, `audit` and `secrets`, on a running kernel and on a stopped one."""

import asyncio
import io
import json
import os
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest

from aios.access.policy import PERSONAL
from aios.cli import main
from aios.errors import AiosError, Denied
from aios.journal.base import Change, Statement
from aios.journal.journal import open_journal
from aios.kernel.guard.fittings import fittings, vault_of
from aios.kernel.guard.parts import Fence
from aios.syscalls.approval import AskHuman
from aios.syscalls.base import Syscall
from aios.syscalls.memory import Alloc, Free, Read
from tests.cli.served import Served, served

Run = Callable[..., str]
SECRET = "hunter2-hunter2"


@pytest.fixture
def aios(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """Runs `aios` with those words; its stdout, or its stderr where it fails."""

    def run(*words: str, code: int = 0, typed: str = "") -> str:
        monkeypatch.setattr(sys, "argv", ["aios", *words])
        monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
        capfd.readouterr()
        with pytest.raises(SystemExit) as left:
            main()
        shown = capfd.readouterr()
        assert left.value.code == code, shown.err
        return shown.err if code and not shown.out else shown.out

    return run


class Running:
    """A kernel that asks, on another thread; agents' calls are begun from here."""

    def __init__(self, served: Served, loop: asyncio.AbstractEventLoop, stop: Run) -> None:
        self._served = served
        self._loop = loop
        self.stop = stop

    def begin(self, agent: str, call: Syscall[Any]) -> Future[Any]:
        return asyncio.run_coroutine_threadsafe(self._served.call(agent, call), self._loop)

    def do(self, agent: str, call: Syscall[Any]) -> Any:
        return self.begin(agent, call).result(20)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "live"


@pytest.fixture
def running(monkeypatch: pytest.MonkeyPatch, home: Path) -> Iterator[Running]:
    for name in ("AIOS_HOME", "AIOS_TOKEN_FILE"):
        monkeypatch.delenv(name, raising=False)
    ready, stop, found = Event(), asyncio.Event(), list[Served]()

    async def serve() -> None:
        fence = Fence(policy=PERSONAL, fittings=fittings(home, vault_of(home)))
        async with served(home, fence) as one:
            found.append(one)
            ready.set()
            await stop.wait()

    loop = asyncio.new_event_loop()
    thread = Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    assert ready.wait(20)
    monkeypatch.setenv("AIOS_URL", found[0].url)
    monkeypatch.setenv("AIOS_TOKEN", found[0].first)

    def leave() -> str:
        if thread.is_alive():
            loop.call_soon_threadsafe(stop.set)
        thread.join(20)
        return ""

    yield Running(found[0], loop, leave)
    leave()
    loop.close()


def waiting(aios: Run, count: int = 1) -> list[dict[str, Any]]:
    """The questions, once there are that many."""
    found: list[dict[str, Any]] = []
    while len(found) < count:
        found = json.loads(aios("approvals", "list", "-o", "json"))
    return found


def test_an_act_is_answered_from_another_terminal(aios: Run, running: Running) -> None:
    for name in ("a", "b", "c"):
        running.do("travel", Alloc(name=name))
    freeing = [running.begin("travel", Free(name=name)) for name in ("a", "b", "c")]
    questions = waiting(aios, 3)
    of = {one["object"]: str(one["id"]) for one in questions}
    listed = aios("approvals")
    assert "the memory block a is lost for good" in listed
    shown = aios("approvals", "show", of["a"])
    assert questions[0]["digest"] in shown
    assert "irreversible acts" in shown
    assert "yes to" in aios("approvals", "yes", of["a"], of["b"])
    assert "no to" in aios("approvals", "no", of["c"], "--note", "keep it")
    assert [one.result(20) is not None for one in freeing[:2]] == [True, True]
    with pytest.raises(Denied, match="keep it"):
        freeing[2].result(20)
    assert "wrong_state" in aios("approvals", "yes", of["a"], code=1)
    assert "not_found" in aios("approvals", "yes", "99", code=1)
    everything = json.loads(aios("approvals", "list", "--all", "-o", "json"))
    assert [one["answer"] for one in everything] == ["used", "used", "no"]


def test_what_is_long_is_cut_and_shown_in_full_where_that_is_asked_for(
    aios: Run, running: Running
) -> None:
    question = AskHuman(question="well? " * 600, choices=("yes " * 50,) * 64)
    asking = running.begin("travel", question)
    waiting(aios)
    assert "characters left out" in aios("approvals", "show", "1")
    assert question.question in aios("approvals", "show", "1", "--full")
    assert "not_found" in aios("approvals", "show", "99", "--full", code=1)
    aios("approvals", "no", "1")
    assert asking.result(20).is_no


def test_what_an_agent_writes_does_nothing_to_the_terminal(aios: Run, running: Running) -> None:
    running.do("travel", Alloc(name="x\x1b[31m"))
    freeing = running.begin("travel", Free(name="x\x1b[31m"))
    waiting(aios)
    for words in (("approvals",), ("approvals", "show", "1"), ("approvals", "yes", "1")):
        assert "\x1b" not in aios(*words)
    freeing.result(20)


def test_budgets_are_set_topped_up_and_listed(aios: Run, running: Running) -> None:
    assert aios("budgets", "set", "travel", "calls", "1") == (
        "travel: calls limited to 1, 0 spent\n"
    )
    aios("budgets", "set", "@all", "bytes", "none")
    running.do("travel", Alloc(name="a"))
    late = running.begin("travel", Alloc(name="b"))
    while not json.loads(aios("budgets", "list", "travel", "-o", "json"))[0]["waiting"]:
        assert not late.done()
    assert [line.split() for line in aios("budgets").splitlines()[1:]] == [
        ["@all", "bytes", "none", "0", "0", "0"],
        ["travel", "calls", "1", "1", "0", "1"],
    ]
    aios("budgets", "top-up", "travel", "calls", "1")
    late.result(20)
    assert "expected a number" in aios("budgets", "set", "travel", "calls", "many", code=1)
    assert "not_found" in aios("budgets", "top-up", "shop", "calls", "1", code=1)


def test_the_audit_is_shown_verified_and_exported_while_the_kernel_runs(
    aios: Run, running: Running, tmp_path: Path
) -> None:
    running.do("travel", Alloc(name="a"))
    with pytest.raises(AiosError):
        running.do("shop", Read(name="a", owner="travel"))
    shown = aios("audit", "show", "--agent", "travel")
    assert [line.split()[3:6] for line in shown.splitlines()[1:]] == [
        ["travel", "memory.alloc", "a"]
    ]
    assert "are whole" in aios("audit", "verify")
    aios("audit", "export", str(tmp_path / "audit.jsonl"))
    lines = [json.loads(line) for line in (tmp_path / "audit.jsonl").read_text().splitlines()]
    assert [one["number"] for one in lines[:-1]] == list(range(1, len(lines)))
    assert lines[-1]["is_whole"]


def test_a_stopped_homes_audit_is_verified_and_what_was_changed_is_named(
    aios: Run, running: Running, home: Path
) -> None:
    for number in range(3):
        running.do("travel", Alloc(name=f"block{number}"))
    aios("audit", "verify")
    running.stop()
    at = ("--home", str(home))
    assert "are whole" in aios("audit", "verify", *at)
    assert "block2" in aios("audit", "show", *at)
    asyncio.run(changed(home, "UPDATE audit_pages SET body = zeroblob(3) WHERE first = 2"))
    assert aios("audit", "verify", *at, code=1).startswith("record 2: ")
    told = json.loads(aios("audit", "verify", *at, "-o", "json", code=1))
    assert (told["is_whole"], told["first_wrong"]) == (False, 2)


def test_a_home_without_an_audit_is_told(aios: Run, tmp_path: Path) -> None:
    assert "no audit" in aios("audit", "verify", "--home", str(tmp_path), code=1)
    assert not (tmp_path / "audit").exists()


def test_a_secret_is_read_from_standard_input_and_never_shown(
    aios: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIOS_HOME", str(tmp_path))
    aios("secrets", "set", "mail", typed=f"{SECRET}\n")
    aios("secrets", "set", "token", "--from", "env:PATH")
    assert [line.split() for line in aios("secrets", "list").splitlines()] == [
        ["NAME", "FROM"],
        ["mail", "vault"],
        ["token", "env:PATH"],
    ]
    assert SECRET in (tmp_path / "vault.json").read_text()
    assert "characters" in aios("secrets", "set", "bad", typed="short", code=1)
    aios("secrets", "remove", "mail")
    assert "mail" not in aios("secrets", "list")
    assert "not_found" in aios("secrets", "remove", "mail", code=1)
    assert os.environ["PATH"] not in aios("secrets", "list", "-o", "json")


async def changed(home: Path, sql: str) -> None:
    """Somebody writes past the kernel."""
    journal = open_journal(home / "journal", is_durable=False)
    await journal.post([Change(Statement("tamper", sql), ())])
    await journal.close()
