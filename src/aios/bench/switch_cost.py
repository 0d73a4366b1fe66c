"""What one context switch costs: restore KV that this engine has never seen, and save it again.

Both orders are given at once, so no forward pass lies between them and the time is all transfer.
One engine computes the prompt and saves it, the other one is timed. Through DISK the time runs
until the file is synced, though the engine could serve others meanwhile.
"""

from collections.abc import Sequence
from random import Random

import msgspec

from aios.bench.switch_cases import WORDS
from aios.bench.switch_worker import Drop, Start, Stop, Worker
from aios.context.snapshot import SnapshotRef, Tier
from aios.cores.base import Advanced, CoreEvent, Generation, Progress, Suspended
from aios.errors import CoreFailed
from aios.syscalls import Decoding, Generate

TOKENS_MIN, TOKENS_MAX = 300, 1_500
PREFILL_STEPS_MAX = 1_000


class Cost(msgspec.Struct, frozen=True, kw_only=True):
    """One switch of that many tokens of KV."""

    tokens: int
    ms: float

    @property
    def ms_per_1k(self) -> float:
        return self.ms * 1_000 / self.tokens


def costs(workers: Sequence[Worker], rng: Random, times: int) -> dict[Tier, list[Cost]]:
    """That many switches through each tier, of contexts of different lengths."""
    home, away = workers
    found: dict[Tier, list[Cost]] = {Tier.RAM: [], Tier.DISK: []}
    for number in range(times + 1):
        for tier, samples in found.items():
            cost = _cost(home, away, _long(home, f"cost-{tier}-{number}", rng), tier)
            if number:  # The first one of each tier pays for what is made on first use.
                samples.append(cost)
    return found


def _long(worker: Worker, name: str, rng: Random) -> Generation:
    """A generation whose prompt no engine has seen."""
    decoding = Decoding(temperature=0.0, seed=0, max_tokens=8)
    words = " ".join(rng.choices(WORDS, k=TOKENS_MAX))
    prompt = worker.prepare(Generate(prompt=words[: TOKENS_MAX * 2], decoding=decoding))
    tokens = rng.randint(TOKENS_MIN, TOKENS_MAX)
    return Generation(id=name, prompt=prompt[:tokens], decoding=decoding)


def _cost(home: Worker, away: Worker, generation: Generation, tier: Tier) -> Cost:
    name = generation.id
    _begin(home, generation)
    kept = _suspended(home.ask(Stop(id=name, to=tier), until=name).events)
    start = Start(generation=generation, progress=Progress(snapshot=kept))
    answer = away.ask(start, Stop(id=name, to=tier), until=name)
    saved = _suspended(answer.events)
    for worker in (home, away):
        worker.ask(Drop(id=name))
    if saved.tokens != kept.tokens or saved.tier is not tier:
        raise CoreFailed(f"expected {kept.tokens} tokens in {tier}, got {saved}")
    return Cost(tokens=saved.tokens, ms=answer.took_s * 1e3)


def _begin(worker: Worker, generation: Generation) -> None:
    """Compute the prompt; the generation stays on its lanes, before its end."""
    answer = worker.ask(Start(generation=generation))
    for _ in range(PREFILL_STEPS_MAX):
        if any(isinstance(event, Advanced) and event.produced for event in answer.events):
            return
        answer = worker.ask()
    raise CoreFailed(f"no token of {generation.id} within {PREFILL_STEPS_MAX} steps")


def _suspended(events: Sequence[CoreEvent]) -> SnapshotRef:
    for event in events:
        if isinstance(event, Suspended):
            return event.snapshot
    raise CoreFailed(f"expected a snapshot, got {events}")
