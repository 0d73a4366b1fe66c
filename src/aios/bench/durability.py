"""Is anything acknowledged ever lost, and what does that cost: speed, kills, cuts, flips, restart.

The speed is measured first and alone, the restart last and alone. In between everything that
destroys homes runs beside the building of the large home that is restarted, on both cores.
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import msgspec

from aios.bench.durability_cuts import Cuts, cut
from aios.bench.durability_flips import NOTICED, Flips, Outcome, flip_bits
from aios.bench.durability_kills import Toll, kill
from aios.bench.durability_load import Load, by_family, mixed
from aios.bench.durability_restart import Restart, build, measure
from aios.bench.rig import apart
from aios.bench.table import Bar, Options, Report, Table, Tell, at_least, at_most, none

P50_MS_MAX, P99_MS_MAX = 5.0, 50.0
PER_S_MIN = 10_000.0
RESTART_S_MAX = 2.0
LIMIT_S = 3_600.0  # of any one job
JOBS_AT_ONCE = 3  # they wait for the disk now and then


class Size(msgspec.Struct, frozen=True, kw_only=True):
    """How much of each; kills, cuts and flips come in jobs, each with homes of its own."""

    load_s: float
    family_s: float
    jobs: int
    kills_each: int
    cuts_each: int
    flips_each: int  # at each of the four places
    agents: int
    notes_each: int
    restarts: int


QUICK = Size(
    load_s=2.5,
    family_s=0.5,
    jobs=4,
    kills_each=25,
    cuts_each=50,
    flips_each=14,
    agents=10_000,
    notes_each=10,
    restarts=3,
)
FULL = Size(
    load_s=10.0,
    family_s=3.0,
    jobs=20,
    kills_each=50,
    cuts_each=100,
    flips_each=50,
    agents=10_000,
    notes_each=10,
    restarts=9,
)


class Durability(msgspec.Struct, frozen=True, kw_only=True):
    """The documented fields. `bit_flips` are those that hit something alive."""

    clients_100: Load
    clients_1000: Load
    kills: int
    acked_lost: int
    double_effects: int
    bit_flips: int
    bit_flips_noticed: int
    power_cuts: int
    power_cuts_ok: int
    restart_s: float


class Destroyed(msgspec.Struct, frozen=True, kw_only=True):
    """What became of all homes that were killed, cut off and damaged."""

    tolls: tuple[Toll, ...]
    cuts: tuple[Cuts, ...]
    flips: tuple[Flips, ...]


def run(options: Options, tell: Tell) -> Report:
    """Everything, in at most 90 seconds or in half an hour."""
    return measured(QUICK if options.is_quick else FULL, options.seed, tell)


def measured(size: Size, seed: int, tell: Tell) -> Report:
    """The report for that much work."""
    tell("durability: calls a second")
    loads = {
        clients: apart(mixed, clients, size.load_s, limit_s=LIMIT_S) for clients in (100, 1_000)
    }
    families: dict[str, Load] = apart(by_family, 1_000, size.family_s, limit_s=LIMIT_S)
    with TemporaryDirectory(prefix="aios-restart-") as name:
        destroyed, built = _destroyed(size, seed, Path(name) / "home", tell)
        tell("durability: restart")
        restarts = [measure(built) for _ in range(size.restarts)]
    return report(loads, families, destroyed, restarts)


def _destroyed(size: Size, seed: int, home: Path, tell: Tell) -> tuple[Destroyed, Any]:
    """Some jobs at a time; building the large home is the first of them, being the longest."""
    with ProcessPoolExecutor(JOBS_AT_ONCE, mp_context=get_context("spawn")) as pool:
        building = pool.submit(build, home, seed, size.agents, size.notes_each)
        seeds = [seed + 1_000 * number for number in range(size.jobs)]
        kills = [pool.submit(kill, size.kills_each, one) for one in seeds]
        cuts = [pool.submit(cut, size.cuts_each, one) for one in seeds]
        flips = [pool.submit(flip_bits, size.flips_each, one) for one in seeds]
        tell("durability: kills, power cuts and bit flips")
        destroyed = Destroyed(tolls=_all(kills), cuts=_all(cuts), flips=_all(flips))
        return destroyed, building.result(LIMIT_S)


def _all(jobs: Sequence[Future[Any]]) -> tuple[Any, ...]:
    return tuple(job.result(LIMIT_S) for job in jobs)


def report(
    loads: Mapping[int, Load],
    families: Mapping[str, Load],
    destroyed: Destroyed,
    restarts: Sequence[Restart],
) -> Report:
    """The result with its tables and bars."""
    flips = destroyed.flips
    noticed = sum(one.count(*NOTICED) for one in flips)
    result = Durability(
        clients_100=loads[100],
        clients_1000=loads[1_000],
        kills=sum(one.kills for one in destroyed.tolls),
        acked_lost=sum(len(one.lost) for one in destroyed.tolls),
        double_effects=sum(len(one.doubled) for one in destroyed.tolls),
        bit_flips=noticed + sum(one.count(Outcome.UNNOTICED) for one in flips),
        bit_flips_noticed=noticed,
        power_cuts=sum(one.cuts for one in destroyed.cuts),
        power_cuts_ok=sum(one.ok for one in destroyed.cuts),
        restart_s=median(one.restart_s for one in restarts),
    )
    more = {
        "families_1000": families,
        "bit_flips_harmless": sum(one.count(Outcome.HARMLESS) for one in flips),
        "lives_judged": sum(one.judged for one in destroyed.tolls),
        "acknowledged": sum(one.acknowledged for one in destroyed.tolls),
        "destroyed": destroyed,
        "restarts": restarts,
    }
    tables = (_speed(loads, families), _fates(result, more), _flips(flips), _restart(restarts))
    return Report(result=result, tables=tables, bars=_bars(result), more=more)


def _speed(loads: Mapping[int, Load], families: Mapping[str, Load]) -> Table:
    rows = [(f"all in turn, {clients:,} clients", load) for clients, load in loads.items()]
    rows += [(f"{name}, 1,000 clients", load) for name, load in families.items()]
    return Table(
        title="Durable syscalls, closed loop",
        columns=("calls", "p50 ms", "p99 ms", "calls/s"),
        rows=tuple(
            (name, f"{load.p50_ms:.2f}", f"{load.p99_ms:.1f}", f"{load.per_s:,.0f}")
            for name, load in rows
        ),
    )


def _fates(found: Durability, more: Mapping[str, Any]) -> Table:
    judged, told = more["lives_judged"], more["acknowledged"]
    rows = (
        ("kill -9", f"{found.kills}", f"{found.acked_lost} lost, {found.double_effects} doubled"),
        ("  lives judged, acknowledgements", f"{judged}", f"{told:,}"),
        ("power cuts", f"{found.power_cuts}", f"{found.power_cuts_ok} without loss"),
        ("bit flips", f"{found.bit_flips}", f"{found.bit_flips_noticed} noticed"),
    )
    return Table(title="What was destroyed", columns=("how", "times", "outcome"), rows=rows)


def _flips(flips: Sequence[Flips]) -> Table:
    places = flips[0].outcomes
    rows = tuple(
        (place, *(str(sum(one.outcomes[place].get(out, 0) for one in flips)) for out in Outcome))
        for place in places
    )
    return Table(title="Bit flips", columns=("place", *Outcome), rows=rows)


def _restart(restarts: Sequence[Restart]) -> Table:
    first = restarts[0]
    rows = tuple(
        (part, f"{median(one.parts[part] for one in restarts):.3f}") for part in first.parts
    )
    title = f"Restart with {first.agents:,} agents and {first.notes:,} notes"
    return Table(title=title, columns=("part", "seconds"), rows=rows)


def _bars(found: Durability) -> tuple[Bar, ...]:
    hundred, thousand = found.clients_100, found.clients_1000
    return (
        at_most("100 clients, p50 ms", hundred.p50_ms, P50_MS_MAX),
        at_most("100 clients, p99 ms", hundred.p99_ms, P99_MS_MAX),
        at_least("1,000 clients, calls/s", thousand.per_s, PER_S_MIN, form=",.0f"),
        at_most("restart, s", found.restart_s, RESTART_S_MAX),
        none("acknowledged and lost", found.acked_lost),
        none("effects done twice", found.double_effects),
        none("bit flips unnoticed", found.bit_flips - found.bit_flips_noticed),
        none("power cuts that lost something", found.power_cuts - found.power_cuts_ok),
    )
