"""Stands in for the kernel: gives an engine orders, keeps what it is told, checks its manners."""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import torch

from aios.context.snapshot import SnapshotRef, Tier
from aios.context.tiers import TierStore
from aios.cores.base import Advanced, CoreEvent, Failed, Finished, Generation, Progress, Suspended
from aios.cores.torch.engine import Engine
from aios.cores.torch.settings import Settings
from aios.syscalls.llm import Decoding

STEPS_MAX = 20_000
Rows = dict[tuple[str, int, int], str]  # (generation, branch, position) -> hash of its logits


def store(folder: Path, owner: str = "one") -> TierStore:
    """Tiers in a folder."""
    (folder / "ram").mkdir(exist_ok=True)
    (folder / "disk").mkdir(exist_ok=True)
    return TierStore(
        ram=folder / "ram",
        disk=folder / "disk",
        ram_bytes=1 << 28,
        disk_bytes=1 << 28,
        owner=owner,
    )


def settings(model: str, **changes: Any) -> Settings:
    """Settings with room for 4,096 tokens of the usual small model."""
    values: dict[str, Any] = {"model": model, "kv_bytes": 8 << 20} | changes
    return Settings(**values)


def generation(name: str, prompt: tuple[int, ...], **decoding: Any) -> Generation:
    """Greedy with a fixed seed, unless told otherwise."""
    values = {"temperature": 0, "seed": 5, "max_tokens": 24} | decoding
    return Generation(id=name, prompt=prompt, decoding=Decoding(**values))


@dataclass
class Told:
    """All that was told of one generation."""

    generation: Generation
    produced: list[list[int]] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    logprobs: list[list[Any]] = field(default_factory=list)
    snapshot: SnapshotRef | None = None
    suspended: list[Suspended] = field(default_factory=list)
    prefilled: int = 0
    count: int = 0
    ended: Finished | Failed | None = None
    is_in: bool = False  # given to an engine, and not told that it left

    def progress(self) -> Progress:
        return Progress(snapshot=self.snapshot, produced=tuple(map(tuple, self.produced)))


class Desk:
    """Drives one engine after another over the same generations."""

    def __init__(self, engine_settings: Settings, tiers: Any) -> None:
        self.told: dict[str, Told] = {}
        self.rows: Rows = {}
        self.strange: list[tuple[str, int, int]] = []  # rows that came twice and differed
        self.engine = Engine(engine_settings, tiers, probe=self.see)

    def see(self, name: str, branch: int, position: int, logits: torch.Tensor) -> None:
        key = (name, branch, position)
        seen = hashlib.sha256(logits.contiguous().cpu().numpy().tobytes()).hexdigest()
        if self.rows.setdefault(key, seen) != seen:
            self.strange.append(key)

    def start(self, one: Generation) -> None:
        told = self.told.setdefault(one.id, Told(one))
        told.is_in = True
        self.engine.start(one, told.progress())

    def step(self) -> list[CoreEvent]:
        events = self.engine.step()
        for event in events:
            self._hear(event)
        return events

    def run(self) -> None:
        """Until the engine is idle."""
        for _ in range(STEPS_MAX):
            if self.engine.is_idle:
                return
            self.step()
        raise AssertionError("the engine never gets idle")

    def finished(self, name: str) -> Finished:
        ended = self.told[name].ended
        assert isinstance(ended, Finished), ended
        return ended

    def answer(self, name: str) -> tuple[int, ...]:
        return self.finished(name).choices[0].token_ids

    def forget_prefixes(self) -> None:
        """Empty the prefix cache."""
        pool = self.engine._pool
        while blocks := pool.cache.evict():
            pool._free.extend(blocks)

    def is_empty(self) -> bool:
        """Whether nobody holds a block, and none was lost."""
        pool = self.engine._pool
        return pool.room == pool.capacity and not pool._refs.any()

    def _hear(self, event: CoreEvent) -> None:
        assert isinstance(event, Advanced | Finished | Failed | Suspended)
        msgspec.msgpack.encode(event)  # It must be able to cross a pipe.
        told = self.told[event.id]
        assert told.ended is None, "nothing follows the end"
        if isinstance(event, Finished | Failed):
            told.ended = event
            told.is_in = False
        elif isinstance(event, Suspended):
            told.suspended.append(event)
            told.is_in = False
            if event.snapshot.tier is not Tier.DEVICE:
                told.snapshot = event.snapshot
        else:
            self._gain(told, event)

    def _gain(self, told: Told, event: Advanced) -> None:
        told.prefilled += event.prefilled
        told.count += event.produced
        for delta in event.deltas:
            while len(told.produced) <= delta.index:
                told.produced.append([])
                told.texts.append("")
                told.logprobs.append([])
            told.produced[delta.index] += delta.token_ids
            told.texts[delta.index] += delta.text
            told.logprobs[delta.index] += delta.logprobs


def prompt(seed: int, tokens: int) -> tuple[int, ...]:
    """Random token ids that end nothing."""
    chooser = torch.Generator().manual_seed(seed)
    return tuple(torch.randint(10, 400, (tokens,), generator=chooser).tolist())
