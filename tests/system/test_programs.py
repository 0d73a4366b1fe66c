"""`aios run` as a person uses it, on `aios serve`: words in, output and status out, and an end."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.programs.house import state_of, until
from tests.system.test_serve import Serve

PATIENCE_S = 30.0
DIGEST = Path(__file__).parents[2] / "examples/agents/digest"
FOREVER = "setsid sleep 1000 & echo $! $$; sleep 1000"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serve]:
    home = tmp_path_factory.mktemp("programs")
    serve = Serve(home)
    serve.environment |= {"XDG_DATA_HOME": str(home / "data"), "SAID": "by the operator"}
    with serve.running("--no-tools"):
        yield serve


def command(*words: str) -> list[str]:
    return [sys.executable, "-m", "aios.cli", *words]


def run(serve: Serve, *words: str, given: str = "") -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        command(*words),
        env=serve.environment,
        input=given,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
    )


def test_a_programs_words_input_streams_and_status_are_the_commands_own(server: Serve) -> None:
    script = 'cat; echo "$SAID $AIOS_PID"; echo "$OPENAI_BASE_URL" >&2; exit 7'
    done = run(server, "run", "--name", "seven", "--", "sh", "-c", script, given="typed\n")
    first, second = done.stdout.splitlines()
    assert (done.returncode, first) == (7, "typed")
    assert second.startswith("by the operator ")
    assert done.stderr.strip() == server.told["OPENAI_BASE_URL"]
    assert run(server, "logs", "seven").stdout == done.stdout
    assert run(server, "logs", "--tail", "2", "seven").stdout == done.stdout.splitlines()[1] + "\n"
    assert run(server, "wait", second.split()[-1]).returncode == 1


def test_an_sdk_agent_is_an_agent_of_the_running_kernel(server: Serve, tmp_path: Path) -> None:
    file = tmp_path / "who.py"
    file.write_text(
        "async def program(client, word):\n    return (await client.whoami()).name + word"
    )
    done = run(server, "run", str(file), "!")
    assert (done.returncode, done.stdout) == (0, "who!\n"), done.stderr


def test_an_installed_package_runs_by_its_name_and_remembers(server: Serve, tmp_path: Path) -> None:
    assert run(server, "agents", "install", str(DIGEST), "--yes").returncode == 0
    text = tmp_path / "text.txt"
    text.write_text("Cats sleep.")
    done = run(server, "run", "digest", str(text))
    assert (done.returncode, bool(done.stdout.strip())) == (0, True), done.stderr
    assert str(text) in run(server, "run", "digest").stdout


def test_an_interrupt_ends_the_program_and_its_tree(server: Serve) -> None:
    with subprocess.Popen(
        command("run", "--", "sh", "-c", FOREVER),
        env=server.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    ) as caller:
        assert caller.stdout is not None
        pids = [int(word) for word in caller.stdout.readline().split()]
        caller.send_signal(signal.SIGINT)
        assert caller.wait(PATIENCE_S) == 130
    assert [state_of(pid) for pid in pids] == ["", ""]


def test_what_is_nothing_is_told_before_anything_is_started(server: Serve) -> None:
    done = run(server, "run", "nothing")
    assert (done.returncode, "a command stands behind --" in done.stderr) == (1, True)
    assert run(server, "run").returncode == 2
    assert "expected a running kernel" in run(server, "run", "--model", "x", "--", "true").stderr


def test_a_kernel_that_is_killed_leaves_no_program_and_its_followers_are_told(
    server: Serve,
) -> None:
    pid = run(server, "run", "-d", "--name", "left", "--", "sh", "-c", FOREVER).stdout.strip()
    with subprocess.Popen(
        command("logs", "-f", pid), env=server.environment, stdout=subprocess.PIPE, text=True
    ) as follower:
        assert follower.stdout is not None
        pids = [int(word) for word in follower.stdout.readline().split()]
        assert all(state_of(one) for one in pids)
        assert server.process is not None
        os.kill(server.process.pid, signal.SIGKILL)
        assert follower.wait(PATIENCE_S) == 1
    asyncio.run(until(lambda: not any(map(state_of, pids))))
