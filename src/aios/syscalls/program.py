"""The program family: programs of the operator's own that are agents of the kernel. Pure data."""

from collections.abc import Mapping
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from aios.syscalls.base import Syscall
from aios.syscalls.process import Pid, Spawned

Word = Annotated[str, Meta(max_length=128 << 10)]
FEED_BYTES_MAX = 64 << 10
PART_BYTES_MAX = 1 << 20


class StartProgram(Syscall[Spawned], frozen=True, tag="program.start"):
    """Start any program as a child process of the caller; whoever may do this may do anything.

    It runs as the kernel's user in `folder`, with `environment` and, beside it, what points it at
    the kernel: addresses, its token and its pid. Its exit status is the result; one that is not 0
    is a failure. When it ends, so do all processes that came of it. It ends with the kernel; a
    `durable` one is started again by the next, with the same token, from its beginning.
    """

    name: Annotated[str, Meta(min_length=1, max_length=128, pattern="^[^/]+$")]
    argv: Annotated[tuple[Word, ...], Meta(min_length=1, max_length=10_000)]
    folder: Annotated[str, Meta(pattern="^/", max_length=4096)]
    environment: Annotated[Mapping[str, Word], Meta(max_length=10_000)] = {}
    takes_input: bool = False
    priority: Annotated[int, Meta(ge=-100, le=100)] = 0
    durable: bool = False


class FeedProgram(Syscall["Fed"], frozen=True, tag="program.feed"):
    """Give a program input that was started to take some; answered when it has taken it."""

    pid: Pid
    data: Annotated[bytes, Meta(max_length=FEED_BYTES_MAX)] = b""
    is_last: bool = False


class ProgramLog(Syscall["LogPart"], frozen=True, tag="program.log"):
    """What a program wrote from the position `start` on, or in its last `tail` lines.

    Where there is nothing yet and the program lives, `wait_s` says how long to wait for more.
    """

    pid: Pid
    start: Annotated[int, Meta(ge=0)] = 0
    tail: Annotated[int, Meta(ge=0)] | None = None
    wait_s: Annotated[float, Meta(ge=0, le=60)] = 0.0
    bytes_max: Annotated[int, Meta(ge=1, le=PART_BYTES_MAX)] = 256 << 10


class Fed(msgspec.Struct, frozen=True):
    """Whether the program takes more."""

    is_open: bool


class LogChunk(msgspec.Struct, frozen=True):
    """Bytes of one of a program's two streams."""

    stream: Literal["stdout", "stderr"]
    data: bytes


class LogPart(msgspec.Struct, frozen=True):
    """What lies between two positions: bytes of output since the program's start.

    `start` is later than asked for where the oldest is not kept any more. `is_over`: nothing comes
    after `end`.
    """

    start: int
    end: int
    chunks: tuple[LogChunk, ...]
    is_over: bool
