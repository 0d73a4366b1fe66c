"""Agents on a live model with too little memory: direct, under the kernel, on an engine alone.

One office of agents, one model, one budget of KV. `rows` are agents that call the model
themselves, and the same agents under FIFO and round-robin, with the engine in its exact mode and
in its fast one. `reference` is what a strong engine without a kernel does with the same work, and
what both do where memory is plenty.

What the kernel costs is a few in a hundred, less than a machine's mood changes between two runs.
So with room the engine alone and the engine under the kernel take turns, as neighbours, with the
same work each time, and the cost is the median of the ratios of neighbours.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from statistics import median

import msgspec

from aios.bench.direct import BEST, ONE_AT_A_TIME
from aios.bench.lent import Lent
from aios.bench.plain import PlainModel
from aios.bench.records import Row, row_of
from aios.bench.site import KV_ROOMY, KV_SHARE, Site, site_for
from aios.bench.table import Bar, Options, Report, Table, Tell, at_least, at_most
from aios.bench.ways import Watch, launch, run_direct, run_engine, run_kernel
from aios.bench.workload import Size
from aios.clock import Clock, WallClock
from aios.cores.base import Core
from aios.kernel.home import Folders, home
from aios.models import pocket
from aios.scheduler import Fifo, Policy, RoundRobin

LANES = 32
SLICE_TOKENS = 128
FULL_ROUNDS = 5
QUICK = Size(agents=64, flights=8, flight_errands=4, short_errands=2)
QUICK_TURN = Size(agents=64, flights=8, flight_errands=2, short_errands=1)
FULL = Size(agents=64, flights=8, flight_errands=8, short_errands=4)

CALLS_OF_DIRECT = 4.0
WAIT_OF_DIRECT = 0.3
SHORT_OF_FIFO = 0.6
CALLS_OF_ENGINE = 0.97


class Throughput(msgspec.Struct, frozen=True, kw_only=True):
    """`rows` under memory pressure; `reference` is beside the documented fields."""

    agents: int
    kv_tokens: int
    rows: tuple[Row, ...]
    reference: tuple[Row, ...]
    kv_share: float
    slice_tokens: int
    device: str
    model: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    """One run of a round: how it is called, on which site, by whom, in which mode."""

    policy: str
    roomy: bool
    exact: bool

    @property
    def label(self) -> str:
        mode = "exact" if self.exact else "fast"
        return f"{self.policy} {mode}{' with room' if self.roomy else ''}"


PLANS = (
    _Plan(policy="fifo", roomy=False, exact=True),
    _Plan(policy="rr", roomy=False, exact=True),
    _Plan(policy="fifo", roomy=False, exact=False),
    _Plan(policy="rr", roomy=False, exact=False),
    _Plan(policy="engine", roomy=False, exact=True),
)
# One row tells what exact mode costs; an engine less to start keeps within 90 s.
QUICK_PLANS = tuple(plan for plan in PLANS if plan.exact or plan.policy == "rr")
NEIGHBOURS = (
    _Plan(policy="engine", roomy=True, exact=True),
    _Plan(policy="fifo", roomy=True, exact=True),
)
TURNS = 4  # of the neighbours in a round; they take turns in beginning, too
POLICIES: dict[str, Callable[[], Policy]] = {
    "fifo": Fifo,
    "rr": lambda: RoundRobin(slice_tokens=SLICE_TOKENS),
}
Rows = dict[str, Row]  # of one round, by label
DIRECT = "direct"
HABITS = {DIRECT: BEST, "one call at a time": ONE_AT_A_TIME}


def run(options: Options, tell: Tell) -> Report:
    """Rounds of the whole comparison; rows are those of the round with the median RR speed."""
    tell("loading the model for the agents without a kernel")
    model = PlainModel(pocket.PATH, options.device)
    rounds = asyncio.run(_rounds(options, model, tell))
    ordered = sorted(rounds, key=lambda rows: rows["rr exact"].llm_calls_per_s)
    rows = ordered[len(ordered) // 2]
    site = _site(options, 0, roomy=False)
    result = Throughput(
        agents=len(site.office),
        kv_tokens=site.kv_tokens,
        rows=tuple(rows[label] for label in rows if not _is_reference(label)),
        reference=tuple(rows[label] for label in rows if _is_reference(label)),
        kv_share=KV_SHARE,
        slice_tokens=SLICE_TOKENS,
        device=model.device.name,
        model=site.model.parent.name,
    )
    return Report(
        result=result,
        tables=(_table(rows, site, model.device.name),),
        bars=bars(rounds),
        more={"rounds": [list(one.values()) for one in rounds]},
    )


async def _rounds(options: Options, model: PlainModel, tell: Tell) -> list[Rows]:
    count = 1 if options.is_quick else FULL_ROUNDS
    return [await _round(options, number, model, tell) for number in range(count)]


async def _round(options: Options, number: int, model: PlainModel, tell: Tell) -> Rows:
    sites = {roomy: _site(options, number, roomy=roomy) for roomy in (False, True)}
    clock = WallClock()
    rows: Rows = {}
    with home(None) as folders:
        tell("starting engines")
        plans = QUICK_PLANS if options.is_quick else PLANS
        cores = await _cores((*plans, *NEIGHBOURS), sites, folders)
        for label, habit in HABITS.items() if not options.is_quick else ((DIRECT, BEST),):
            tell(f"round {number + 1}: {label}")
            site = replace(sites[False], habit=habit)
            rows[label] = row_of(await run_direct(site, model, clock, Watch()), "exact")
        for plan, core in zip(plans, cores, strict=False):
            tell(f"round {number + 1}: {plan.label}")
            rows[plan.label] = await _row(plan, sites[plan.roomy], core, clock)
        tell(f"round {number + 1}: with room, in turns")
        rows |= await _in_turns(options, number, cores[len(plans) :], clock)
        await asyncio.gather(*(core.close() for core in cores))
    return rows


async def _in_turns(
    options: Options, number: int, cores: Sequence[Core], clock: Clock
) -> dict[str, Row]:
    """The neighbours, one after the other and back."""
    rows: dict[str, Row] = {}
    pairs = list(zip(NEIGHBOURS, cores, strict=True))
    size = QUICK_TURN if options.is_quick else FULL
    seed = options.seed + number
    site = site_for(size, seed, share=KV_ROOMY, lanes=LANES, device=options.device)
    for turn in range(TURNS):
        for plan, core in pairs[:: -1 if turn % 2 else 1]:
            rows[_of_turn(plan.label, turn)] = await _row(plan, site, core, clock)
    return rows


def _of_turn(label: str, turn: int) -> str:
    return f"{label} {turn + 1}"


async def _cores(
    plans: Sequence[_Plan], sites: dict[bool, Site], folders: Folders
) -> Sequence[Core]:
    """An engine for each plan, all before anything is measured: an idle one costs nothing."""
    return await asyncio.gather(
        *(
            launch(sites[plan.roomy], folders, f"plan-{number}", exact=plan.exact)
            for number, plan in enumerate(plans)
        )
    )


async def _row(plan: _Plan, site: Site, core: Core, clock: Clock) -> Row:
    policy = POLICIES.get(plan.policy)
    if policy is None:
        run = await run_engine(site, Lent(core), clock, Watch())
    else:
        run = await run_kernel(site, Lent(core), policy, clock, Watch())
    return row_of(run, "exact" if plan.exact else "fast")


def _site(options: Options, number: int, *, roomy: bool) -> Site:
    size = QUICK if options.is_quick else FULL
    share = KV_ROOMY if roomy else KV_SHARE
    seed = options.seed + number
    return site_for(size, seed, share=share, lanes=LANES, device=options.device)


def _is_reference(label: str) -> bool:
    return label.startswith(("engine", "one call")) or "with room" in label


def bars(rounds: Sequence[Rows]) -> tuple[Bar, ...]:
    """What was to be reached: medians over the rounds of ratios within one round."""

    def ratio(of: str, to: str, figure: Callable[[Row], float]) -> float:
        return median(figure(rows[of]) / max(figure(rows[to]), 1e-9) for rows in rounds)

    def calls(row: Row) -> float:
        return row.llm_calls_per_s

    def wait(row: Row) -> float:
        return row.wait_p90_s

    def short(row: Row) -> float:
        return row.short_wait_p90_s

    def between(what: str, of: str, to: str) -> str:
        return f"{what}, {of} / {to}"

    most = [("fifo exact", DIRECT), ("rr exact", DIRECT)]
    found = [
        at_least(between("calls/s", *pair), ratio(*pair, calls), CALLS_OF_DIRECT) for pair in most
    ]
    found += [
        at_most(between("p90 wait", *pair), ratio(*pair, wait), WAIT_OF_DIRECT) for pair in most
    ]
    of, to = "rr exact", "fifo exact"
    what = between("short agents' p90 wait", of, to)
    found.append(at_most(what, ratio(of, to, short), SHORT_OF_FIFO))
    to, of = (plan.label for plan in NEIGHBOURS)
    what = between("calls/s", of, to)
    found.append(at_least(what, _of_neighbours(rounds, of, to), CALLS_OF_ENGINE))
    return tuple(found)


def _of_neighbours(rounds: Sequence[Rows], of: str, to: str) -> float:
    """The median over all turns of what two neighbours did, calls per second."""
    turns = [
        (rows[_of_turn(of, turn)], rows[_of_turn(to, turn)])
        for rows in rounds
        for turn in range(TURNS)
    ]
    return median(one.llm_calls_per_s / max(other.llm_calls_per_s, 1e-9) for one, other in turns)


def _table(rows: Rows, site: Site, device: str) -> Table:
    streams = site.streams
    return Table(
        title=(
            f"{len(site.office)} agents, {streams} conversations at once, on {device}; "
            f"{site.kv_tokens} tokens of KV"
        ),
        columns=(
            "way", "calls/s", "tokens/s", "wait mean", "p90", "first p90", "short p90",
            "makespan", "switches", "out of memory", "right",
        ),
        rows=tuple(_cells(label, row) for label, row in rows.items()),
    )  # fmt: skip


def _cells(label: str, row: Row) -> tuple[str, ...]:
    seconds = (
        row.wait_mean_s, row.wait_p90_s, row.first_wait_p90_s, row.short_wait_p90_s, row.makespan_s
    )  # fmt: skip
    return (
        label,
        f"{row.llm_calls_per_s:.1f}",
        f"{row.tokens_per_s:.0f}",
        *(f"{one:.2f} s" for one in seconds),
        str(row.switches),
        str(row.oom_retries),
        f"{row.tasks_ok}/{row.tasks}",
    )
