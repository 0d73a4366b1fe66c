"""What may be asked of a sandbox, and what it answers. Pure shape; knows no agent and no kernel.

The one rule above all: never a silent fall-back. Every outcome names the tier it ran under, and a
job that asks for more than any tier here can hold is refused with `Denied`.
"""

import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, Protocol

import msgspec


class Bounds(msgspec.Struct, frozen=True, kw_only=True):
    """The most a job may take. What a tier cannot enforce stands in its `Tier.unbounded`."""

    wall_s: float = 30.0
    cpu_s: float = 30.0
    memory_bytes: int = 512 << 20  # of the whole tree
    processes: int = 64
    open_files: int = 256
    disk_bytes: int = 64 << 20  # of the workspace; it is full then, not the machine
    files: int = 4_096  # of the workspace, counted when it is collected
    output_bytes: int = 256 << 10  # of stdout and of stderr each; more is cut, and the job goes on


class Tier(msgspec.Struct, frozen=True, kw_only=True):
    """A way to confine that was probed and works here.

    `strength` orders tiers: 3 namespaces with seccomp, 2 Landlock with seccomp and a uid of its
    own, 1 what the platform offers (macOS), 0 none. `unbounded` names the `Bounds` it cannot hold.
    """

    name: str
    strength: int
    unbounded: tuple[str, ...] = ()
    detail: str = ""  # for a person: what was probed, what is missing and how to get it


class File(msgspec.Struct, frozen=True):
    """A regular file by its path relative to the workspace, `/` between names."""

    path: str
    data: bytes


class Egress(msgspec.Struct, frozen=True):
    """Where a job may connect to, through the proxy alone: `host:port`; `*.host:port` for below."""

    allowed: tuple[str, ...] = ()


class Whose(msgspec.Struct, frozen=True):
    """Who asked for a job: for the fair share of sandboxes, and for the record of its way out."""

    agent: str = ""
    pid: int = 0
    tool: str = ""  # by its whole name


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """One run of one program in a fresh sandbox that nothing outlives.

    `argv` runs as it is; `python` is source that a pre-started interpreter runs instead, which is
    what the warm pool is for. Exactly one of the two is given. The workspace is the working folder,
    empty but for `files`; `folder` instead binds a folder of the machine there, read-write.
    """

    argv: tuple[str, ...] = ()
    python: str | None = None
    stdin: bytes = b""
    environment: Mapping[str, str] = {}  # nothing else is inherited
    files: tuple[File, ...] = ()
    folder: Path | None = None
    readable: tuple[Path, ...] = ()  # more of the machine, read-only
    egress: Egress | None = None  # None: no network at all
    bounds: Bounds = Bounds()
    collect: tuple[str, ...] = ()  # patterns of files to bring back
    whose: Whose = Whose()


Ended = Literal["exited", "signalled", "timeout", "memory", "refused"]


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """How a job ended. The whole tree is gone when this is there."""

    ended: Ended
    code: int  # exit status, or the signal
    stdout: bytes
    stderr: bytes
    is_cut: bool = False  # output beyond the bound was dropped
    files: tuple[File, ...] = ()
    not_collected: tuple[str, ...] = ()  # `path: why`, for what the patterns named
    tier: str
    wall_s: float


class Sandbox(Protocol):
    """Runs jobs side by side. Every one ends by its `wall_s`, plus 100 ms at most."""

    @property
    def tier(self) -> Tier: ...

    async def run(self, job: Job) -> Outcome:
        """Cancelling the await ends the whole tree. Raises `Denied`, `Busy`, `InvalidArgument`."""
        ...

    async def close(self) -> None: ...


class Conversation(Protocol):
    """A sandboxed Python whose variables stay from one run to the next."""

    @property
    def is_over(self) -> bool:
        """Whether the interpreter and its variables are gone."""
        ...

    async def run(self, code: str, wall_s: float | None = None) -> Outcome:
        """Raises `WrongState` once it is over."""
        ...

    async def close(self) -> None: ...


class Service(Protocol):
    """A sandboxed program that goes on until it is ended."""

    @property
    def connection(self) -> socket.socket:
        """Its stdin and stdout: one socket that does not block, whoever talks to it closes it."""
        ...

    @property
    def tier(self) -> str: ...

    async def end(self) -> Outcome:
        """End its whole tree, if it has not ended by itself; how it went."""
        ...


class Host(Sandbox, Protocol):
    """A sandbox that also has room for what goes on: conversations and services."""

    async def session(
        self, bounds: Bounds = ..., idle_s: float = ..., whose: Whose = ...
    ) -> Conversation: ...

    async def serve(self, job: Job) -> Service:
        """Start the job's `argv`; its stdin is not written. Its `wall_s` ends it."""
        ...
