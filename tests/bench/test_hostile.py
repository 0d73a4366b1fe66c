"""The benchmark of hostile programs: what it reports of verdicts, and a small one for real."""

import asyncio
import sys

import msgspec
import pytest

from aios.bench.hostile.careless import TIER as NO_TIER
from aios.bench.hostile.neighbour import Felt
from aios.bench.hostile.suite import CONTROL_BREACHES_MIN, Hostile, Size, found, measured, report
from aios.bench.hostile.trial import Verdict
from aios.bench.table import Report, quiet
from aios.sandbox.base import Tier
from tests.hostile.house import tiers_here

FELT = Felt(
    calls_alone=300,
    calls_beside=300,
    alone_p50=1.0,
    alone_p95=1.5,
    alone_p99=2.0,
    beside_p50=1.5,
    beside_p95=2.0,
    beside_p99=3.0,
    ratio_of_all=1.6,
)
STRONG, WEAK = Tier(name="strong", strength=3), Tier(name="weak", strength=2)


def verdict(program: str, **fields: object) -> Verdict:
    return Verdict(program=program, classes=(1,), tier="strong", **fields)  # type: ignore[arg-type]


def reported(*strong: Verdict, control: int = CONTROL_BREACHES_MIN) -> Report:
    """Of these on the strong tier, none on the weak, and a control that so many breach."""
    free = [verdict(f"p{number}", breaches=("x",)) for number in range(control)]
    free += [verdict(f"q{number}") for number in range(CONTROL_BREACHES_MIN)]
    tiers = [found(STRONG, strong), found(WEAK, [])]
    return report(tiers, found(NO_TIER, free), {"sandboxed": FELT})


def met(one: Report) -> list[bool]:
    return [bar.is_met for bar in one.bars]


def test_a_tier_that_holds_meets_every_bar() -> None:
    held = reported(verdict("a"), verdict("b", refused="not here"), verdict("c", declared="cpu_s"))
    assert met(held) == [True, True, True, True]
    assert isinstance(held.result, Hostile)
    assert (held.result.programs, held.result.breaches, held.result.tier) == (3, 0, "strong")
    assert held.result.tiers[0].refused == {"b": "not here"}
    assert held.result.tiers[0].declared == {"c": "cpu_s"}
    assert held.result.neighbour_p99_ratio == 1.5


def test_a_program_that_breaches_in_one_of_its_runs_is_listed_and_breaks_a_promise() -> None:
    broken = reported(verdict("a"), verdict("a", breaches=("got out",), survivors=2), verdict("b"))
    assert met(broken) == [False, False, True, True]
    assert all(bar.is_promise for bar in broken.bars[:2])
    assert isinstance(broken.result, Hostile)
    assert (broken.result.programs, broken.result.breaches) == (2, 1)
    assert broken.result.survivors_after_100ms == 2
    assert broken.result.tiers[0].breached == {"a": ("got out",)}
    assert ("strong", "a", "got out") in broken.tables[1].rows


def test_judges_that_see_nothing_where_nothing_is_confined_are_told() -> None:
    assert met(reported(verdict("a"), control=3)) == [True, True, True, False]


@pytest.mark.skipif(sys.platform != "linux", reason="tiers of Linux are tried")
def test_it_measures_this_machines_tiers() -> None:
    here = tiers_here()
    if not here:
        pytest.skip("no tier holds on this machine")
    names = ("reads_keys", "daemon", "fork_bomb")
    size = Size(names=names, has_cold=True, rounds=1, stretch_s=0.5)
    result = asyncio.run(measured(size, quiet)).result
    assert isinstance(result, Hostile)
    assert [one.tier for one in result.tiers] == here
    assert (result.programs, result.breaches, result.survivors_after_100ms) == (3, 0, 0)
    assert result.control_breaches == 3
    assert result.neighbour_p99_ratio > 0
    assert msgspec.json.encode(result)
