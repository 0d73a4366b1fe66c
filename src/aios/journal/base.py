"""What the rooms above ask of the journal: atomic changes that are durable, and reads. Pure shape.

Knows no syscall and no table's meaning. Order is a promise: changes are applied in the order in
which they were posted, so whatever was built on an earlier change is never there without it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
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


Keep = Callable[[], Awaitable[Collection[str]]]
"""Names the blobs that are needed. Asked once a sweep spares whatever is put meanwhile; what was
put before, for a commit that is still under way, is for it to wait for."""


class Blobs(Protocol):
    """Large values by the SHA-256 of their bytes, in hexadecimal."""

    async def put(self, data: bytes) -> str:
        """Durable when it returns; the same bytes are stored once. Raises `NoSpace`."""
        ...

    async def get(self, sha256: str) -> bytes:
        """Exactly the bytes that were put. Raises `NotFound`, or `Damaged` if they changed."""
        ...

    async def sweep(self, keep: Keep) -> int:
        """Remove every blob that `keep` does not name and nobody puts from now on; how many."""
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


Record = Callable[[object], Sequence[Change]]
"""Remembers the reply, or the error: for an idempotency key, for a durable program."""


class Stake(Protocol):
    """What an act uses up that takes effect before it commits."""

    def changes(self) -> Sequence[Change]:
        """By which it is gone."""
        ...

    def gone(self) -> None:
        """They are durable."""
        ...


class Work:
    """The durable effects of one syscall: all of them, together with its reply, or none.

    A room adds changes, then awaits `commit(reply)`, and only then changes what it holds in RAM.
    A handler that does not commit leaves that to the kernel. Once it commits, nothing cancels it.
    """

    def __init__(
        self,
        journal: Journal | None,  # None: nothing is durable
        record: Record | None = None,
        *,
        name: str = "",
    ) -> None:
        self._journal = journal
        self._records = [record] if record else []
        self._changes: list[Change] = []
        self._before: list[Callable[[], None]] = []
        self.meant: object = None  # the call that names what this one has only a token of
        self._stakes: list[Stake] = []
        self._staking: asyncio.Future[None] | None = None
        self.name = name  # by which its process may ask for this very call again; empty: never
        self.is_committed = False  # or about to be: nothing more can be added
        self.is_durable = False
        self.is_unwanted = False  # the caller went away while it was committed
        self.is_again = False  # all of it had begun before: it is told of, and nothing is done
        self.has_begun = False  # what it staked is gone, whatever it comes to

    def add(self, statement: Statement, *values: Value) -> None:
        """One more change of this syscall."""
        assert not self.is_committed, "a syscall commits once"
        self._changes.append(Change(statement, values))

    def extend(self, changes: Iterable[Change]) -> None:
        """More changes of this syscall."""
        assert not self.is_committed, "a syscall commits once"
        self._changes.extend(changes)

    def remember(self, record: Record) -> None:
        """One more place where the reply is to be remembered."""
        assert not self.is_committed, "a syscall commits once"
        self._records.append(record)

    def precede(self, post: Callable[[], None]) -> None:
        """If anything is committed, `post` has its own changes posted before."""
        assert not self.is_committed, "a syscall commits once"
        self._before.append(post)

    def stake(self, stake: Stake) -> None:
        """Gone once this takes effect, also where it fails after that; not touched before."""
        assert not self.has_begun, "an act begins once"
        self._stakes.append(stake)

    async def begin(self) -> None:
        """Return once what was staked is gone, durably: from here on the act may take effect.

        Nothing of it is gone if this raises, but for a caller who leaves meanwhile. Several parts
        of one act may each begin it.
        """
        if not self._stakes:
            self.has_begun = True
            return
        if self._staking is None:
            self._staking = asyncio.ensure_future(self._gone(self._staked()))
        was_cancelled = False
        while not self._staking.done():
            try:
                await asyncio.wait([self._staking])
            except asyncio.CancelledError:
                was_cancelled = True
        if was_cancelled:
            self._staking.exception()  # Seen: the caller is not there to be told.
            raise asyncio.CancelledError
        self._staking.result()

    def _staked(self) -> Awaitable[None] | None:
        """Post that it is gone. It may be from here on, for whoever looks meanwhile."""
        changes = [change for stake in self._stakes for change in stake.changes()]
        posted = None if self._journal is None else self._journal.post(changes)
        self.has_begun = True
        return posted

    async def _gone(self, posted: Awaitable[None] | None) -> None:
        try:
            if posted is not None:
                await posted
        except BaseException:
            self.has_begun = False
            raise
        for stake in self._stakes:
            stake.gone()

    async def commit(self, reply: object) -> None:
        """Return once everything is durable. Nothing of it is there if this raises."""
        assert not self.is_committed, "a syscall commits once"
        self.is_committed = True
        remembered = [change for record in self._records for change in record(reply)]
        if self._journal is not None and (self._changes or remembered):
            for post in self._before:
                post()
            await self._journal.post([*self._changes, *remembered])
        self.is_durable = True

    async def fail(self, error: Exception) -> None:
        """The syscall has no effects but its error, which is remembered like a reply."""
        self._changes.clear()
        await self.commit(error)
