"""A kernel killed in the middle of anything, without a process to kill: its journal is cut off.

From the cut on nothing that the old kernel posts is applied and nothing of it is acknowledged,
which is all that the next kernel can see of a `kill -9`. Knows no kernel.
"""

import asyncio
from collections.abc import Awaitable, Callable, Generator, Sequence

from aios.journal.base import Blobs, Change, Journal, Row, Statement, Value


class Severable:
    """A `Journal` in front of another. `before` is told each post's number before it is applied."""

    def __init__(self, inner: Journal, before: Callable[[int], None] = lambda number: None) -> None:
        self._inner = inner
        self._before = before
        self._posts = 0
        self.is_cut = False

    @property
    def blobs(self) -> Blobs:
        return self._inner.blobs

    @property
    def posts(self) -> int:
        """How many there have been."""
        return self._posts

    def cut(self) -> None:
        """From now on nothing is applied, and nobody hears of it."""
        self.is_cut = True

    def post(self, changes: Sequence[Change]) -> Awaitable[None]:
        if not self.is_cut:
            self._posts += 1
            self._before(self._posts)
        return _Dead() if self.is_cut else self._inner.post(changes)

    async def read(self, statement: Statement, *values: Value) -> list[Row]:
        return await self._inner.read(statement, *values)


class _Dead:
    """Whoever awaits it dies with its kernel, and has no reply to give."""

    def __await__(self) -> Generator[None, None, None]:
        raise asyncio.CancelledError
        yield
