"""Decoding speed of the torch core beside `transformers`' own `generate`: same model, same batch.

Both decode greedily from prompts of equal length, taking turns, and every step is timed. The figure
of a step index is its fastest over the rounds, so that what else the machine does counts as little
as possible, alike for both. Loads torch in this process; nothing else runs in it.
"""

import time
from itertools import pairwise
from random import Random
from typing import Any

import msgspec

from aios.bench.table import Bar, Options, Report, Table, Tell, at_least
from aios.context.tiers import TierStore
from aios.cores.base import Advanced, Generation, Progress
from aios.cores.torch.settings import Settings
from aios.kernel.home import home
from aios.models import pocket
from aios.syscalls import Decoding

BATCHES = (1, 4, 16, 64)
BARS = (16, 64)  # batches at which fast mode is held to RATIO_MIN
RATIO_MIN = 0.9
PROMPT_TOKENS = 128
STEPS = 48
SKIP = 2  # the first steps, in which prompts are still being computed or caches made
TOKENS = range(10, 500)  # of the random prompts


class Decode(msgspec.Struct, frozen=True, kw_only=True):
    """Tokens per second at one batch size; ratios are to `transformers`."""

    batch: int
    transformers_per_s: float
    fast_per_s: float
    exact_per_s: float
    fast_ratio: float
    exact_ratio: float


class Decoded(msgspec.Struct, frozen=True, kw_only=True):
    """One row for each batch size."""

    rows: tuple[Decode, ...]
    device: str
    model: str


def run(options: Options, tell: Tell) -> Report:
    """Compare at every batch size."""
    from aios.cores.torch.device import resolve, use

    device = resolve(options.device)
    use(device, threads=1)
    rounds = 4 if options.is_quick else 12
    rows = []
    with home(None) as folders:
        store = TierStore(
            ram=folders.ram, disk=folders.disk, ram_bytes=1, disk_bytes=1, owner="decode"
        )
        rivals = _Rivals(rounds, store, device.place)
        for batch in BATCHES:
            tell(f"decode: batch {batch}")
            rows.append(rivals.row(batch, Random(options.seed)))
    result = Decoded(rows=tuple(rows), device=device.name, model="pocket")
    return Report(result=result, tables=(_table(result),), bars=tuple(_bars(rows)))


class _Rivals:
    """The same weights in `transformers` and in two engines."""

    def __init__(self, rounds: int, store: TierStore, device: str) -> None:
        from transformers import AutoModelForCausalLM

        from aios.cores.torch.engine import Engine

        self._rounds, self._device = rounds, device
        plain = AutoModelForCausalLM.from_pretrained(str(pocket.PATH), dtype="float32")
        self._plain = plain.eval().to(device)
        # An end token would let a row leave early, in one rival only.
        self._plain.generation_config.eos_token_id = None
        self._engines = {
            exact: Engine(
                Settings(
                    model=str(pocket.PATH),
                    kv_bytes=128 << 20,
                    device=device,
                    exact=exact,
                    lanes=max(BATCHES),
                    prefill_tokens_per_step=1 << 20,
                ),
                store,
            )
            for exact in (True, False)
        }

    def row(self, batch: int, rng: Random) -> Decode:
        prompts = [[rng.choice(TOKENS) for _ in range(PROMPT_TOKENS)] for _ in range(batch)]
        best: dict[str, list[float]] = {}
        for number in range(self._rounds):
            took = {"transformers": self._generate(prompts)}
            for exact, engine in self._engines.items():
                took["exact" if exact else "fast"] = _steps(engine, prompts, f"{batch}-{number}")
            for name, steps in took.items():
                best[name] = list(map(min, best.get(name, steps), steps))
        per_s = {name: batch * len(steps) / sum(steps) for name, steps in best.items()}
        return Decode(
            batch=batch,
            transformers_per_s=per_s["transformers"],
            fast_per_s=per_s["fast"],
            exact_per_s=per_s["exact"],
            fast_ratio=per_s["fast"] / per_s["transformers"],
            exact_ratio=per_s["exact"] / per_s["transformers"],
        )

    def _generate(self, prompts: list[list[int]]) -> list[float]:
        import torch

        ids = torch.tensor(prompts, device=self._device)
        stamps: list[float] = []

        def stamp(_: Any, scores: Any) -> Any:
            stamps.append(time.perf_counter())
            return scores

        self._plain.generate(
            ids,
            attention_mask=torch.ones_like(ids),
            max_new_tokens=STEPS + SKIP,
            do_sample=False,
            pad_token_id=0,
            logits_processor=[stamp],
        )
        return _gaps(stamps)


def _steps(engine: Any, prompts: list[list[int]], name: str) -> list[float]:
    """Seconds of each step in which the whole batch decodes."""
    # The same length for all: no row may meet the end token before the others.
    decoding = Decoding(
        temperature=0.0,
        seed=0,
        max_tokens=2 * STEPS,
        logit_bias=dict.fromkeys(_ends(), -1e6),
    )
    ids = [f"{name}-{number}" for number in range(len(prompts))]
    for generation, prompt in zip(ids, prompts, strict=True):
        engine.start(Generation(id=generation, prompt=tuple(prompt), decoding=decoding), Progress())
    begun: set[str] = set()
    while len(begun) < len(ids):
        begun |= {one.id for one in engine.step() if isinstance(one, Advanced) and one.produced}
    stamps = [time.perf_counter()]
    for _ in range(STEPS + SKIP - 1):
        engine.step()
        stamps.append(time.perf_counter())
    for generation in ids:
        engine.drop(generation, None)
    engine.step()
    return _gaps(stamps)


def _ends() -> list[int]:
    from transformers import GenerationConfig

    given = GenerationConfig.from_pretrained(str(pocket.PATH)).eos_token_id
    return [given] if isinstance(given, int) else list(given)


def _gaps(stamps: list[float]) -> list[float]:
    gaps = [later - earlier for earlier, later in pairwise(stamps)]
    return gaps[SKIP - 1 :]


def _table(found: Decoded) -> Table:
    return Table(
        title=f"Greedy decoding of {found.model} on {found.device}, tokens per second, one thread",
        columns=("batch", "transformers", "fast", "ratio", "exact", "ratio"),
        rows=tuple(
            (
                str(row.batch),
                f"{row.transformers_per_s:,.0f}",
                f"{row.fast_per_s:,.0f}",
                f"{row.fast_ratio:.2f}",
                f"{row.exact_per_s:,.0f}",
                f"{row.exact_ratio:.2f}",
            )
            for row in found.rows
        ),
    )


def _bars(rows: list[Decode]) -> list[Bar]:
    return [
        at_least(f"fast mode beside transformers, batch {row.batch}", row.fast_ratio, RATIO_MIN)
        for row in rows
        if row.batch in BARS
    ]
