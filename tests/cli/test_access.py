"""`aios access`: rights of agents in a running kernel, from the command line."""

import asyncio
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event, Thread

import pytest

from aios.access.policy import PERSONAL, STRICT
from aios.cli import main, policies
from aios.errors import InvalidArgument
from aios.syscalls.file import Create, ReadFile
from tests.cli.served import Served, served

Run = Callable[..., str]


@pytest.fixture
def aios(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """Runs `aios access` with those words; its stdout, or its stderr where it fails."""

    def run(*words: str, code: int = 0) -> str:
        monkeypatch.setattr(sys, "argv", ["aios", "access", *words])
        with pytest.raises(SystemExit) as left:
            main()
        shown = capfd.readouterr()
        assert left.value.code == code, shown.err
        return shown.err or shown.out

    return run


@pytest.fixture
def running(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Served]:
    """A server on another thread, with the agents library, which has a file, and ada."""
    ready, stop, found = Event(), asyncio.Event(), list[Served]()

    async def serve() -> None:
        async with served(tmp_path / "live") as one:
            await one.call("library", Create(path="papers/a", data=b"alpha"))
            await one.call("ada", Create(path="mine"))
            found.append(one)
            ready.set()
            await stop.wait()

    loop = asyncio.new_event_loop()
    thread = Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    assert ready.wait(20)
    monkeypatch.setenv("AIOS_URL", found[0].url)
    monkeypatch.setenv("AIOS_TOKEN", found[0].first)
    yield found[0]
    loop.call_soon_threadsafe(stop.set)
    thread.join(20)
    loop.close()


@pytest.mark.usefixtures("running")
def test_a_right_is_given_explained_listed_and_taken_back(aios: Run) -> None:
    asked = ("check", "ada", "file.read", "papers/a", "--owner", "library")
    assert "what would allow it" not in aios(*asked, code=1)
    told = aios(*asked, "--explain", code=1)
    assert "no right of agent 'ada'" in told
    assert "verbs 'file.read', owner 'library', object 'papers/a'" in told
    words = ("--owner", "library", "--object", "papers/*", "--uses", "3", "-o", "json")
    one = json.loads(aios("grant", "ada", "file.read", *words))
    assert (one["holder"], one["uses"]) == ("ada", 3)
    assert f"capability {one['id']}" in aios(*asked)
    (row,) = aios("list", "ada").splitlines()[1:]
    assert row.split() == [one["id"], "ada", "file.read", "library", "papers/*", "3"]
    aios("revoke", one["id"])
    assert len(aios("list", "ada").splitlines()) == 1
    assert "not_found" in aios("revoke", one["id"], code=1)


@pytest.mark.usefixtures("running")
def test_a_right_to_what_no_verb_is_called_is_refused(aios: Run) -> None:
    assert "did you mean file.read?" in aios("grant", "ada", "file.raed", code=1)
    assert "expected such as file.read" in aios("grant", "ada", "everything", code=1)
    assert len(aios("list", "ada").splitlines()) == 1
    aios("grant", "ada", "note.*")
    aios("grant", "ada", "*")


def test_an_agent_is_put_into_groups_and_taken_out(aios: Run, running: Served) -> None:
    assert aios("groups", "ada").split() == ["GROUP", "agent"]
    assert aios("groups", "ada", "--add", "auditor").split() == ["GROUP", "agent", "auditor"]
    assert aios("groups", "ada", "--remove", "agent").split() == ["GROUP", "auditor"]
    assert "file.read" in aios("check", "ada", "file.read", "mine", "--explain", code=1)
    assert "expected some of the groups" in aios("groups", "ada", "--add", "staff", code=1)
    token = running.tokens["ada"]
    call = running.kernel.call(token, ReadFile(path="mine"))
    with pytest.raises(Exception, match="no right of agent 'ada'"):
        asyncio.run(call)


def test_the_policy_is_a_profile_a_file_or_this_user_s_own(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert policies.chosen("strict") == STRICT
    assert policies.chosen("") == PERSONAL
    file = tmp_path / "aios" / "policy.toml"
    file.parent.mkdir()
    file.write_text('labels = "warn"')
    assert policies.chosen("").labels == "warn"
    assert policies.chosen(str(file)) == policies.chosen("")
    file.write_text("labels = 7")
    with pytest.raises(InvalidArgument, match=r"policy.toml, line 1: labels"):
        policies.chosen("")
    with pytest.raises(InvalidArgument, match="expected one of"):
        policies.chosen("lax")
