"""The records of a drive: what a job wants, what work costs, how each job fared. No behaviour."""

from dataclasses import dataclass, field
from enum import Enum

from aios.scheduler.base import JobId, Left


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """One generation of a workload."""

    id: str
    arrives: float
    prompt_tokens: int
    answer_tokens: int  # of each branch
    branches: int = 1
    priority: int = 0
    pid: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """What work costs on the machine that is played."""

    step_s: float = 0.02  # a step in which something decodes: one token for each branch
    prefill_per_s: float = 5_000.0
    prefill_chunk: int = 256  # most prefilled tokens in one step, over all jobs
    move_per_s: float = 1e6  # tokens of KV to RAM or back
    keeps_kv: bool = True  # in RAM; else it is computed again
    reports_late: bool = False  # by one step
    kv_hidden: int = 0  # KV tokens that the machine has less than it says


class State(Enum):
    """Where the policy must believe that a job is."""

    COMING = "coming"
    READY = "ready"
    RUNNING = "running"
    RESTING = "resting"
    BLOCKED = "blocked"
    GONE = "gone"


@dataclass(slots=True, eq=False)
class Life:
    """One job: what it wants, where it stands, how it fared."""

    load: Load
    number: int
    state: State = State.COMING
    is_on: bool = False  # really on lanes: differs from `state` while a report is under way
    has_kv: bool = False
    todo: int = 0  # tokens to prefill
    produced: int = 0  # tokens of each branch
    served: int = 0  # tokens in all, prefilled and produced
    ready_at: int = 0  # tokens that others had been served when it became ready
    ahead: int = 0  # others that were ready or running then
    first_start: float | None = None
    ended: float | None = None
    left: Left | None = None
    switches: int = 0

    @property
    def job(self) -> JobId:
        return JobId(self.load.id)

    @property
    def size(self) -> int:
        """Tokens whose KV it needs by now."""
        return self.load.prompt_tokens + self.produced * self.load.branches

    @property
    def waited_s(self) -> float:
        """Seconds from arrival to first start."""
        assert self.first_start is not None
        return self.first_start - self.load.arrives

    @property
    def took_s(self) -> float:
        """Seconds from arrival to the end."""
        assert self.ended is not None
        return self.ended - self.load.arrives


@dataclass(frozen=True, slots=True)
class Waited:
    """One wait for lanes, in tokens that others were served meanwhile."""

    job: str
    ahead: int
    tokens: int


@dataclass(slots=True)
class Tally:
    """What a drive counted."""

    steps: int = 0
    served: int = 0
    decisions: int = 0
    moved: int = 0  # KV tokens moved between DEVICE and RAM
    shortages: int = 0  # times that the machine ran out of KV all the same
    waits: list[Waited] = field(default_factory=list)
