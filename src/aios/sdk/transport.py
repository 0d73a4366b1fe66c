"""What carries syscalls to a kernel. An in-process kernel is one itself; others cross a wire."""

from collections.abc import AsyncIterator
from typing import Protocol, TypeVar

from aios.syscalls import Completion, Delta, Stream, Syscall

R = TypeVar("R")


class Transport(Protocol):
    """One way to a kernel, for any number of processes; a token says which one speaks."""

    is_durable: bool  # whether a program that speaks by it is told everything again after a crash

    async def call(self, token: str, call: Syscall[R], *, key: str = "") -> R:
        """The one reply, or one error of `aios.errors`. Cancelling the await cancels the call.

        A process's calls with the same `key` are one call, made once, with one result.
        """
        ...

    def stream(
        self, token: str, call: Stream, *, key: str = ""
    ) -> AsyncIterator[Delta | Completion]:
        """The deltas as they come; the last item is the completion."""
        ...

    async def close(self) -> None:
        """Give back what the transport holds."""
        ...
