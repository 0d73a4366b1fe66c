"""Runs hostile programs in a sandbox, one after the other, and has each judged."""

import asyncio
import sys
import tempfile
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import msgspec

from aios.bench.hostile import survivors
from aios.bench.hostile.cases import BOUNDS, Case
from aios.bench.hostile.judges import GRACE_S, INNOCENT, Run, bound_of, faults
from aios.bench.hostile.scene import Scene
from aios.errors import AiosError, Denied
from aios.sandbox.base import Job, Outcome, Sandbox

LOOK_S = 0.05
END_S = 30.0  # a run that takes this much longer than its deadline has lost its sandbox


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


async def trial(
    sandbox: Sandbox, scene: Scene, cases: Sequence[Case], *, cold: bool = False
) -> list[Verdict]:
    """The verdict on each."""
    return [await _tried(sandbox, scene, case, cold=cold) for case in cases]


async def _tried(sandbox: Sandbox, scene: Scene, case: Case, *, cold: bool) -> Verdict:
    scene.renew()
    tier = sandbox.tier
    verdict = Verdict(program=case.name, classes=case.classes, tier=tier.name)
    try:
        run = await _run(sandbox, scene, case, cold=cold)
    except Denied as error:
        return msgspec.structs.replace(verdict, refused=error.message)
    except (AiosError, TimeoutError) as error:
        text = f"the run itself failed: {type(error).__name__}: {error}"
        return msgspec.structs.replace(verdict, breaches=(text,))
    finally:
        survivors.end(scene.mark)
    found = tuple(faults(case, run, scene.canary))
    bound = bound_of(case)
    is_declared = bool(found) and bound in tier.unbounded and not run.survivors
    return msgspec.structs.replace(
        verdict,
        breaches=() if is_declared else found,
        declared=bound if is_declared else "",
        survivors=run.survivors,
        ended=run.outcome.ended,
    )


async def _run(sandbox: Sandbox, scene: Scene, case: Case, *, cold: bool) -> Run:
    aims = scene.aims()
    if sandbox.tier.strength:
        aims["AIM_CONFINED"] = "1"
    async with AsyncExitStack() as stack:
        folder = None
        if case.setting.is_folder:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="aios-shared-")))
            folder.chmod(0o777)
        outcome, seen = await _watched(sandbox, case.job(aims, folder, cold=cold), scene.mark)
        await asyncio.sleep(GRACE_S)
        alive = len(await asyncio.to_thread(survivors.alive, scene.mark))
        after = await _ended(sandbox, innocent(folder))
        return Run(
            outcome=outcome,
            after=after,
            scene_faults=tuple(await asyncio.to_thread(scene.faults)),
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
