"""What a tool call costs beside the tool's own time, and how well tools run side by side.

The tools do nothing, or wait; so what is measured is the kernel, with all that a booted one has:
the gate, arguments checked, a turn taken, a result capped, an audit record. A sandbox's figures are
those of the best tier that the machine holds; where it holds none they are left out.
"""

import asyncio
import tempfile
import threading
from pathlib import Path
from random import Random
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from aios.access.policy import PERSONAL
from aios.bench import sandboxes
from aios.bench.gate import gate_us
from aios.bench.rig import scripted_core
from aios.bench.stats import percentile
from aios.bench.table import Bar, Options, Report, Table, Tell, at_least, at_most
from aios.clock import Clock, WallClock
from aios.errors import Denied
from aios.journal.journal import open_journal
from aios.kernel import Kernel
from aios.kernel.environment import Environment
from aios.kernel.guard.fittings import fittings, vault_of
from aios.kernel.guard.parts import Fence
from aios.kernel.tools.servers import ToolServers
from aios.scheduler import RoundRobin
from aios.sdk import tool
from aios.syscalls import Spawn
from aios.syscalls.tool import CallTool, CallTools
from aios.tools.base import Mode
from aios.tools.functions import Functions
from aios.tools.holds import Holds

CALL_US_MAX = 100.0
PARALLEL_MS_MAX = 120.0
DECISION_US_MAX = 20.0
GATE_US_MAX = 5.0
WARM_MS_MAX = 5.0
COLD_MS_MAX = 60.0
COLD_PER_S_MIN = 40.0
SIDE_BY_SIDE = 20
NAP_S = 0.05
HOLDS = 1_000
ROUNDS = 9  # of the parallel batch
ARGUMENTS = '{"path": "reports/march.txt", "count": 3, "tags": ["a", "b"], "mode": "append"}'


class Tools(msgspec.Struct, frozen=True, kw_only=True):
    """The documented figures; one that was not measured is left out."""

    validated_call_us_p50: float
    parallel_20x50ms_ms: float
    gate_us_p50: float
    sandbox_tier: str | UnsetType = UNSET
    warm_ms_p50: float | UnsetType = UNSET
    cold_ms_p50: float | UnsetType = UNSET
    cold_per_s: float | UnsetType = UNSET


def run(options: Options, tell: Tell) -> Report:
    """Measure validated calls, parallel tools, decisions, the gate and sandboxes."""
    calls = 5_000 if options.is_quick else 50_000
    tell("tools: sandboxes")
    cost = asyncio.run(_sandboxed(40 if options.is_quick else 400))
    tell("tools: the gate")
    gate = asyncio.run(gate_us(options.seed, calls * 4))
    tell("tools: calls")
    with tempfile.TemporaryDirectory(prefix="aios-bench-") as folder:
        alone, together = asyncio.run(_measured(Path(folder), calls, options.seed))
    tell("tools: decisions")
    decisions = decision_us(calls)
    result = Tools(
        validated_call_us_p50=percentile(alone, 50) * 1e6,
        parallel_20x50ms_ms=percentile(together, 50) * 1e3,
        gate_us_p50=gate["own"],
        **_figures(cost),
    )
    more = {
        "validated_call_us_p99": percentile(alone, 99) * 1e6,
        "parallel_20x50ms_ms_worst": max(together) * 1e3,
        "decision_us_p50": percentile(decisions, 50),
        "decision_us_p99": percentile(decisions, 99),
        "gate_by_capability_us_p50": gate["by capability"],
        "sandbox": msgspec.to_builtins(cost),
    }
    bars = _bars(result, more["decision_us_p50"])
    return Report(result=result, tables=(_table(result, more),), bars=bars, more=more)


async def _sandboxed(calls: int) -> sandboxes.Cost | str:
    """What the best tier costs; why there is none, where there is none."""
    try:
        return await sandboxes.measure("", calls, WallClock())
    except Denied as missing:
        return missing.message


def _figures(cost: sandboxes.Cost | str) -> dict[str, Any]:
    if isinstance(cost, str):
        return {}
    return {
        "sandbox_tier": cost.tier,
        "warm_ms_p50": cost.warm_ms.p50,
        "cold_ms_p50": cost.cold_ms.p50,
        "cold_per_s": cost.cold_per_s,
    }


def decision_us(rounds: int) -> list[float]:
    """Microseconds that a call's coming and going takes among a thousand holds."""
    holds, clock = Holds(), WallClock()
    for number in range(HOLDS):
        holds.request({f"file:{number}": "write"})
    took = []
    for number in range(rounds):
        needs: dict[str, Mode] = {f"file:{number % HOLDS}": "read", f"new:{number}": "write"}
        began = clock.now()
        ticket = holds.request(needs, slot="files/append", instances=64)
        assert ticket is not None
        holds.leave(ticket)
        took.append((clock.now() - began) * 1e6)
    return took


async def _measured(folder: Path, calls: int, seed: int) -> tuple[list[float], list[float]]:
    """Seconds of each validated call, and of each batch of naps."""
    journal = await asyncio.to_thread(open_journal, folder / "journal", is_durable=False)
    environment = Environment(random=Random(seed), journal=journal)
    fence = Fence(policy=PERSONAL, fittings=fittings(folder, vault_of(folder)))
    servers = ToolServers([Functions([append, nap])])
    try:
        async with Kernel(
            [scripted_core(seed)],
            RoundRobin,
            environment=environment,
            tools=servers,
            fence=fence,
        ) as kernel:
            clock = WallClock()
            agent = (await kernel.call(kernel.token, Spawn(name="agent"))).token
            await _alone(kernel, agent, clock, calls // 10)  # What is built at first is built now.
            alone = await _alone(kernel, agent, clock, calls)
            return alone, await _together(kernel, agent, clock)
    finally:
        await journal.close()


async def _alone(kernel: Kernel, agent: str, clock: Clock, calls: int) -> list[float]:
    call = CallTool(name="local/append", arguments=ARGUMENTS)
    took = []
    for _ in range(calls):
        began = clock.now()
        result = await kernel.call(agent, call)
        took.append(clock.now() - began)
        assert not result.is_error, result.text
    return took


async def _together(kernel: Kernel, agent: str, clock: Clock) -> list[float]:
    call = CallTools(calls=(CallTool(name="local/nap"),) * SIDE_BY_SIDE)
    took = []
    for _ in range(ROUNDS):
        began = clock.now()
        results = (await kernel.call(agent, call)).results
        took.append(clock.now() - began)
        assert not any(one.is_error for one in results)
    return took


@tool(inline=True, writes="file:{path}", instances=64)
def append(path: str, count: int, tags: list[str], mode: str = "append") -> str:
    """Does nothing, and says so."""
    return "nothing"


@tool(reads=())
def nap() -> str:
    """Blocks a thread for 50 ms."""
    threading.Event().wait(NAP_S)
    return ""


def _table(result: Tools, more: dict[str, Any]) -> Table:
    rows = (
        ("validated call, p50 (p99), us", _pair(result.validated_call_us_p50,
                                                more["validated_call_us_p99"])),
        ("20 tools of 50 ms, median (worst), ms", _pair(result.parallel_20x50ms_ms,
                                                        more["parallel_20x50ms_ms_worst"])),
        ("decision with 1,000 holds, p50 (p99), us", _pair(more["decision_us_p50"],
                                                           more["decision_us_p99"])),
        ("the gate, own thing (by capability), us", _pair(result.gate_us_p50,
                                                          more["gate_by_capability_us_p50"])),
        ("sandbox", str(more["sandbox"])),
    )  # fmt: skip
    return Table(title="Tools", columns=("what", "figure"), rows=rows)


def _pair(middle: float, high: float) -> str:
    return f"{middle:,.1f} ({high:,.1f})"


def _bars(result: Tools, decision: float) -> tuple[Bar, ...]:
    bars = (
        at_most("validated call, p50", result.validated_call_us_p50, CALL_US_MAX, " us", ".1f"),
        at_most("20 tools of 50 ms", result.parallel_20x50ms_ms, PARALLEL_MS_MAX, " ms", ".1f"),
        at_most("decision with 1,000 holds, p50", decision, DECISION_US_MAX, " us", ".1f"),
        at_most("the gate, p50", result.gate_us_p50, GATE_US_MAX, " us", ".1f"),
    )
    if isinstance(result.warm_ms_p50, UnsetType) or isinstance(result.cold_ms_p50, UnsetType):
        return bars
    assert not isinstance(result.cold_per_s, UnsetType)
    return (
        *bars,
        at_most("sandboxed call, warm, p50", result.warm_ms_p50, WARM_MS_MAX, " ms", ".1f"),
        at_most("sandboxed call, cold, p50", result.cold_ms_p50, COLD_MS_MAX, " ms", ".1f"),
        at_least("cold calls a second", result.cold_per_s, COLD_PER_S_MIN, form=".0f"),
    )
