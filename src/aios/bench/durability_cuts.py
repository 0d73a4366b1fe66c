"""Power cuts under a working kernel: what each leaves of its disk is started from, and judged.

The disk is `testing.faults.Platter`, under SQLite and under the journal's own files: writes that
were not synced are gone, or there, or torn. Agents' real files are not on it: they are made again
from the journal, and are killed in `durability_kills`.
"""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import msgspec

from aios.testing.crowd import Crowd, programs
from aios.testing.faults import FaultyDisk, Platter, under_sqlite
from aios.testing.homes import Wrap, as_it_is, kernel_in, scripted
from aios.testing.judge import Judge
from aios.testing.ledger import Entry, Ledger
from aios.testing.outside import Outside
from aios.testing.steps import WITHOUT_FILES
from aios.testing.victim import SLOW_ENOUGH

CLIENTS = 6
CHANCE = 0.1  # that the power goes at a sync


class Cuts(msgspec.Struct, frozen=True, kw_only=True):
    """Of a number of power cuts. `ok`: nothing acknowledged was lost, nothing done twice."""

    cuts: int
    ok: int
    acknowledged: int
    wrong: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Cut:
    """What was left of the disk, and what had been told and done outside by then."""

    folder: Path
    entries: list[Entry]
    acts: list[str]


def cut(cuts: int, seed: int, wrap: Wrap = as_it_is) -> Cuts:
    """Let the power go so often under one kernel, then look at what each cut left."""
    with TemporaryDirectory(prefix="aios-cuts-") as name:
        made = asyncio.run(_Storm(Path(name), cuts, Random(seed)).pass_over(wrap))
        wrong = [asyncio.run(_judged(one, seed)) for one in made]
    return Cuts(
        cuts=len(made),
        ok=sum(not found for found in wrong),
        acknowledged=len(made[-1].entries),
        wrong=tuple(text for found in wrong for text in found),
    )


class _Storm:
    """Cuts the power of one kernel's disk at random syncs, until there were enough of them."""

    def __init__(self, folder: Path, cuts: int, chance: Random) -> None:
        self._folder = folder
        self._cuts = cuts
        self._chance = chance
        self._platter = Platter(folder / "disk")
        self._ledger, self._outside = Ledger(), Outside()
        self._made: list[_Cut] = []

    async def pass_over(self, wrap: Wrap) -> list[_Cut]:
        self._platter.folder.mkdir()
        self._platter.on_sync = self._perhaps
        with under_sqlite(self._platter):
            async with kernel_in(
                self._platter.folder / "home",
                programs=programs(self._outside),
                core=scripted(SLOW_ENOUGH),
                wrap=wrap,
                disk=FaultyDisk(self._platter),
            ) as kernel:
                crowd = Crowd(kernel, self._ledger, CLIENTS, WITHOUT_FILES)
                await crowd.resume()
                while len(self._made) < self._cuts:
                    await crowd.go_on(1)
        return self._made

    def _perhaps(self) -> None:
        if len(self._made) >= self._cuts or self._chance.random() >= CHANCE:
            return
        with self._platter.held():
            if len(self._made) < self._cuts:
                folder = self._folder / f"cut{len(self._made)}"
                self._made.append(_Cut(folder, [*self._ledger.entries], [*self._outside.acts]))
                self._platter.leave(folder, self._chance)


async def _judged(one: _Cut, seed: int) -> list[str]:
    """What is wrong in the kernel that starts from there."""
    ledger, outside = Ledger.of(one.entries), Outside(acts=one.acts)
    try:
        async with kernel_in(
            one.folder / "home", programs=programs(outside), core=scripted(SLOW_ENOUGH)
        ) as kernel:
            crowd = Crowd(kernel, ledger, CLIENTS, WITHOUT_FILES)
            await crowd.resume()
            judge = Judge(crowd, outside, SLOW_ENOUGH, Random(seed))
            found = await judge.findings(is_last=True)
    except Exception as problem:
        return [f"{one.folder.name}: the kernel ended: {problem!r}"]
    return [f"{one.folder.name}: {fault}: {what}" for fault, what in sorted(found)]
