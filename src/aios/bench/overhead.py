"""What the kernel costs a syscall: the cheapest call, and an LLM call of no latency.

A client is a process with its own token and one open call at a time. Several clients take turns on
the one event loop, and a client's time runs from when it would call, so it includes its turn's
wait. What the clients themselves cost is in the figures too. `overhead_http` does the same over
HTTP.
"""

import asyncio
from random import Random
from typing import Any

import msgspec

from aios.bench import overhead_http
from aios.bench.rig import scripted_kernel
from aios.bench.stats import Interval, median_interval, percentile
from aios.bench.table import Bar, Options, Report, Table, Tell, at_least, at_most
from aios.clock import Clock, WallClock
from aios.kernel import Kernel
from aios.syscalls import Decoding, Generate, Spawn, Syscall, WhoAmI

CLIENTS = (1, 10, 100)
REPEATS = 5
P50_US_MAX = 50.0
PER_S_MIN = 20_000.0
NULL = WhoAmI()
NULL_LLM = Generate(token_ids=(1, 2, 3), decoding=Decoding(max_tokens=1, seed=0))


class InProcess(msgspec.Struct, frozen=True, kw_only=True):
    """`p50_us` and `p99_us` of one client; `per_s` the best that 1, 10 or 100 clients sustain."""

    p50_us: float
    p99_us: float
    per_s: float


class Overhead(msgspec.Struct, frozen=True, kw_only=True):
    in_process: InProcess
    http: overhead_http.Http
    chat: overhead_http.Chat


class Load(msgspec.Struct, frozen=True, kw_only=True):
    """What a number of clients saw: medians over the repeats."""

    clients: int
    p50_us: Interval
    p99_us: Interval
    per_s: Interval


def run(options: Options, tell: Tell) -> Report:
    """Measure null syscalls and null LLM calls."""
    calls = 20_000 if options.is_quick else 200_000
    null = asyncio.run(loads(NULL, calls, options.seed, tell))
    null_llm = asyncio.run(loads(NULL_LLM, calls // 10, options.seed, tell))
    far = overhead_http.measure(calls // 20, options.seed, tell)
    result = Overhead(in_process=headline(null), http=far.http, chat=far.chat)
    return Report(
        result=result,
        tables=(
            _table("Null syscall", null),
            _table("Null LLM call", null_llm),
            overhead_http.table(far),
        ),
        bars=(*_bars(result.in_process), *overhead_http.bars(far)),
        more={"null": null, "null_llm": null_llm, "http": far.loads},
    )


def headline(null: list[Load]) -> InProcess:
    """The documented figures of the null syscall."""
    single = next(load for load in null if load.clients == 1)
    return InProcess(
        p50_us=single.p50_us.median,
        p99_us=single.p99_us.median,
        per_s=max(load.per_s.median for load in null),
    )


async def loads(call: Syscall[Any], calls: int, seed: int, tell: Tell) -> list[Load]:
    """The same number of calls from each number of clients, several times."""
    rng = Random(seed)
    found = []
    async with scripted_kernel(seed) as kernel:
        await _round(kernel, call, 1, calls // 10)  # What is built on first use is built now.
        for clients in CLIENTS:
            tell(f"overhead: {type(call).__name__}, {clients} clients")
            rounds = [await _round(kernel, call, clients, calls) for _ in range(REPEATS)]
            found.append(_load(clients, rounds, rng))
    return found


class _Round(msgspec.Struct, frozen=True, kw_only=True):
    took_s: float
    latencies_s: list[float]


async def _round(kernel: Kernel, call: Syscall[Any], clients: int, calls: int) -> _Round:
    clock = WallClock()
    latencies: list[float] = []
    spawned = [await kernel.call(kernel.token, Spawn(name="client")) for _ in range(clients)]
    began = clock.now()
    async with asyncio.TaskGroup() as group:
        for child in spawned:
            client = _alone if clients == 1 else _among
            group.create_task(client(kernel, child.token, call, calls // clients, clock, latencies))
    return _Round(took_s=clock.now() - began, latencies_s=latencies)


async def _alone(
    kernel: Kernel, token: str, call: Syscall[Any], calls: int, clock: Clock, out: list[float]
) -> None:
    for _ in range(calls):
        began = clock.now()
        await kernel.call(token, call)
        out.append(clock.now() - began)


async def _among(
    kernel: Kernel, token: str, call: Syscall[Any], calls: int, clock: Clock, out: list[float]
) -> None:
    for _ in range(calls):
        began = clock.now()
        await clock.sleep(0)  # A call that waits for nothing would let nobody else in.
        await kernel.call(token, call)
        out.append(clock.now() - began)


def _load(clients: int, rounds: list[_Round], rng: Random) -> Load:
    def over(figures: list[float]) -> Interval:
        return median_interval(figures, rng)

    return Load(
        clients=clients,
        p50_us=over([percentile(one.latencies_s, 50) * 1e6 for one in rounds]),
        p99_us=over([percentile(one.latencies_s, 99) * 1e6 for one in rounds]),
        per_s=over([len(one.latencies_s) / one.took_s for one in rounds]),
    )


def _table(title: str, found: list[Load]) -> Table:
    rows = tuple(
        (str(load.clients), _shown(load.p50_us), _shown(load.p99_us), _shown(load.per_s))
        for load in found
    )
    columns = ("clients", "p50 us", "p99 us", "calls/s")
    return Table(title=f"{title}, in process (median, 95 % interval)", columns=columns, rows=rows)


def _shown(figure: Interval) -> str:
    digits = 1 if figure.median < 1_000 else 0
    return f"{figure.median:,.{digits}f} ({figure.low:,.{digits}f} to {figure.high:,.{digits}f})"


def _bars(found: InProcess) -> tuple[Bar, ...]:
    return (
        at_most("null syscall, in process, p50", found.p50_us, P50_US_MAX, " us", ".1f"),
        at_least("null syscalls, in process", found.per_s, PER_S_MIN, "/s", ",.0f"),
    )
