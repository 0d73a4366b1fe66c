"""Runs hostile programs in a sandbox, one after the other, and has each judged."""

import asyncio
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import msgspec

from aios.bench.hostile import survivors
from aios.bench.hostile.cases import BOUNDS, Case
from aios.bench.hostile.judges import GRACE_S, INNOCENT, Run, bound_of, faults
from aios.bench.hostile.scene import Scene
from aios.errors import AiosError, Denied, InvalidArgument
from aios.sandbox.base import Job, Outcome, Sandbox

LOOK_S = 0.05
NEIGHBOUR_S = 3_600.0
END_S = 30.0  # a run that takes this much longer than its deadline has lost its sandbox


# Ends, and says why, when anybody gets at it: by a signal, or in its own folder.
_NEIGHBOUR = """
import os, signal, time
def hear(number, frame):
    print("signal", number, flush=True)
    os._exit(1)
for number in (signal.SIGURG, signal.SIGUSR1, signal.SIGTERM, signal.SIGCONT):
    signal.signal(number, hear)
while True:
    time.sleep(0.2)
    if new := os.listdir("."):
        print("files", new, flush=True)
        os._exit(1)
"""


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one program under one tier."""

    program: str
    classes: tuple[int, ...]
    tier: str
    breaches: tuple[str, ...] = ()
    declared: str = ""  # the bound it broke, where the tier says that it cannot hold it
    refused: str = ""  # not run at all, and why: nothing was risked
    survivors: int = 0
    ended: str = ""


@asynccontextmanager
async def trial(sandbox: Sandbox, scene: Scene) -> AsyncIterator["Trial"]:
    """A place to try programs in, with a neighbour who lives there all the time."""
    one = Trial(sandbox, scene)
    try:
        yield one
    finally:
        await one.close()


class Trial:
    """Made by `trial`."""

    def __init__(self, sandbox: Sandbox, scene: Scene) -> None:
        self._sandbox = sandbox
        self._scene = scene
        self._neighbour = self._settled() if sandbox.tier.strength else None

    async def verdict(self, case: Case, *, cold: bool = False) -> Verdict:
        """What becomes of this one."""
        self._scene.renew()
        tier = self._sandbox.tier
        verdict = Verdict(program=case.name, classes=case.classes, tier=tier.name)
        try:
            run = await self._run(case, cold=cold)
        except (Denied, InvalidArgument) as error:
            return msgspec.structs.replace(verdict, refused=error.message)
        except (AiosError, TimeoutError) as error:
            text = f"the run itself failed: {type(error).__name__}: {error}"
            return msgspec.structs.replace(verdict, breaches=(text,))
        finally:
            survivors.end(self._scene.mark)
        found = (*faults(case, run, self._scene.canary), *self._harm())
        bound = bound_of(case)
        is_declared = bool(found) and bound in tier.unbounded and not run.survivors
        return msgspec.structs.replace(
            verdict,
            breaches=() if is_declared else found,
            declared=bound if is_declared else "",
            survivors=run.survivors,
            ended=run.outcome.ended,
        )

    async def close(self) -> None:
        if self._neighbour is not None:
            self._neighbour.cancel()
            await asyncio.wait({self._neighbour})

    def _settled(self) -> "asyncio.Task[Outcome]":
        bounds = msgspec.structs.replace(BOUNDS, wall_s=NEIGHBOUR_S)
        return asyncio.create_task(self._sandbox.run(Job(python=_NEIGHBOUR, bounds=bounds)))

    def _harm(self) -> tuple[str, ...]:
        """What has happened to the neighbour meanwhile; a new one moves in."""
        if self._neighbour is None or not self._neighbour.done():
            return ()
        ended, self._neighbour = self._neighbour, self._settled()
        if error := ended.exception():
            return (f"ended a neighbour: {type(error).__name__}: {error}",)
        return (f"ended a neighbour: {ended.result().ended} {ended.result().stdout!r}",)

    async def _run(self, case: Case, *, cold: bool) -> Run:
        aims = self._scene.aims()
        if self._sandbox.tier.strength:
            aims["AIM_CONFINED"] = "1"
        async with AsyncExitStack() as stack:
            folder = None
            if case.setting.is_folder:
                folder = Path(
                    stack.enter_context(tempfile.TemporaryDirectory(prefix="aios-shared-"))
                )
                folder.chmod(0o777)
            outcome, seen = await _watched(
                self._sandbox, case.job(aims, folder, cold=cold), self._scene.mark
            )
            await asyncio.sleep(GRACE_S)
            alive = len(await asyncio.to_thread(survivors.alive, self._scene.mark))
            after = await _ended(self._sandbox, innocent(folder))
            return Run(
                outcome=outcome,
                after=after,
                scene_faults=tuple(await asyncio.to_thread(self._scene.faults)),
                survivors=alive,
                seen=seen,
            )


def innocent(folder: Path | None = None) -> Job:
    """A program that harms nobody, and notices when it is harmed."""
    source = f"import json, re\nprint(json.loads('{{\"a\": \"{INNOCENT.decode()}\"}}')['a'])"
    return Job(python=source, folder=folder, bounds=BOUNDS)


async def _watched(sandbox: Sandbox, job: Job, mark: str) -> tuple[Outcome, int]:
    """The outcome, and how many of its processes were seen meanwhile."""
    running = asyncio.ensure_future(_ended(sandbox, job))
    seen = 0
    while not running.done():
        if sys.platform == "linux":
            seen = max(seen, len(await asyncio.to_thread(survivors.alive, mark)))
        await asyncio.wait({running}, timeout=LOOK_S)
    return await running, seen


async def _ended(sandbox: Sandbox, job: Job) -> Outcome:
    async with asyncio.timeout(job.bounds.wall_s + END_S):
        return await sandbox.run(job)
