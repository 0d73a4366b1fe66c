"""Trying programs: in a real sandbox of a tier, or in one that a test makes up."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import TypeVar

from aios.bench.hostile.cases import Case
from aios.bench.hostile.scene import Scene, scene
from aios.bench.hostile.trial import Verdict, trial
from aios.errors import Denied
from aios.sandbox.base import Job, Outcome, Sandbox, Tier
from aios.sandbox.egress import Proxy
from aios.sandbox.launched import probe_all
from aios.sandbox.reach import Reach
from aios.sandbox.room import open_sandbox

R = TypeVar("R")
Answer = Callable[[Job, Scene], Awaitable[Outcome]]
TIER = Tier(name="made up", strength=3)


class MadeUp:
    """A sandbox whose outcomes the test invents; a neighbour that has none lives for ever."""

    def __init__(
        self,
        around: Scene,
        answer: Answer,
        tier: Tier,
        after: Outcome,
        neighbour: Outcome | None,
    ) -> None:
        self.tier = tier
        self._around = around
        self._answer = answer
        self._after = after
        self._neighbour = neighbour

    async def run(self, job: Job) -> Outcome:
        if "AIM_MARK" in job.environment:
            return await self._answer(job, self._around)
        if "innocent" in (job.python or ""):
            return self._after
        if self._neighbour is None:
            await asyncio.Event().wait()  # until it is cancelled
        assert self._neighbour is not None
        return self._neighbour

    async def close(self) -> None:
        """Nothing was opened."""


def ended(**fields: object) -> Outcome:
    """An honest end, but for these fields."""
    honest = {"ended": "exited", "code": 0, "stdout": b"", "stderr": b"", "tier": "made up"}
    return Outcome(**{**honest, "wall_s": 0.1, **fields})  # type: ignore[arg-type]


def judged(
    one: Case,
    answer: Answer,
    *,
    tier: Tier = TIER,
    after: Outcome | None = None,
    neighbour: Outcome | None = None,
) -> Verdict:
    """The verdict on a program whose run, and what else runs, is invented."""

    async def main() -> Verdict:
        with scene() as around:
            next_one = after or ended(stdout=b"innocent\n")
            sandbox = MadeUp(around, answer, tier, next_one, neighbour)
            async with trial(sandbox, around) as place:
                return await place.verdict(one)

    return asyncio.run(main())


def tried(sandbox: Sandbox, chosen: Sequence[Case]) -> list[Verdict]:
    """The verdicts of a sandbox that needs no opening."""

    async def main() -> list[Verdict]:
        with scene() as around:
            async with trial(sandbox, around) as place:
                return [await place.verdict(one) for one in chosen]

    return asyncio.run(main())


def tried_on(tier: str, chosen: Sequence[Case], *, cold: bool = False) -> list[Verdict]:
    """The verdicts of a tier of this machine."""

    async def main() -> list[Verdict]:
        proxy = Proxy(Reach(), lambda: secrets.token_urlsafe(32), lambda _: None)
        with scene() as around:
            async with (
                open_sandbox(tier, exits=proxy) as sandbox,
                trial(sandbox, around) as place,
            ):
                found = [await place.verdict(one, cold=cold) for one in chosen]
        await proxy.close()
        return found

    return asyncio.run(main())


def tiers_here() -> list[str]:
    """The names of those that hold on this machine."""
    with suppress(Denied):
        return [one.name for one in asyncio.run(probe_all()) if one.works]
    return []
