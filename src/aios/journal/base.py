"""What the rooms above ask of the journal: atomic changes that are durable, and reads. Pure shape.

Knows no syscall and no table's meaning. Order is a promise: changes are applied in the order in
which they were posted, so whatever was built on an earlier change is never there without it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

Value = bytes | str | int | float | None
Row = tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Statement:
    """One named SQL statement; all of them stand in `journal/statements.py`."""

    name: str
    sql: str


class Change(NamedTuple):
    """A statement that writes, and the values it binds."""

    statement: Statement
    values: tuple[Value, ...]


class Blobs(Protocol):
    """Large values by the SHA-256 of their bytes, in hexadecimal."""

    async def put(self, data: bytes) -> str:
        """Durable when it returns; the same bytes are stored once. Raises `NoSpace`."""
        ...

    async def get(self, sha256: str) -> bytes:
        """Exactly the bytes that were put. Raises `NotFound`, or `Damaged` if they changed."""
        ...

    async def sweep(self, keep: Collection[str]) -> int:
        """Remove every blob that is not in `keep` and was put before the call; how many."""
        ...


class Journal(Protocol):
    """The one store of what must survive."""

    @property
    def blobs(self) -> Blobs: ...

    def post(self, changes: Sequence[Change]) -> Awaitable[None]:
        """All of the changes or none; the awaitable ends once they are durable.

        Posting is done when the call returns, whether anybody awaits or not. Raises, from the
        await, `NoSpace`, or `Damaged` where the store can no longer be trusted; from the call
        itself `Busy` where the queue of changes is full.
        """
        ...

    async def read(self, statement: Statement, *values: Value) -> list[Row]:
        """Rows as of some moment after every change whose await has ended. Raises `Damaged`."""
        ...


class Work:
    """The durable effects of one syscall: all of them, together with its reply, or none.

    A room adds changes, then awaits `commit(reply)`, and only then changes what it holds in RAM.
    A handler that does not commit leaves that to the kernel. Without a journal nothing is durable.
    """

    def __init__(
        self,
        journal: Journal | None,
        record: Callable[[object], Sequence[Change]] | None = None,
        *,
        name: str = "",
    ) -> None:
        self._journal = journal
        self._record = record  # what remembers the reply: an idempotency key, a durable program
        self._changes: list[Change] = []
        self.name = name  # by which its process will ask for this very call again; empty: never
        self.is_committed = False
        self.was_cancelled = False  # while it was committed; the kernel tells the caller at the end

    def add(self, statement: Statement, *values: Value) -> None:
        """One more change of this syscall."""
        assert not self.is_committed, "a syscall commits once"
        self._changes.append(Change(statement, values))

    async def commit(self, reply: object) -> None:
        """Return once everything is durable. Nothing of it is there if this raises.

        A cancellation does not come between what is durable and what RAM holds: it is kept back.
        """
        assert not self.is_committed, "a syscall commits once"
        self.is_committed = True
        changes = [*self._changes, *(self._record(reply) if self._record else ())]
        if changes and self._journal is not None:
            self.was_cancelled = await _to_its_end(self._journal.post(changes))


async def _to_its_end(posted: Awaitable[None]) -> bool:
    """Wait for it, whatever happens; whether the waiting task was cancelled meanwhile."""
    future = asyncio.ensure_future(posted)
    was_cancelled = False
    while not future.done():
        try:
            await asyncio.wait([future])
        except asyncio.CancelledError:
            was_cancelled = True
    if was_cancelled and future.exception() is not None:
        raise asyncio.CancelledError
    future.result()
    return was_cancelled
