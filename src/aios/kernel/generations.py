"""A live generation: what the kernel remembers between an LLM call and its one reply.

Knows no core and no policy; the run loop moves it through its states.
"""

import asyncio
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Protocol

from aios.context.snapshot import SnapshotRef, Tier
from aios.cores.base import Advanced, Finished, Generation, Progress
from aios.errors import AiosError
from aios.scheduler.base import Job
from aios.syscalls.llm import Completion, Delta, Generate, Timing, Usage


class GenerationState(StrEnum):
    """Where a live generation is; the terminal states are the reply itself."""

    QUEUED = "queued"  # ready, the policy has not started it (again)
    RUNNING = "running"  # on its lanes, as far as the kernel's orders go
    SUSPENDED = "suspended"  # preempted: ready, with a snapshot
    BLOCKED = "blocked"  # its process is paused: not the policy's to run


G = GenerationState
TRANSITIONS: dict[GenerationState, frozenset[GenerationState]] = {
    G.QUEUED: frozenset({G.RUNNING, G.BLOCKED}),
    G.RUNNING: frozenset({G.SUSPENDED, G.QUEUED, G.BLOCKED}),
    G.SUSPENDED: frozenset({G.RUNNING, G.BLOCKED, G.QUEUED}),
    G.BLOCKED: frozenset({G.QUEUED}),
}


class Checkpoint(Protocol):
    """Where what was produced is kept over a crash."""

    def advanced(self, live: "LiveGeneration") -> None: ...

    def rests(self, live: "LiveGeneration") -> None: ...


@dataclass(slots=True, kw_only=True)
class LiveGeneration:
    """One LLM call under way. Its `reply` is set exactly once."""

    call: Generate
    generation: Generation
    job: Job
    call_id: str
    model: str
    reply: asyncio.Future[Completion]
    state: GenerationState = G.QUEUED
    resting: Tier | None = None  # where it was last ordered to rest; None while it runs
    snapshot: SnapshotRef | None = None  # the last one that outlives the engine
    stops_open: int = 0  # stop orders that no Suspended has answered yet
    start_due: bool = False  # RUNNING, but the order waits until `stops_open` is 0
    produced: list[list[int]] = field(default_factory=list)  # delivered token ids per branch
    texts: list[str] = field(default_factory=list)  # of the first branch, for who looks on
    deltas: list[Delta] = field(default_factory=list)  # not yet taken by the stream's reader
    news: asyncio.Event | None = None  # of a stream: set when `deltas` grew or the reply came
    checkpoint: Checkpoint | None = None  # of one that goes on after a crash of the kernel
    crashes: int = 0  # engine deaths while it ran
    switches: int = 0  # times it was taken off its lanes
    started_at: float | None = None  # first slice
    slice_at: float = 0.0  # this slice
    run_s: float = 0.0
    ready_at: float = 0.0  # since when it has had no lanes
    kv_tokens: int = 0  # held in DEVICE
    tokens_out: int = 0

    def move(self, to: GenerationState, now: float) -> None:
        """Change the state; time on lanes is counted here."""
        assert to in TRANSITIONS[self.state], f"{self.job.id}: {self.state} -> {to}"
        if self.state is G.RUNNING:
            self.run_s += now - self.slice_at
            self.switches += 1
        was, self.state = self.state, to
        if to is G.RUNNING:
            self.slice_at = now
            self.resting = None
            if self.started_at is None:
                self.started_at = now
        elif was is not G.SUSPENDED:
            self.ready_at = now

    @property
    def job_now(self) -> Job:
        """The job as it comes back after a pause: what it produced is part of its prompt."""
        longest = max(map(len, self.produced), default=0)
        return replace(
            self.job,
            prompt_tokens=self.job.prompt_tokens + longest,
            tokens_max=self.job.tokens_max - longest,
        )

    @property
    def progress(self) -> Progress:
        """Where a core is to go on from."""
        produced = tuple(map(tuple, self.produced)) if self.tokens_out else ()
        return Progress(snapshot=self.snapshot, produced=produced)

    def advance(self, event: Advanced) -> None:
        """Keep what was delivered, so that it is never delivered again."""
        self.tokens_out += event.produced
        self.kv_tokens = event.kv_tokens
        for delta in event.deltas:
            while len(self.produced) <= delta.index:
                self.produced.append([])
            self.produced[delta.index].extend(delta.token_ids)
            if delta.index == 0:
                self.texts.append(delta.text)
        if self.checkpoint is not None:
            self.checkpoint.advanced(self)
        if self.news is not None and event.deltas:
            self.deltas.extend(event.deltas)
            self.tell()

    def rest(self, snapshot: SnapshotRef) -> None:
        """A snapshot outlives the engine from now on."""
        self.snapshot = snapshot
        self.kv_tokens = 0
        if self.checkpoint is not None:
            self.checkpoint.rests(self)

    def complete(self, event: Finished, *, now: float, exact: bool) -> None:
        """Give the one reply."""
        if self.state is G.RUNNING:
            self.run_s += now - self.slice_at
        started = now if self.started_at is None else self.started_at
        completion = Completion(
            call_id=self.call_id,
            model=self.model,
            choices=event.choices,
            usage=Usage(
                prompt_tokens=len(self.generation.prompt),
                completion_tokens=sum(len(choice.token_ids) for choice in event.choices),
                cached_tokens=event.cached_tokens,
            ),
            timing=Timing(
                wait_s=started - self.job.arrived,
                run_s=self.run_s,
                total_s=now - self.job.arrived,
                switches=self.switches,
            ),
            seed=self.generation.decoding.seed or 0,
            exact=exact and not event.recomputed,
            recomputed=event.recomputed,
        )
        if not self.reply.done():  # A caller that went away has cancelled it.
            self.reply.set_result(completion)
        self.tell()

    def fail(self, error: AiosError) -> None:
        """Give the one error."""
        if not self.reply.done():
            self.reply.set_exception(error)
        self.tell()

    def tell(self) -> None:
        """Wake the stream's reader, if there is one."""
        if self.news is not None:
            self.news.set()
