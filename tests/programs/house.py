"""A served kernel over a scripted core that starts real programs, and looks at real processes."""

import asyncio
import os
import random
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from aios.clock import LoopClock
from aios.config import Limits
from aios.journal.base import Journal
from aios.kernel import Kernel
from aios.kernel.environment import Environment
from aios.kernel.outside import Place
from aios.programs.stage import opened_stage
from aios.scheduler import make
from aios.sdk import Client
from aios.server.app import application
from aios.server.listener import bound, listening
from aios.server.settings import Settings
from aios.syscalls.process import Exited
from aios.syscalls.program import LogChunk
from aios.testing.cores import ScriptedCore
from aios.testing.script import Script
from aios.testing.store import ScriptedStore

PATIENCE_S = 30.0
SPIN = "while :; do :; done"


@dataclass(frozen=True, kw_only=True)
class House:
    """What a test may look at and speak through."""

    kernel: Kernel
    client: Client  # the first process's
    url: str

    async def sh(self, script: str, name: str = "sh", **options: bool) -> int:
        """Start a shell script; its pid."""
        argv = ("sh", "-c", script)
        return await self.started(argv, name, **options)

    async def python(self, script: str, name: str = "python", **options: bool) -> int:
        return await self.started((sys.executable, "-c", script), name, **options)

    async def started(self, argv: tuple[str, ...], name: str, **options: bool) -> int:
        programs = self.client.programs
        return (await programs.start(name, argv, "/", dict(os.environ), **options)).pid

    async def ended(self, pid: int) -> Exited:
        return await self.client.wait(pid, PATIENCE_S)

    async def said(self, pid: int, text: str) -> str:
        """What its log holds, once that has the text in it."""
        async with asyncio.timeout(PATIENCE_S):
            end, whole = 0, ""
            while text not in whole:
                part = await self.client.programs.log(pid, end, wait_s=PATIENCE_S)
                assert not part.is_over, whole
                end, whole = part.end, whole + text_of(part.chunks)
            return whole

    async def whole_log(self, pid: int) -> tuple[LogChunk, ...]:
        return (await self.client.programs.log(pid)).chunks


@asynccontextmanager
async def house(place: Path, journal: Journal | None = None, seed: int = 1) -> AsyncIterator[House]:
    core = ScriptedCore(
        Script(step_s=0.0), clock=LoopClock(), rng=random.Random(1), store=ScriptedStore()
    )
    given = Environment(random=random.Random(seed), limits=Limits(drain_s=20.0), journal=journal)
    listener = bound("127.0.0.1", 0)
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    async with opened_stage() as stage:
        outside = Place(stage=stage, logs=place / "programs", url=url)
        async with Kernel([core], lambda: make("rr"), environment=given, outside=outside) as kernel:
            app = await application(kernel, Settings())
            async with listening(app, listener, Settings()):
                yield House(kernel=kernel, client=Client(kernel, kernel.token), url=url)
                app.close()


def lived(main: Callable[[], Awaitable[None]]) -> None:
    """Run a test's body in real time."""

    async def body() -> None:
        async with asyncio.timeout(60):
            await main()

    asyncio.run(body())


async def until(predicate: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not predicate():  # noqa: ASYNC110 - nobody tells of other processes
            await asyncio.sleep(0.01)


def text_of(chunks: tuple[LogChunk, ...]) -> str:
    return b"".join(one.data for one in chunks).decode()


def state_of(pid: int) -> str:
    """A process's letter, as `ps` shows it; empty where it is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return ""


def cpu_of(pid: int) -> int:
    """Ticks that a process has computed."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])
