"""What a family's sub-client needs of the client it belongs to."""

from typing import Protocol, TypeVar

from aios.syscalls import Syscall

R = TypeVar("R")


class Caller(Protocol):
    """Makes syscalls for one process."""

    async def call(self, call: Syscall[R], *, key: str = "") -> R: ...
