"""Context switches on a real model: do they change a bit, and what do they cost?

Two engine processes pass generations to and fro at random moments; then new engines, whose KV no
snapshot has touched, run the same generations alone and uninterrupted. Every token and every row
of logits is compared. The cost is of restoring and saving KV that an engine has never seen.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from random import Random

import msgspec

from aios.bench.stats import percentile
from aios.bench.switch_cases import KINDS, Case, case
from aios.bench.switch_compare import Difference, difference
from aios.bench.switch_cost import Cost, costs
from aios.bench.switch_driver import Driver, Trace, undisturbed
from aios.bench.switch_worker import Spec, Worker
from aios.bench.table import Bar, Options, Report, Table, Tell, at_most
from aios.kernel.home import Folders, home
from aios.models import pocket

QUICK_SWITCHES = 2_000
FULL_SWITCHES = 20_000
ENGINES = 2
KV_BYTES = 64 << 20  # room for all that run at once
KV_BYTES_ALONE = 12 << 20
MS_PER_1K_TOKENS_RAM_MAX = 1.0


class Kind(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one kind of generation."""

    cases: int
    switches: int
    token_mismatches: int
    logit_max_abs_diff: float


class Switch(msgspec.Struct, frozen=True, kw_only=True):
    """`ms_per_1k_tokens_*`: one restore plus one save through that tier, per 1,000 KV tokens."""

    cases: int
    switches: int
    token_mismatches: int
    logit_max_abs_diff: float
    ms_per_1k_tokens_ram_p50: float
    ms_per_1k_tokens_disk_p50: float
    by_kind: dict[str, Kind]
    device: str


class Compared(msgspec.Struct, frozen=True, kw_only=True):
    """One case after its switches, against itself without them."""

    kind: str
    switches: int
    recomputed: str
    difference: Difference


def run(options: Options, tell: Tell) -> Report:
    """Switch thousands of times."""
    if options.is_quick:
        return measure(QUICK_SWITCHES, 12, options, tell)
    return measure(FULL_SWITCHES, 60, options, tell)


def measure(wanted: int, cost_samples: int, options: Options, tell: Tell) -> Report:
    """Switch, run again without, compare; then measure the cost."""
    seed, device = options.seed, options.device
    with home(None) as folders, engines(folders, device) as workers:
        driver = Driver(workers, Random(seed))
        driver.run(lambda: _next(driver, wanted, seed, tell))
        done = list(driver.done.values())
        renew(workers, folders, device)
        plain = undisturbed(workers, [one for one, _ in done], tell)
        tell("switch: cost")
        cost = costs(workers, Random(seed), cost_samples)
    compared = [compare(one, trace, plain[one.id]) for one, trace in done]
    more = {"journeys": dict(driver.journeys), "exactness": workers[0].exactness, "cost": cost}
    return report(result(compared, cost, workers[0].device), compared, cost, more)


@contextmanager
def engines(folders: Folders, device: str) -> Iterator[list[Worker]]:
    """Engine processes with pocket over the same folders; gone at the end."""
    workers: list[Worker] = []
    try:
        workers.extend(Worker(_spec(folders, f"switched-{n}", device)) for n in range(ENGINES))
        for worker in workers:
            worker.wait_until_up()
        yield workers
    finally:
        for worker in workers:
            worker.close()


def renew(workers: Sequence[Worker], folders: Folders, device: str) -> None:
    """Engines that know nothing of what was switched: no KV, no prefix cache."""
    for number, worker in enumerate(workers):
        worker.renew(_spec(folders, f"plain-{number}", device, KV_BYTES_ALONE))
    for worker in workers:
        worker.wait_until_up()


def _spec(folders: Folders, owner: str, device: str, kv_bytes: int = KV_BYTES) -> Spec:
    return Spec(
        model=str(pocket.PATH),
        ram=str(folders.ram),
        disk=str(folders.disk),
        owner=owner,
        kv_bytes=kv_bytes,
        device=device,
    )


def compare(one: Case, switched: Trace, plain: Trace) -> Compared:
    return Compared(
        kind=one.kind,
        switches=switched.switches,
        recomputed=switched.recomputed,
        difference=difference(plain, switched),
    )


def result(compared: Sequence[Compared], cost: Mapping[str, Sequence[Cost]], device: str) -> Switch:
    """The documented figures."""
    by_kind = {
        kind: _kind([one for one in compared if one.kind == kind])
        for kind in sorted({one.kind for one in compared})
    }
    total = _kind(compared)
    return Switch(
        cases=total.cases,
        switches=total.switches,
        token_mismatches=total.token_mismatches,
        logit_max_abs_diff=total.logit_max_abs_diff,
        ms_per_1k_tokens_ram_p50=percentile([one.ms_per_1k for one in cost["ram"]], 50),
        ms_per_1k_tokens_disk_p50=percentile([one.ms_per_1k for one in cost["disk"]], 50),
        by_kind=by_kind,
        device=device,
    )


def report(
    found: Switch,
    compared: Sequence[Compared],
    cost: Mapping[str, Sequence[Cost]],
    more: Mapping[str, object],
) -> Report:
    """The result with its table and bars."""
    return Report(
        result=found,
        tables=(_table(found), _cost_table(cost)),
        bars=_bars(found, compared),
        more={**more, "logit_rows_compared": sum(one.difference.rows for one in compared)},
    )


def _next(driver: Driver, wanted: int, seed: int, tell: Tell) -> Case | None:
    """A case of the kind that was switched least; None when there were switches enough."""
    made = driver.switches.total()
    tell(f"switch: {made:,} of {wanted:,}, {len(driver.done)} generations")
    if made >= wanted:
        return None
    kind = min(KINDS, key=lambda name: driver.switches[name])
    number = driver.begun
    return case(kind, number, Random(f"{seed}/{number}"))


def _kind(compared: Sequence[Compared]) -> Kind:
    found = [one.difference for one in compared]
    return Kind(
        cases=len(compared),
        switches=sum(one.switches for one in compared),
        token_mismatches=sum(one.tokens for one in found),
        logit_max_abs_diff=max((one.logit_max_abs for one in found), default=0.0),
    )


def _table(found: Switch) -> Table:
    columns = ("kind", "cases", "switches", "token mismatches", "logit max abs diff")
    total = Kind(
        cases=found.cases,
        switches=found.switches,
        token_mismatches=found.token_mismatches,
        logit_max_abs_diff=found.logit_max_abs_diff,
    )
    rows = tuple(
        (name, f"{one.cases:,}", f"{one.switches:,}", str(one.token_mismatches),
         f"{one.logit_max_abs_diff:g}")
        for name, one in {**found.by_kind, "all": total}.items()
    )  # fmt: skip
    title = f"Switched against uninterrupted, on {found.device}"
    return Table(title=title, columns=columns, rows=rows)


def _cost_table(cost: Mapping[str, Sequence[Cost]]) -> Table:
    columns = ("through", "switches", "p50 ms", "p50 CPU ms", "lowest ms")
    rows = []
    for kind, samples in cost.items():
        wall = [one.ms_per_1k for one in samples]
        cpu = percentile([one.cpu_ms_per_1k for one in samples], 50)
        figures = (percentile(wall, 50), cpu, min(wall))
        rows.append((kind, str(len(samples)), *(f"{one:.2f}" for one in figures)))
    title = "Restore and save, per 1,000 tokens of KV"
    return Table(title=title, columns=columns, rows=tuple(rows))


def _bars(found: Switch, compared: Sequence[Compared]) -> tuple[Bar, ...]:
    missing = sum(one.difference.rows_missing for one in compared)
    recomputed = sum(bool(one.recomputed) for one in compared)
    wrong = (found.token_mismatches, found.logit_max_abs_diff, missing, recomputed)
    return (
        Bar(
            what="differing tokens / logits, missing rows, recomputed",
            bar="0 / 0, 0, 0",
            measured=f"{wrong[0]} / {wrong[1]:g}, {missing}, {recomputed}",
            is_met=not any(wrong),
            is_promise=True,
        ),
        at_most(
            "switch through RAM, p50 per 1,000 tokens",
            found.ms_per_1k_tokens_ram_p50,
            MS_PER_1K_TOKENS_RAM_MAX,
            " ms",
        ),
        Bar(
            what="switch through disk, p50 per 1,000 tokens",
            bar="shown",
            measured=f"{found.ms_per_1k_tokens_disk_p50:.2f} ms",
            is_met=True,
        ),
    )
