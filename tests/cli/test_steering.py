"""Commands that steer agents of a running kernel, over its socket."""

import json

import pytest
import typer

from aios.cli.inspect import inspect
from aios.cli.mail import send
from aios.cli.remote import Form, ask
from aios.cli.steer import kill, pause, resume
from aios.cli.wait import wait
from aios.errors import InvalidArgument, NotFound, WrongState
from aios.syscalls import ProcessInfo
from tests.server.house import House


def row(house: House) -> ProcessInfo:
    """The agent's row, ended or not."""
    found = ask(house.url, lambda client: client.list(ended=True)).processes
    return next(one for one in found if one.name == "agent")


def test_an_agent_is_paused_and_resumed_by_its_name(first: House) -> None:
    pause(["agent"], first.url)
    assert row(first).state == "paused"
    with pytest.raises(WrongState, match="is paused already"):
        pause(["agent"], first.url)
    resume(["agent"], first.url)
    assert row(first).state == "running"


def test_a_killed_agent_has_failed_for_who_waits(
    first: House, capsys: pytest.CaptureFixture[str]
) -> None:
    pid = str(row(first).pid)
    kill([pid], first.url)
    assert capsys.readouterr().out.split() == [pid]
    with pytest.raises(typer.Exit) as ended:
        wait(pid, url=first.url)
    assert ended.value.exit_code == 1


def test_nothing_is_done_where_one_of_the_agents_is_unknown(first: House) -> None:
    with pytest.raises(NotFound, match="agent"):
        kill(["agent", "nobody"], first.url)
    assert row(first).state == "running"


def test_a_name_that_two_bear_is_refused_with_their_pids(first: House) -> None:
    ask(first.url, lambda client: client.spawn("agent"))
    with pytest.raises(InvalidArgument, match="pids 2, 3"):
        pause(["agent"], first.url)


def test_one_that_has_ended_is_still_told_of_by_its_name(
    first: House, capsys: pytest.CaptureFixture[str]
) -> None:
    kill(["agent"], first.url)
    capsys.readouterr()
    inspect("agent", Form.JSON, url=first.url)
    assert json.loads(capsys.readouterr().out)["state"] == "killed"
    with pytest.raises(typer.Exit) as ended:
        wait("agent", url=first.url)
    assert ended.value.exit_code == 1
    with pytest.raises(NotFound, match="no agent 'agent' lives; there is init"):
        kill(["agent"], first.url)
    with pytest.raises(NotFound, match="'nobody'"):
        wait("nobody", url=first.url)


def test_a_message_lies_in_the_mailbox(first: House) -> None:
    send("agent", "hello", url=first.url)
    send("agent", '{"n": 1}', is_json=True, url=first.url)
    assert row(first).mail == 2
    with pytest.raises(InvalidArgument, match="JSON"):
        send("agent", "{", is_json=True, url=first.url)


def test_inspect_tells_all_fields_in_three_forms(
    first: House, capsys: pytest.CaptureFixture[str]
) -> None:
    inspect("agent", url=first.url)
    told = dict(line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines())
    assert (told["is_durable"], told["program"], told["waiting_for"]) == ("no", "-", "-")
    inspect("agent", Form.JSON, url=first.url)
    assert json.loads(capsys.readouterr().out)["name"] == "agent"
    inspect("agent", Form.YAML, url=first.url)
    assert "name: agent\n" in capsys.readouterr().out
