"""A durable agent on the shipped model, killed everywhere: the same answer, nothing done twice."""

import asyncio
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Any

import msgspec
import pytest

from aios.agents import ReAct
from aios.config import Limits
from aios.cores.frames import EngineSpec
from aios.cores.process import ProcessCore
from aios.cores.torch.settings import Settings
from aios.journal.base import Journal
from aios.kernel import Kernel
from aios.kernel.boot import ENGINE
from aios.kernel.environment import Environment
from aios.models import pocket
from aios.models.pocket.tools import calculate
from aios.scheduler import make
from aios.sdk import Agent, Client, hosted, tool
from aios.sdk.toolbox import UNKNOWN
from aios.syscalls import Exited, ProcessState
from aios.testing.crash import Severable
from aios.testing.journal import InlineJournal
from tests.system.reused import ReusedCore

TASK = "Compute 12 * 7 and write the result to the note answer."


async def clerk(client: Client, task: Any) -> list[str]:
    """A ReAct agent whose notes are messages to the first process."""

    @tool(inline=True, repeatable=True)
    def calculator(expr: str) -> str:
        """Compute an arithmetic expression."""
        return calculate(expr)

    @tool(inline=True, repeatable=True)
    async def note_write(name: str, text: str) -> str:
        """Write a note, replacing it."""
        await client.send(1, [name, text])
        return "ok"

    agent = Agent("clerk", tools=[calculator, note_write], temperature=0.0, max_tokens=96)
    outcome = await ReAct(agent)(client, task)
    return [outcome.answer, *(text for step in outcome.steps for text in step.observations)]


@asynccontextmanager
async def engine(folder: Path) -> AsyncIterator[ReusedCore]:
    settings = Settings(model=str(pocket.PATH), name="pocket", kv_bytes=32 << 20)
    spec = EngineSpec(
        factory=ENGINE,
        settings=msgspec.to_builtins(settings),
        ram=str(folder / "ram"),
        disk=str(folder / "disk"),
        ram_bytes=1 << 28,
        disk_bytes=1 << 28,
        owner="engine",
    )
    core = await ProcessCore.launch(spec)
    reused = ReusedCore(core)
    reader = asyncio.create_task(reused.run())
    try:
        yield reused
    finally:
        await core.close()
        await reader


async def live(core: ReusedCore, journal: Journal) -> tuple[Exited, list[Any]]:
    """Let the agent act to its end: how it ended, and the notes that were written."""
    environment = Environment(journal=journal, limits=Limits(drain_s=5.0))
    programs = {"clerk": hosted(clerk)}
    kernel = Kernel([core], lambda: make("rr"), programs=programs, environment=environment)
    async with kernel:
        client = Client(kernel, kernel.token)
        known = (await client.list(ended=True)).processes
        pid = next((one.pid for one in known if one.program == "clerk"), None)
        if pid is None:
            pid = (await client.spawn("clerk", "clerk", TASK, durable=True)).pid
        ended = await client.wait(pid)
        waiting = (await client.whoami()).mail
        return ended, [(await client.receive()).body for _ in range(waiting)]


async def killed(core: ReusedCore, inner: Journal, at: int) -> bool:
    """Let it act until that commit, and kill the kernel before it; False: it came to its end."""
    dead = asyncio.Event()

    def before(number: int) -> None:
        if number == at:
            journal.cut()
            dead.set()

    journal = Severable(inner, before)
    life = asyncio.create_task(live(core, journal))
    death = asyncio.create_task(dead.wait())
    await asyncio.wait([life, death], return_when=asyncio.FIRST_COMPLETED)
    life.cancel()
    death.cancel()
    await asyncio.wait([life, death])
    return dead.is_set()


@pytest.mark.timeout(240)
def test_an_agent_killed_before_each_of_its_commits_gives_the_same_answer(tmp_path: Path) -> None:
    async def main() -> None:
        async with engine(tmp_path) as core:
            expected = await live(core, InlineJournal())
            assert expected[0].state is ProcessState.EXITED
            assert expected[0].result[1:] == ["84", "ok"]
            assert expected[1] == [["answer", "84"]]
            kills = 0
            for at in count(1):
                inner = InlineJournal()
                if not await killed(core, inner, at):
                    break
                kills += 1
                assert await live(core, inner) == expected, f"killed before commit {at}"
            assert kills > 12

    asyncio.run(main())


AGENT = '''
"""An agent whose tools take their time, and leave a trace as they begin."""

import time
from pathlib import Path

from aios.sdk import Agent, Toolbox, tool
from aios.syscalls import ToolCall

HERE = Path(__file__).parent


def slowly(name: str) -> None:
    with (HERE / name).open("a") as file:
        file.write("begun ")
    time.sleep(3 if (HERE / name).read_text() == "begun " else 0)


@tool(repeatable=True)
def calculator(expr: str) -> str:
    """Compute an arithmetic expression."""
    slowly("calculated")
    return str(eval(expr))


@tool
def note_write(name: str, text: str) -> str:
    """Write a note, replacing it."""
    slowly("noted")
    return "ok"


clerk = Agent("clerk", tools=[calculator, note_write], temperature=0.0, max_tokens=96)


async def program(client, argument):
    call = ToolCall(id="1", name="note_write", arguments='{"name": "answer", "text": "84"}')
    return (await Toolbox([note_write]).run(call, client)).content
'''


@pytest.mark.timeout(240)
def test_a_run_that_is_killed_in_a_tool_goes_on_when_it_is_started_again(tmp_path: Path) -> None:
    (tmp_path / "office.py").write_text(AGENT)
    agent, program = command(tmp_path, "clerk"), command(tmp_path, "program")
    run_and_kill(agent, tmp_path / "calculated")
    assert "84" in run_to_its_end(agent)
    assert (tmp_path / "calculated").read_text() == "begun begun "
    assert (tmp_path / "noted").read_text() == "begun "
    (tmp_path / "noted").unlink()
    run_and_kill(program, tmp_path / "noted")
    assert run_to_its_end(program).strip() == UNKNOWN
    assert (tmp_path / "noted").read_text() == "begun "


def command(folder: Path, name: str) -> list[str]:
    target = f"{folder / 'office.py'}:{name}"
    options = ["--durable", "--state", str(folder / "home")]
    return [sys.executable, "-m", "aios.cli", "run", *options, target, TASK]


def run_to_its_end(command: list[str]) -> str:
    ended = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def run_and_kill(command: list[str], trace: Path, limit_s: float = 60.0) -> None:
    """Start a program and kill it once that trace is there."""
    program = subprocess.Popen(command, stdout=subprocess.PIPE)
    until = time.monotonic() + limit_s  # noqa: TID251 - another process's time
    try:
        while not trace.exists():
            assert program.poll() is None, "it ended before it was killed"
            assert time.monotonic() < until, f"no {trace} after {limit_s} s"  # noqa: TID251
            time.sleep(0.01)  # noqa: TID251
    finally:
        program.send_signal(signal.SIGKILL)
        program.communicate()
