"""A kernel with its clients in a process that is there to be killed. Knows no killer.

A life: the kernel opens its home, the clients learn what became of their last steps, everything is
judged, and then they make steps until the end comes.
"""

import asyncio
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random

from aios.testing.crowd import Crowd, programs
from aios.testing.homes import Wrap, as_it_is, kernel_in, scripted
from aios.testing.judge import Finding, Judge
from aios.testing.ledger import Ledger
from aios.testing.outside import Outside
from aios.testing.script import INSTANT, Script

SLOW_ENOUGH = replace(INSTANT, step_s=0.001, step_tokens=1)
"""The script of a core whose generations can be killed in the middle."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """What a victim is told. All lives in one folder go on with each other's work."""

    folder: Path
    clients: int
    seed: int
    is_last: bool = False
    wrap: Wrap = as_it_is
    script: Script = SLOW_ENOUGH


def live(life: Life, told: Connection) -> None:
    """The whole of a process; tells what the judge found, or why nothing could be judged."""
    try:
        asyncio.run(_live(life, told))
    except Exception as problem:
        told.send({Finding("lost", f"the kernel of seed {life.seed} ended: {problem!r}")})


async def _live(life: Life, told: Connection) -> None:
    ledger, outside = Ledger(life.folder / "ledger"), Outside(life.folder / "outside")
    core = scripted(life.script)
    home = life.folder / "home"
    async with kernel_in(home, programs=programs(outside), core=core, wrap=life.wrap) as kernel:
        crowd = Crowd(kernel, ledger, life.clients)
        await crowd.resume()
        judge = Judge(crowd, outside, life.script, Random(life.seed))
        told.send(await judge.findings(is_last=life.is_last))
        if not life.is_last:
            await crowd.go_on()
