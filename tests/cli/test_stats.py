"""`aios stats` and `aios cores`: over a socket, and in a real terminal."""

import asyncio
import json
import os
import signal
import subprocess
import sys

import msgspec
import pytest

from aios.cli.cores import cores
from aios.cli.remote import Form, ask
from aios.cli.stats import COLUMNS, lines, stats
from aios.errors import NotFound
from aios.syscalls import Pause
from aios.syscalls.budget import Budget, Resource
from aios.syscalls.kernel import MachineStats
from tests.cli.terminal import PATIENCE_S, Terminal
from tests.server.house import House


def test_stats_has_a_line_an_agent(first: House, capsys: pytest.CaptureFixture[str]) -> None:
    stats(every=0.01, url=first.url)
    head, *rows = capsys.readouterr().out.splitlines()
    assert head.startswith("PID  NAME ")
    assert [row.split()[1] for row in rows] == ["init", "agent"]
    stats(["agent"], every=0.01, url=first.url)
    assert len(capsys.readouterr().out.splitlines()) == 2
    with pytest.raises(NotFound, match="nobody"):
        stats(["nobody"], url=first.url)


def test_stats_and_cores_as_json_are_the_syscall_s_reply(
    first: House, capsys: pytest.CaptureFixture[str]
) -> None:
    for show in (stats, cores):
        show(output=Form.JSON, url=first.url)
        told = msgspec.json.decode(capsys.readouterr().out, type=MachineStats)
        assert told.cores[0].model == "scripted"
    assert told.agents == ()


def test_a_rate_is_of_two_readings_and_a_budget_the_tightest_that_applies(first: House) -> None:
    before = ask(first.url, lambda client: client.stats())
    agents = [
        msgspec.structs.replace(one, completion_tokens=one.completion_tokens + 50)
        for one in before.agents
    ]
    now = msgspec.structs.replace(before, at_s=before.at_s + 2.0, agents=tuple(agents))

    def budget(account: str, spent: float) -> Budget:
        return Budget(
            account=account, resource=Resource.TOKENS, limit=100.0, held=10.0, spent=spent
        )

    told = lines(before, now, [budget("agent", 10.0), budget("@all", 40.0), budget("other", 90.0)])
    row = next(row for row in told if row[1] == "agent")
    told_of = dict(zip(COLUMNS, row, strict=True))
    assert (told_of["TOK/S"], told_of["BUDGET"]) == ("25", "50%")
    without = lines(before, now, [], {agents[1].pid})[0]
    assert without[COLUMNS.index("BUDGET")] == "-"


def test_what_matters_while_agents_run_fits_eighty_columns(
    first: House, capsys: pytest.CaptureFixture[str]
) -> None:
    stats(every=0.01, url=first.url)
    head = capsys.readouterr().out.splitlines()[0]
    for column in ("LANES", "WAITED", "TOK/S", "BUDGET"):
        assert column in head[:80]


def test_cores_shows_cores_and_tiers(first: House, capsys: pytest.CaptureFixture[str]) -> None:
    cores(url=first.url)
    shown = capsys.readouterr().out
    core, rule, tiers = shown.split("\n\n")
    assert core.splitlines()[1].split()[:4] == ["0", "scripted", "none", "up"]
    assert rule.splitlines()[1].split()[:2] == ["0", "rr"]
    assert max(map(len, shown.splitlines())) <= 80
    assert tiers.splitlines()[0].startswith("TIER ")
    assert "snapshots" in tiers


def test_on_a_terminal_it_goes_on_until_it_is_interrupted(first: House) -> None:
    with Terminal("stats", "--every", "0.1", "--url", first.url) as terminal:
        terminal.read_until(b"agent")
        terminal.read_until(b"\x1b[H")
        asyncio.run(first_call(first))
        terminal.read_until(b"paused")
        terminal.process.send_signal(signal.SIGINT)
        assert terminal.ended() == 130


async def first_call(home: House) -> None:
    """Something changes while it is on the screen."""
    from aios.cli.remote import client_of

    async with client_of(home.url) as client:
        agent = next(one for one in (await client.list()).processes if one.name == "agent")
        await client.call(Pause(pid=agent.pid))


def test_without_a_terminal_it_shows_one_reading(first: House) -> None:
    command = [sys.executable, "-m", "aios", "stats", "--every", "0.1", "--url", first.url]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=PATIENCE_S, env={**os.environ}
    )
    assert done.returncode == 0
    assert done.stdout.count("PID ") == 1
    assert json.dumps(done.stdout).count("\\u001b") == 0, "no colours in a pipe"
