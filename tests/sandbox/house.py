"""A sandbox on a loop of its own, so that many tests share one launcher; and how to look around."""

import asyncio
import os
import time
from collections.abc import Coroutine
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

import msgspec

from aios.sandbox.base import Bounds, Job, Outcome
from aios.sandbox.launched import Settings
from aios.sandbox.room import Exits, LaunchedSandbox, open_sandbox

T = TypeVar("T")
QUICK = Bounds(wall_s=20.0)
SETTINGS = Settings(pool=2, live=6, waiting=8)


class House:
    """Opened at once; a context that closes it."""

    def __init__(self, tier: str, exits: Exits | None = None) -> None:
        self._runner = asyncio.Runner()
        self._opening = open_sandbox(tier, SETTINGS, exits)
        try:
            self.sandbox: LaunchedSandbox = self.do(self._opening.__aenter__())
        except BaseException:
            self._runner.close()
            raise

    def __enter__(self) -> "House":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.do(self._opening.__aexit__(None, None, None))
        self._runner.close()

    @property
    def tier(self) -> str:
        return self.sandbox.tier.name

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        return self._runner.run(work)

    def run(self, job: Job) -> Outcome:
        return self.do(self.sandbox.run(job))

    def python(self, source: str, **bounds: Any) -> Outcome:
        return self.run(Job(python=source, bounds=bounded(**bounds)))

    def shell(self, line: str, **bounds: Any) -> Outcome:
        return self.run(Job(argv=("sh", "-c", line), bounds=bounded(**bounds)))


def bounded(**bounds: Any) -> Bounds:
    return msgspec.structs.replace(QUICK, **bounds)


def named(mark: str) -> list[int]:
    """Living processes with that word among their arguments."""
    found = []
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit() or int(folder.name) == os.getpid():
            continue
        try:
            words = (folder / "cmdline").read_bytes()
        except OSError:
            continue
        if mark.encode() in words:
            found.append(int(folder.name))
    return found


async def until_named(mark: str) -> None:
    """Wait until there is one."""
    while not named(mark):  # noqa: ASYNC110 - another process's doing
        await asyncio.sleep(0.01)


def gone_within(mark: str, limit_s: float) -> bool:
    """Whether no process of that name is left by then."""
    end = time.perf_counter() + limit_s
    while named(mark):
        if time.perf_counter() > end:
            return False
    return True
