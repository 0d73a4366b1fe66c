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
"""An agent with a tool that takes its time and leaves a trace."""

import time
from pathlib import Path

from aios.sdk import Agent, tool

TRACE = Path(__file__).with_name("trace")


@tool(inline=True, repeatable=True)
def calculator(expr: str) -> str:
    """Compute an arithmetic expression."""
    return str(eval(expr))


@tool
def note_write(name: str, text: str) -> str:
    """Write a note, replacing it."""
    with TRACE.open("a") as file:
        file.write(f"{name} {text}\\n")
    return "ok"


clerk = Agent("clerk", tools=[calculator, note_write], temperature=0.0, max_tokens=96)
'''


@pytest.mark.timeout(240)
def test_a_run_that_is_killed_goes_on_when_it_is_started_again(tmp_path: Path) -> None:
    (tmp_path / "office.py").write_text(AGENT)
    trace, wal = tmp_path / "trace", tmp_path / "home" / "journal" / "journal.db-wal"
    command = [sys.executable, "-m", "aios.cli", "run", "--durable", "--state", "home", "office.py"]
    first = subprocess.Popen([*command, TASK], cwd=tmp_path, stdout=subprocess.PIPE)
    try:
        wait_for(trace)
        size = wal.stat().st_size
        while wal.stat().st_size == size and first.poll() is None:
            time.sleep(0.001)  # noqa: TID251 - another process's disk
    finally:
        first.send_signal(signal.SIGKILL)
        first.communicate()
    second = subprocess.run(
        [*command, TASK], cwd=tmp_path, capture_output=True, text=True, timeout=120
    )
    assert second.returncode == 0, second.stderr
    assert "84" in second.stdout
    assert trace.read_text() == "answer 84\n"


def wait_for(path: Path, limit_s: float = 60.0) -> None:
    until = time.monotonic() + limit_s  # noqa: TID251 - another process's disk
    while not path.exists():
        assert time.monotonic() < until, f"no {path} after {limit_s} s"  # noqa: TID251
        time.sleep(0.001)  # noqa: TID251
