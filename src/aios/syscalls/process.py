"""The process family: agents as processes, and messages between them. Pure data."""

from enum import StrEnum
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from aios.syscalls.base import Ok, Syscall
from aios.syscalls.llm import Message

Pid = int
GroupName = Annotated[str, Meta(min_length=1, max_length=64, pattern="^[a-z0-9_-]+$")]


class ProcessState(StrEnum):
    """Where a process stands; `aios.kernel.process` holds the legal transitions."""

    RUNNING = "running"
    PAUSED = "paused"
    EXITED = "exited"
    FAILED = "failed"
    KILLED = "killed"


class WhoAmI(Syscall["ProcessInfo"], frozen=True, tag="process.whoami"):
    """The caller's own entry in the process table. The cheapest syscall there is."""


class Spawn(Syscall["Spawned"], frozen=True, tag="process.spawn"):
    """Start a child process.

    With `program` the kernel runs that hosted program with `argument`; without one it only
    opens an entry for an agent that runs elsewhere and speaks with the returned token.
    What it remembers and keeps belongs to an agent: the path of names from the first process's
    child down to it, such as `travel/flights`. Processes of one path are one agent, whether one
    after another or side by side: the next finds what the last one kept, on purpose. So a name
    holds no `/`, and no child of the first process is called `init`, which is the agent of that.

    A `durable` program is run again after a crash of the kernel and goes on where it was: what it
    asked is answered from the journal. None: as the parent. Only hosted programs can be durable.

    `groups` are the privilege groups of the agent, which have nothing that the caller has not.
    None: those it had before, else those of the caller, or for its own children those that the
    policy says where the caller is the first process.
    """

    name: Annotated[str, Meta(min_length=1, max_length=128, pattern="^[^/]+$")]
    program: str | None = None
    argument: Any = None
    priority: Annotated[int, Meta(ge=-100, le=100)] = 0
    durable: bool | None = None
    groups: Annotated[tuple[GroupName, ...], Meta(max_length=64)] | None = None


class Exit(Syscall[Ok], frozen=True, tag="process.exit"):
    """End the calling process with a result that `wait` returns."""

    result: Any = None


class Wait(Syscall["Exited"], frozen=True, tag="process.wait"):
    """Wait until a process has ended."""

    pid: Pid
    timeout_s: Annotated[float, Meta(ge=0, le=86_400 * 30)] | None = None


class Kill(Syscall[Ok], frozen=True, tag="process.kill"):
    """End a process and its children; their running calls end with `cancelled`."""

    pid: Pid


class Pause(Syscall[Ok], frozen=True, tag="process.pause"):
    """Suspend a process: its generations are snapshotted, its new calls wait."""

    pid: Pid


class Resume(Syscall[Ok], frozen=True, tag="process.resume"):
    """Let a paused process go on exactly where it stopped."""

    pid: Pid


class List(Syscall["ProcessList"], frozen=True, tag="process.list"):
    """The process table: the caller and its descendants, or all of them for the first process."""

    ended: bool = False


class Inspect(Syscall["ProcessInfo"], frozen=True, tag="process.inspect"):
    """One process in full."""

    pid: Pid


class Send(Syscall[Ok], frozen=True, tag="process.send"):
    """Put a message into another process's bounded mailbox."""

    pid: Pid
    body: Any


class Receive(Syscall["Mail"], frozen=True, tag="process.receive"):
    """Take the oldest message from the caller's mailbox, waiting for one if need be."""

    timeout_s: Annotated[float, Meta(ge=0, le=86_400 * 30)] | None = None


class Attempt(Syscall["Attempted"], frozen=True, tag="process.attempt"):
    """A durable program is about to run a tool: remembered before it does anything.

    The toolbox of the SDK makes this call and `report`; nobody else needs to.
    """

    tool: str
    arguments: str


class Report(Syscall[Ok], frozen=True, tag="process.report"):
    """What an attempt came to. Every attempt is reported, also one that was not made again."""

    attempt: int
    result: str


class Now(Syscall["Moment"], frozen=True, tag="process.now"):
    """The time, and a number to seed randomness with: a durable program is told the same again."""


class Calls(Syscall["CallList"], frozen=True, tag="process.calls"):
    """The LLM calls of a process: what is under way, then the last ones that are over.

    The kernel remembers a few of each process while it runs, and shortens what is long.
    """

    pid: Pid


class Spawned(msgspec.Struct, frozen=True):
    """A new process and the token by which it speaks."""

    pid: Pid
    token: str


class Exited(msgspec.Struct, frozen=True):
    """How a process ended; `error` is set where it failed.

    `sources` are those that are not trusted and may have had a part in the words.
    """

    pid: Pid
    state: ProcessState
    result: Any = None
    error: str = ""
    sources: tuple[str, ...] = ()


class Attempted(msgspec.Struct, frozen=True):
    """An attempt. `outcome` new: run the tool; done: it gave `result`; unknown: the kernel stopped
    while the tool ran."""

    id: int
    outcome: Literal["new", "done", "unknown"]
    result: str = ""


class Moment(msgspec.Struct, frozen=True):
    """Seconds since the epoch, and 63 random bits."""

    utc_s: float
    seed: int


class ProcessInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A row of the process table; tokens and calls are totals since the kernel started.

    `agent` is the path of names that memory, notes and files belong to; `remark` says what a person
    should know, such as that a durable program's code has changed.
    """

    pid: Pid
    parent: Pid
    name: str
    agent: str = ""
    state: ProcessState
    priority: int
    program: str | None
    is_durable: bool = False
    remark: str = ""
    calls: int
    live_calls: int
    waiting_for: str
    prompt_tokens: int
    completion_tokens: int
    mail: int
    age_s: float


class ProcessList(msgspec.Struct, frozen=True):
    """Rows in order of pid."""

    processes: tuple[ProcessInfo, ...]


class Mail(msgspec.Struct, frozen=True):
    """A message and its sender."""

    sender: Pid
    body: Any


class CallInfo(msgspec.Struct, frozen=True, kw_only=True):
    """One LLM call. `state`: queued, running, suspended, blocked; then done or an error code."""

    generation: str  # as events name it
    call_id: str
    model: str
    state: str
    at_s: float  # seconds since it arrived
    prompt_tokens: int
    completion_tokens: int
    wait_s: float  # until its first slice, or until now
    run_s: float  # on lanes
    switches: int
    asked: str  # the last thing it was told, shortened
    answer: str  # so far, shortened
    problem: str = ""


class CallList(msgspec.Struct, frozen=True, kw_only=True):
    """Newest first. `messages` is the newest call's conversation, without its answer.

    `left_out` counts messages at its beginning for which there was no room.
    """

    calls: tuple[CallInfo, ...]
    messages: tuple[Message, ...] = ()
    left_out: int = 0
