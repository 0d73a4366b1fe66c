"""What a scheduling policy sees and what it may decide. Pure: facts in, decisions out.

A policy never sleeps, never reads a clock, never touches a core. The same object serves a live
core, a simulated one and a replayed trace. The run loop reports every fact once and carries out
every decision at once and in order, so a policy may take its own decisions as done.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import NewType, Protocol

from aios.context.snapshot import Tier

JobId = NewType("JobId", str)


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A generation as a policy sees it. `arrived` is in seconds of the caller's clock."""

    id: JobId
    pid: int  # the process whose call it is
    priority: int  # higher is sooner, for policies that heed it
    arrived: float
    prompt_tokens: int
    tokens_max: int  # most tokens that each branch may add
    branches: int  # lanes it takes while it runs
    program: str = ""  # the piece of work that it is part of; jobs of one name belong together


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What a job was given since the last report. `kv_tokens` is what it holds now."""

    prefilled: int
    produced: int
    kv_tokens: int


class Left(Enum):
    """Why a job is no longer the policy's to run."""

    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    BLOCKED = "blocked"  # its process was paused; it comes back through `ready`


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """A core's room."""

    lanes: int
    kv_tokens: int
    block_tokens: int


@dataclass(frozen=True, slots=True)
class Start:
    """Give the job its lanes: a new one from its prompt, a suspended one from its snapshot."""

    job: JobId


@dataclass(frozen=True, slots=True)
class Preempt:
    """Take the job off its lanes. In the tier DEVICE it keeps its KV and its room stays taken."""

    job: JobId
    to: Tier


@dataclass(frozen=True, slots=True)
class Evict:
    """Move a job that rests in DEVICE out to a lower tier, to make room."""

    job: JobId
    to: Tier


Decision = Start | Preempt | Evict


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """A policy's worst case for one ready job.

    `tokens` served to others (prefilled plus produced, over all lanes) before the job starts or
    goes on, given `jobs_ahead` others that are ready or running; None where there is no bound.
    """

    tokens: int | None
    why: str


class Policy(Protocol):
    """Chooses who runs next on one core."""

    name: str

    def ready(self, job: Job) -> None:
        """A job can run: a new one, or one that comes back after `Left.BLOCKED`."""
        ...

    def served(self, job: JobId, work: Work) -> None:
        """A job was given work. May come a little after its `Preempt`; unknown jobs are ignored."""
        ...

    def lost(self, job: JobId) -> None:
        """A job is off its lanes and out of DEVICE without a decision (no KV left, engine died).

        It stays ready, ahead of jobs that never ran; `ready` is not called for it again. Where the
        engine died, all its jobs are told here before `decide` is called.
        """
        ...

    def left(self, job: JobId, why: Left) -> None:
        """A job ended or is blocked, from any state; unknown jobs are ignored."""
        ...

    def decide(self, now: float, machine: Machine) -> Sequence[Decision]:
        """All that is to be done now, in order. Called after every report; empty when content."""
        ...

    def wakes(self, now: float) -> float | None:
        """When `decide` wants to be called although nothing happens; None for never."""
        ...

    def bound(self, jobs_ahead: int, machine: Machine) -> Wait:
        """The stated worst case; a test holds the policy to it."""
        ...
