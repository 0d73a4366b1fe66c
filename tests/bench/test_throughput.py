"""The bars of the throughput benchmark: ratios within a round, medians over rounds."""

import asyncio
from dataclasses import replace

import pytest

from aios.bench.plain import PlainModel
from aios.bench.records import Row, Run
from aios.bench.site import KV_SHARE, site_for
from aios.bench.throughput import TURNS, Rows, bars
from aios.bench.ways import Watch, launch, run_direct, run_kernel
from aios.clock import WallClock
from aios.kernel.home import home
from aios.scheduler import Fifo
from tests.bench.office import SMALL
from tests.devices import DEVICES

ROW = Row(
    policy="", mode="exact", llm_calls=1, llm_calls_per_s=10.0, tokens_per_s=1.0,
    wait_mean_s=1.0, wait_p90_s=10.0, first_wait_mean_s=0.0, first_wait_p90_s=0.0,
    short_wait_p90_s=5.0, makespan_s=1.0, switches=0, oom_retries=0, cached_tokens=0,
    tasks_ok=1, tasks_done=1, tasks=1,
)  # fmt: skip


def in_turns(*calls: float) -> Rows:
    """The engine alone is always as fast; under the kernel it makes so many calls each turn."""
    alone = {f"engine exact with room {turn + 1}": ROW for turn in range(TURNS)}
    kernel = {
        f"fifo exact with room {turn + 1}": replace(ROW, llm_calls_per_s=found)
        for turn, found in enumerate(calls)
    }
    return alone | kernel


def a_round(calls: float = 50.0, wait: float = 2.0, short: float = 2.0) -> Rows:
    fifo = replace(ROW, llm_calls_per_s=calls, wait_p90_s=wait)
    return {
        "direct": ROW,
        "fifo exact": fifo,
        "rr exact": replace(fifo, short_wait_p90_s=short),
        **in_turns(*[10.0] * TURNS),
    }


def test_a_good_round_meets_every_bar() -> None:
    assert all(bar.is_met for bar in bars([a_round()]))


def test_each_bar_can_be_missed() -> None:
    slow, late = bars([a_round(calls=30.0)]), bars([a_round(wait=4.0)])
    assert [bar.is_met for bar in slow] == [False, False, True, True, True, True]
    assert [bar.is_met for bar in late] == [True, True, False, False, True, True]
    assert not bars([a_round(short=4.0)])[4].is_met


def test_one_bad_round_of_three_does_not_decide() -> None:
    assert all(bar.is_met for bar in bars([a_round(), a_round(calls=1.0), a_round()]))


def test_what_the_kernel_costs_is_the_median_over_all_turns() -> None:
    moody = a_round() | in_turns(9.9, 9.8, 2.0, 9.9, 12.0)
    costly = a_round() | in_turns(9.0, 9.9, 9.0, 9.0, 9.9)

    assert [bars([one])[-1].is_met for one in (moody, costly)] == [True, False]


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.timeout(300)
def test_a_small_office_is_served_directly_and_under_a_kernel_on_one_device(device: str) -> None:
    where = site_for(SMALL, 1, share=KV_SHARE, lanes=8, device=device)
    model = PlainModel(where.model, device)

    async def main() -> tuple[str, Run, Run]:
        clock = WallClock()
        direct = await run_direct(where, model, clock, Watch())
        with home(None) as folders:
            core = await launch(where, folders, "small", exact=True)
            return core.traits.device, direct, await run_kernel(where, core, Fifo, clock, Watch())

    name, *runs = asyncio.run(main())

    assert name == model.device.name
    assert name.startswith(device)
    for run in runs:
        assert len(run.errands) == run.tasks
        assert all(call.answered is not None for call in run.calls)
