"""The kernel family: what the machine does at this moment. Pure data.

`kernel.stats` is what `aios stats`, `aios cores`, `aios top` and a dashboard look at: one reading
of everything that changes from second to second. It waits for nothing and changes nothing.
"""

from enum import StrEnum

import msgspec

from aios.syscalls.base import Syscall
from aios.syscalls.process import Pid, ProcessState


class CoreState(StrEnum):
    """Whether a core's engine serves."""

    UP = "up"
    DOWN = "down"  # it died, and another one is being started
    GONE = "gone"  # it died too often, and is given up


class Stats(Syscall["MachineStats"], frozen=True, tag="kernel.stats"):
    """The cores, the tiers, and the caller's agents: those below it, all for the first process.

    A rate is the difference between two readings over that of their `at_s`. Without `agents` the
    list of them stays empty, which makes the reading cheaper where there are thousands.
    """

    agents: bool = True


class CoreStats(msgspec.Struct, frozen=True, kw_only=True):
    """One core. Tokens and switches are totals since it was added.

    `wait_bound_tokens` is the policy's promise to a call that comes now: the most tokens that
    others are served before it starts; None where it promises nothing, and `wait_bound` says why.
    """

    number: int  # as long as the kernel runs
    model: str
    device: str
    exactness: str
    policy: str
    state: CoreState
    engine_pid: int  # of its engine's process; 0: it has none of its own
    restarts: int
    remark: str  # why it is gone
    context_tokens: int
    lanes: int
    lanes_used: int
    kv_tokens: int
    kv_used_tokens: int
    prompts_waiting: int  # being read by the engine
    running: int  # generations on lanes
    queued: int  # ready, and not begun
    suspended: int  # taken off their lanes, and ready
    blocked: int  # their process is paused
    longest_wait_s: float  # of those that are ready now, since they came or were last taken off
    wait_bound_tokens: int | None
    wait_bound: str
    prefilled_tokens: int
    produced_tokens: int
    switches: int


class RoomStats(msgspec.Struct, frozen=True, kw_only=True):
    """Bytes of one kind in one tier."""

    kind: str  # "snapshots" or "memory"
    tier: str  # "ram" or "disk"
    used_bytes: int
    limit_bytes: int


class AgentStats(msgspec.Struct, frozen=True, kw_only=True):
    """One process. Tokens and calls are totals since the kernel started, with what is under way.

    Memory is that of its agent's blocks that were used since then, whichever of its processes did.
    """

    pid: Pid
    parent: Pid
    name: str
    agent: str
    state: ProcessState
    age_s: float
    calls: int
    live_calls: int
    prompt_tokens: int
    completion_tokens: int
    running: int  # generations on lanes
    waiting: int  # generations that are ready and have none
    waited_s: float  # the longest of them, since it came or was last taken off
    kv_tokens: int
    snapshot_ram_bytes: int
    snapshot_disk_bytes: int
    memory_ram_bytes: int
    memory_disk_bytes: int  # of what is on disk alone
    waiting_for: str


class MachineStats(msgspec.Struct, frozen=True, kw_only=True):
    """One reading. `at_s` grows with time and means nothing else."""

    at_s: float
    up_s: float  # since the kernel began
    live_calls: int
    processes: int
    cores: tuple[CoreStats, ...]
    rooms: tuple[RoomStats, ...]
    agents: tuple[AgentStats, ...]
