"""What one context switch costs: restore a generation's KV, and save it again.

Both orders are given at once, so no forward pass lies between them and the time is all transfer.
The ordinary switch goes back to the engine that saved it; the dearer one to another engine, which
has to map the file first. Through DISK the time runs until the file is synced, though the engine
could serve others meanwhile.
"""

from collections.abc import Sequence
from random import Random

import msgspec

from aios.bench.switch_cases import WORDS
from aios.bench.switch_worker import Worker
from aios.context.snapshot import SnapshotRef, Tier
from aios.cores.base import Advanced, CoreEvent, Finished, Generation, Progress, Suspended
from aios.cores.frames import Drop, Start, Stop
from aios.errors import CoreFailed
from aios.syscalls import Decoding, Generate

WORDS_MIN, WORDS_MAX = 150, 700  # of a prompt: a few hundred tokens to about 1,500
PREFILL_STEPS_MAX = 1_000
PROMPTS_MAX = 100
TURNS = 4  # of each generation
RAM_ELSEWHERE = "ram, other engine"
WARM_UP = 8  # of each tier; they touch every page of a small pool, as any working engine has


class Cost(msgspec.Struct, frozen=True, kw_only=True):
    """One switch of that many tokens of KV; `cpu_ms` leaves out what the machine gave to others."""

    tokens: int
    ms: float
    cpu_ms: float

    @property
    def ms_per_1k(self) -> float:
        return self.ms * 1_000 / self.tokens

    @property
    def cpu_ms_per_1k(self) -> float:
        return self.cpu_ms * 1_000 / self.tokens


def costs(workers: Sequence[Worker], rng: Random, times: int) -> dict[str, list[Cost]]:
    """That many switches of each kind, of contexts of different lengths, by tier or ELSEWHERE."""
    here, away = workers
    kinds = {
        Tier.RAM.value: (here, Tier.RAM),
        Tier.DISK.value: (here, Tier.DISK),
        RAM_ELSEWHERE: (away, Tier.RAM),
    }
    found: dict[str, list[Cost]] = {kind: [] for kind in kinds}
    for number in range(WARM_UP + times):
        for kind, (goal, tier) in kinds.items():
            generation = _running(here, f"cost-{kind}-{number}", rng)
            taken = _costs(here, goal, generation, tier)
            if number >= WARM_UP:
                found[kind] += taken
    return found


def _costs(here: Worker, goal: Worker, generation: Generation, tier: Tier) -> list[Cost]:
    """A few turns of one generation, as it has them under round-robin; every one counts."""
    name = generation.id
    kept = _suspended(here.ask(Stop(id=name, to=tier), until=name).events)
    taken = []
    for turn in range(TURNS):
        start = Start(generation=generation, progress=Progress(snapshot=kept))
        worker = goal if turn % 2 == 0 else here
        answer = worker.ask(start, Stop(id=name, to=tier, snapshot=kept), until=name)
        saved = _suspended(answer.events)
        if saved.tokens != kept.tokens or saved.tier is not tier:
            raise CoreFailed(f"expected {kept.tokens} tokens in {tier}, got {saved}")
        taken.append(Cost(tokens=saved.tokens, ms=answer.took_s * 1e3, cpu_ms=answer.cpu_s * 1e3))
        kept = saved
    for worker in (here, goal):
        worker.ask(Drop(id=name))
    return taken


def _running(worker: Worker, name: str, rng: Random) -> Generation:
    """A generation on its lanes whose prompt, which no engine saw before, is computed."""
    decoding = Decoding(temperature=0.0, seed=0, max_tokens=8)
    for _ in range(PROMPTS_MAX):
        text = " ".join(rng.choices(WORDS, k=rng.randint(WORDS_MIN, WORDS_MAX)))
        prompt = worker.prepare(Generate(prompt=text, decoding=decoding))
        generation = Generation(id=name, prompt=prompt, decoding=decoding)
        if _is_under_way(worker, generation):
            return generation
    raise CoreFailed(f"{PROMPTS_MAX} prompts were all answered with one token")


def _is_under_way(worker: Worker, generation: Generation) -> bool:
    """Compute the prompt and the first token; False where that was the last one too."""
    events = worker.ask(Start(generation=generation)).events
    for _ in range(PREFILL_STEPS_MAX):
        mine = [event for event in events if getattr(event, "id", "") == generation.id]
        if any(isinstance(event, Finished) for event in mine):
            return False
        if any(isinstance(event, Advanced) and event.produced for event in mine):
            return True
        events = worker.ask().events
    raise CoreFailed(f"no token of {generation.id} within {PREFILL_STEPS_MAX} steps")


def _suspended(events: Sequence[CoreEvent]) -> SnapshotRef:
    for event in events:
        if isinstance(event, Suspended):
            return event.snapshot
    raise CoreFailed(f"expected a snapshot, got {events}")
