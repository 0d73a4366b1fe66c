"""`aios bench eviction`: hit rates of LRU, LRU-2 and the adaptive rule beside the optimum.

Streams are read from the folder that the variable AIOS_DATA names; without it they are made up,
and the report says so. A kernel knows when an agent's last process has ended: the adaptive rule is
played with that told, as far as a trace has it, and without. Also timed: one decision at 100,000
resident blocks, and one touch.
"""

import os
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import msgspec

from aios.bench import belady
from aios.bench.accesses import Stream, recorded, synthetic
from aios.bench.playing import hit_rate
from aios.bench.table import Bar, Options, Report, Table, Tell, at_most
from aios.memory.eviction import Adaptive, Lru, LruK, Rule

DATA = "AIOS_DATA"
USES_MAX = 160_000  # of a stream, in a quick run
SHARES = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.4, 0.8)  # of a stream's blocks that fit
TIGHT = 0.5  # of the optimum: where LRU finds less, memory is tight
LOSS_MAX = 0.01
GAP_MIN = 0.15
BLOCKS = 100_000
DECISION_US = 5.0
TIMED = 20_000
AT_ONCE = 1_000


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """Hit rates on one stream at one capacity, in blocks."""

    name: str
    capacity: int
    lru: float
    lru2: float
    adaptive: float
    told: float  # the adaptive rule, told which agents have ended
    opt: float

    @property
    def loss(self) -> float:
        """How much the better of LRU and LRU-2 finds more."""
        return max(self.lru, self.lru2) - self.adaptive

    @property
    def is_tight(self) -> bool:
        return self.lru < TIGHT * self.opt

    @property
    def closed(self) -> float:
        """The share of the gap from LRU to the optimum that is closed."""
        return self._closed(self.adaptive)

    @property
    def closed_told(self) -> float:
        """The same where the ends of agents are told."""
        return self._closed(self.told)

    def _closed(self, rate: float) -> float:
        return (rate - self.lru) / (self.opt - self.lru) if self.opt > self.lru else 1.0


class Evicted(msgspec.Struct, frozen=True, kw_only=True):
    """One row for each stream and capacity."""

    streams: tuple[Row, ...]


def run(options: Options, tell: Tell) -> Report:
    """Play every stream at every capacity."""
    folder = os.environ.get(DATA)
    uses_max = USES_MAX if options.is_quick else 1 << 40
    streams = list(
        recorded(Path(folder), options.seed, uses_max)
        if folder
        else synthetic(options.seed, uses_max)
    )
    rows = [row for stream in streams for row in _rows(stream, tell)]
    tell("eviction: one decision")
    timed = {"adaptive": decision_us(Adaptive()), "lru": decision_us(Lru())}
    timed["lru2"] = decision_us(LruK(2))
    source = f"traces in {folder}" if folder else f"no {DATA}: made-up streams"
    return Report(
        result=Evicted(streams=tuple(rows)),
        tables=(_table(rows, source), _about(streams)),
        bars=tuple(_bars(rows, timed["adaptive"][0])),
        more={
            "source": source,
            "about": {one.name: one.about for one in streams},
            "us_chosen_and_replaced": timed,
        },
    )


def decision_us(rule: Rule) -> tuple[float, float]:
    """Microseconds to choose a victim, and to choose one and take in a block, at 100,000 blocks.

    Some are chosen, then as many are taken in: a full cache stays within one hundredth of full.
    """
    for key in range(BLOCKS):
        rule.added(key)
    for key in range(0, BLOCKS, 3):
        rule.touched(key)
    chosen = taken = 0.0
    for start in range(BLOCKS, BLOCKS + TIMED, AT_ONCE):
        begun = time.perf_counter()
        for _ in range(AT_ONCE):
            rule.victim()
        between = time.perf_counter()
        for key in range(start, start + AT_ONCE):
            rule.added(key)
        taken += time.perf_counter() - begun
        chosen += between - begun
    return chosen / TIMED * 1e6, taken / TIMED * 1e6


def _rows(stream: Stream, tell: Tell) -> Iterable[Row]:
    blocks = len(set(stream.uses))
    capacities = sorted({max(1, int(blocks * share)) for share in SHARES})
    for capacity in capacities:
        tell(f"eviction: {stream.name}, {capacity:,} blocks")
        rules: tuple[Callable[[], Rule], ...] = (Lru, LruK, Adaptive)
        lru, lru2, adaptive = (hit_rate(rule(), stream.uses, capacity) for rule in rules)
        yield Row(
            name=stream.name,
            capacity=capacity,
            lru=lru,
            lru2=lru2,
            adaptive=adaptive,
            told=hit_rate(Adaptive(), stream.uses, capacity, stream.ends)
            if stream.ends
            else adaptive,
            opt=belady.hits(stream.uses, capacity) / len(stream.uses),
        )


def _bars(rows: Sequence[Row], us: float) -> Iterable[Bar]:
    loss = max(row.loss for row in rows)
    yield at_most("adaptive below the better of LRU and LRU-2, at most", loss, LOSS_MAX, form=".4f")
    for name in dict.fromkeys(row.name for row in rows):
        tight = [row for row in rows if row.name == name and row.is_tight]
        if tight:
            closed = sum(row.closed for row in tight) / len(tight)
            told = sum(row.closed_told for row in tight) / len(tight)
            yield Bar(
                what=f"gap from LRU to the optimum closed where memory is tight: {name}",
                bar=f">= {GAP_MIN:.0%}",
                measured=f"{closed:.0%}; {told:.0%} where ends are told",
                is_met=closed >= GAP_MIN,
            )
    yield at_most("a decision at 100,000 blocks", us, DECISION_US, " us", ".1f")


def _table(rows: Sequence[Row], source: str) -> Table:
    return Table(
        title=f"Hit rates ({source})",
        columns=(
            "stream",
            "blocks",
            "LRU",
            "LRU-2",
            "adaptive",
            "told of ends",
            "optimum",
            "gap closed",
            "told of ends",
        ),
        rows=tuple(
            (
                row.name,
                f"{row.capacity:,}",
                *(f"{rate:.4f}" for rate in (row.lru, row.lru2, row.adaptive, row.told, row.opt)),
                f"{row.closed:.0%}" + (" (tight)" if row.is_tight else ""),
                f"{row.closed_told:.0%}",
            )
            for row in rows
        ),
    )


def _about(streams: Sequence[Stream]) -> Table:
    return Table(
        title="Streams",
        columns=("stream", "uses", "blocks", "what it is"),
        rows=tuple(
            (one.name, f"{len(one.uses):,}", f"{len(set(one.uses)):,}", one.about)
            for one in streams
        ),
    )
