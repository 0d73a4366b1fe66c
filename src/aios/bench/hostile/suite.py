"""`aios bench hostile`: do the sandboxes hold, on every tier that the machine offers.

Every program runs on every tier, and, where that harms nothing, with no sandbox at all: that
control shows that the programs do what they say and that the judges see it.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import msgspec

from aios.bench.hostile.careless import TIER as CONTROL
from aios.bench.hostile.careless import Careless
from aios.bench.hostile.cases import Case, cases
from aios.bench.hostile.neighbour import Felt, neighbour
from aios.bench.hostile.scene import Scene, scene
from aios.bench.hostile.trial import Verdict, trial
from aios.bench.table import Bar, Options, Report, Table, Tell, at_least, at_most, none
from aios.sandbox.base import Sandbox, Tier
from aios.sandbox.egress import Proxy
from aios.sandbox.launched import probe_all
from aios.sandbox.reach import Reach
from aios.sandbox.room import open_sandbox

RATIO_MAX = 2.0
CONTROL_BREACHES_MIN = 25


class Size(msgspec.Struct, frozen=True, kw_only=True):
    """How much of it."""

    names: tuple[str, ...] = ()  # of programs; none: all
    repeats: int = 1  # of every program on every tier
    has_cold: bool = False  # also as a process of its own words, not in a pooled interpreter
    rounds: int = 6  # of the neighbour, alone and beside
    stretch_s: float = 3.0


QUICK = Size()
FULL = Size(repeats=5, has_cold=True, rounds=12, stretch_s=6.0)


class TierFound(msgspec.Struct, frozen=True, kw_only=True):
    """How one tier fared; the lists name programs."""

    tier: str
    strength: int
    programs: int
    breaches: int  # programs that breached it, in any run
    survivors_after_100ms: int
    breached: dict[str, tuple[str, ...]]
    declared: dict[str, str]  # the bound broken, that the tier says it cannot hold
    refused: dict[str, str]  # not run: the tier says it cannot do that job


class Hostile(msgspec.Struct, frozen=True, kw_only=True):
    """The documented fields; the first five are of the tier that is in force by default."""

    tier: str
    programs: int
    breaches: int
    survivors_after_100ms: int
    neighbour_p99_ratio: float
    control_breaches: int  # with no sandbox
    tiers: tuple[TierFound, ...]


def run(options: Options, tell: Tell) -> Report:
    """Everything, in about two minutes or in half an hour."""
    return asyncio.run(measured(QUICK if options.is_quick else FULL, tell))


async def measured(size: Size, tell: Tell) -> Report:
    """The report for that much work. Raises `Denied` where no tier holds."""
    chosen = [one for one in cases() if not size.names or one.name in size.names]
    names = [one.name for one in await probe_all() if one.works]
    with scene() as around:
        async with _opened("") as default:
            in_force = default.tier
            tell("hostile: the neighbour")
            felt = await neighbour(default, around, size.rounds, size.stretch_s)
        tiers = []
        for name in [in_force.name, *(one for one in names if one != in_force.name)]:
            async with _opened(name) as sandbox:
                verdicts = await _verdicts(sandbox, around, chosen, size, tell)
                tiers.append(found(sandbox.tier, verdicts))
        safe = [one for one in chosen if one.setting.is_safe]
        control = found(CONTROL, await _tried(Careless(), around, safe, tell))
    return report(tiers, control, felt)


def found(tier: Tier, verdicts: Sequence[Verdict]) -> TierFound:
    """What the verdicts on one tier come to."""
    breached: dict[str, tuple[str, ...]] = {}
    for one in verdicts:
        if one.breaches:
            breached[one.program] = (*breached.get(one.program, ()), *one.breaches)
    return TierFound(
        tier=tier.name,
        strength=tier.strength,
        programs=len({one.program for one in verdicts}),
        breaches=len(breached),
        survivors_after_100ms=sum(one.survivors for one in verdicts),
        breached=breached,
        declared={one.program: one.declared for one in verdicts if one.declared},
        refused={one.program: one.refused for one in verdicts if one.refused},
    )


@asynccontextmanager
async def _opened(tier: str) -> AsyncIterator[Sandbox]:
    """A sandbox with a guarded way out."""
    proxy = Proxy(Reach(), lambda: secrets.token_urlsafe(32), lambda _: None)
    try:
        async with open_sandbox(tier, exits=proxy) as sandbox:
            yield sandbox
    finally:
        await proxy.close()


async def _verdicts(
    sandbox: Sandbox, around: Scene, chosen: Sequence[Case], size: Size, tell: Tell
) -> list[Verdict]:
    verdicts: list[Verdict] = []
    for _ in range(size.repeats):
        for is_cold in (False, True) if size.has_cold else (False,):
            verdicts += await _tried(sandbox, around, chosen, tell, cold=is_cold)
    return verdicts


async def _tried(
    sandbox: Sandbox, around: Scene, chosen: Sequence[Case], tell: Tell, *, cold: bool = False
) -> list[Verdict]:
    verdicts: list[Verdict] = []
    async with trial(sandbox, around) as place:
        for number, one in enumerate(chosen, 1):
            tell(f"hostile: {sandbox.tier.name}, {number} of {len(chosen)}: {one.name}")
            verdicts.append(await place.verdict(one, cold=cold))
    return verdicts


def report(tiers: Sequence[TierFound], control: TierFound, felt: dict[str, Felt]) -> Report:
    """The result with its tables and bars."""
    default = tiers[0]
    result = Hostile(
        tier=default.tier,
        programs=default.programs,
        breaches=default.breaches,
        survivors_after_100ms=default.survivors_after_100ms,
        neighbour_p99_ratio=max(one.ratio for one in felt.values()),
        control_breaches=control.breaches,
        tiers=tuple(tiers),
    )
    tables = (_fates([*tiers, control]), _breaches(tiers), _neighbours(felt))
    more = {"control": control, "neighbour": felt}
    return Report(result=result, tables=tables, bars=_bars(result, control), more=more)


def _fates(tiers: Sequence[TierFound]) -> Table:
    columns = ("programs", "breaches", "survivors", "bounds it does not claim", "refused")
    rows = tuple(
        (one.tier, str(one.programs), str(one.breaches), str(one.survivors_after_100ms),
         str(len(one.declared)), str(len(one.refused)))
        for one in tiers
    )  # fmt: skip
    return Table(title="Hostile programs", columns=("tier", *columns), rows=rows)


def _breaches(tiers: Sequence[TierFound]) -> Table:
    rows = tuple(
        (one.tier, program, "; ".join(dict.fromkeys(what)))
        for one in tiers
        for program, what in one.breached.items()
    )
    return Table(title="Breaches", columns=("tier", "program", "what"), rows=rows)


def _neighbours(felt: dict[str, Felt]) -> Table:
    rows = tuple(
        (kind, f"{one.calls_alone:,} + {one.calls_beside:,}",
         f"{one.alone_p50:.2f} / {one.alone_p95:.2f} / {one.alone_p99:.2f}",
         f"{one.beside_p50:.2f} / {one.beside_p95:.2f} / {one.beside_p99:.2f}",
         f"{one.ratio_p95:.2f}", f"{one.ratio:.2f}", f"{one.ratio_of_all:.2f}")
        for kind, one in felt.items()
    )  # fmt: skip
    columns = (
        "call", "calls alone + beside", "alone p50 / p95 / p99 ms", "beside p50 / p95 / p99 ms",
        "ratio of p95", "ratio of p99", "of all calls' p99",
    )  # fmt: skip
    return Table(title="A neighbour's calls", columns=columns, rows=rows)


def _bars(result: Hostile, control: TierFound) -> tuple[Bar, ...]:
    least = min(CONTROL_BREACHES_MIN, control.programs)
    return (
        none(f"breaches of {result.tier}", result.breaches),
        none(f"survivors of {result.tier} after 100 ms", result.survivors_after_100ms),
        at_most("a neighbour's p99 beside them, of alone", result.neighbour_p99_ratio, RATIO_MAX),
        at_least("breaches with no sandbox", control.breaches, least, form="d"),
    )
