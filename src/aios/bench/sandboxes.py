"""What a sandbox costs: a call from the pool, a call from nothing, many at once, and a kill.

Called by the benchmarks of tools and of hostile programs; `python -m aios.bench.sandboxes` prints
the figures of every tier here, and what starting one costs a process of 2 GiB.
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable

import msgspec

from aios.bench.stats import percentile
from aios.clock import Clock, WallClock
from aios.errors import Denied
from aios.sandbox.base import Bounds, Job, Sandbox
from aios.sandbox.launched import DEFAULT, Settings
from aios.sandbox.room import open_sandbox

NULL = Job(python="pass")
LARGE_BYTES = 2 << 30
PAGE = 4096
SIDE_BY_SIDE = 4
REFILL_S = 0.25  # between two warm calls, so that the pool is full again
HANGS_S = 0.3
HANGS = Job(
    argv=("sh", "-c", "trap '' TERM; for i in 1 2 3; do setsid sleep 9 & done; wait"),
    bounds=Bounds(wall_s=HANGS_S),
)


class Spread(msgspec.Struct, frozen=True, kw_only=True):
    """Milliseconds."""

    p50: float
    p95: float


class Cost(msgspec.Struct, frozen=True, kw_only=True):
    """What one tier's sandboxes cost."""

    tier: str
    warm_ms: Spread
    cold_ms: Spread
    cold_per_s: float  # side by side
    late_ms: Spread  # from a deadline to the outcome, when a whole tree is gone


async def measure(tier: str, calls: int, clock: Clock) -> Cost:
    """Figures of that tier, each of so many calls. Raises `Denied` where it does not hold."""
    async with open_sandbox(tier, Settings(pool=4)) as sandbox:
        name = sandbox.tier.name
        warm = await _warm(sandbox, calls, clock)
        late = [took - HANGS_S * 1e3 for took in await _each(sandbox, HANGS, calls // 4, clock)]
    async with open_sandbox(name, Settings(pool=0)) as sandbox:
        await _each(sandbox, NULL, 2, clock)
        cold = await _each(sandbox, NULL, calls, clock)
        per_s = await _at_once(sandbox, calls * 2, clock)
    return Cost(
        tier=name,
        warm_ms=_spread(warm),
        cold_ms=_spread(cold),
        cold_per_s=per_s,
        late_ms=_spread(late),
    )


async def from_a_large_process(tier: str, calls: int, clock: Clock) -> tuple[Spread, Spread]:
    """Cold calls from this process as it is, and grown by `LARGE_BYTES`."""
    async with open_sandbox(tier, Settings(pool=0)) as sandbox:
        await _each(sandbox, NULL, 2, clock)
        small = await _each(sandbox, NULL, calls, clock)
        weight = bytearray(LARGE_BYTES)
        weight[::PAGE] = b"x" * (LARGE_BYTES // PAGE)  # Touched: it is really there.
        large = await _each(sandbox, NULL, calls, clock)
        del weight
    return _spread(small), _spread(large)


async def _warm(sandbox: Sandbox, calls: int, clock: Clock) -> list[float]:
    took = []
    for _ in range(calls):
        await clock.sleep(REFILL_S)
        took += await _each(sandbox, NULL, 1, clock)
    return took


async def _each(sandbox: Sandbox, job: Job, calls: int, clock: Clock) -> list[float]:
    """Milliseconds of each call, one after the other."""
    took = []
    for _ in range(calls):
        began = clock.now()
        await sandbox.run(job)
        took.append((clock.now() - began) * 1e3)
    return took


async def _at_once(sandbox: Sandbox, calls: int, clock: Clock) -> float:
    """Cold calls a second, with several under way all the time."""
    began = clock.now()
    share = calls // SIDE_BY_SIDE
    await asyncio.gather(*(_each(sandbox, NULL, share, clock) for _ in range(SIDE_BY_SIDE)))
    return share * SIDE_BY_SIDE / (clock.now() - began)


def _spread(samples: list[float]) -> Spread:
    return Spread(p50=round(percentile(samples, 50), 2), p95=round(percentile(samples, 95), 2))


async def _told(names: tuple[str, ...], calls: int, write: Callable[[str], object]) -> None:
    clock = WallClock()
    for name in names:
        try:
            write(f"{msgspec.json.encode(await measure(name, calls, clock)).decode()}\n")
        except Denied as missing:
            write(f"{name}: {missing}\n")
    small, large = await from_a_large_process("", calls, clock)
    write(f"cold calls of a small process {small}, of one with 2 GiB {large}\n")


def _main() -> Awaitable[None]:
    return _told(tuple(sys.argv[2:]) or DEFAULT, int(sys.argv[1]), sys.stdout.write)


if __name__ == "__main__":
    asyncio.run(_main())  # type: ignore[arg-type]
