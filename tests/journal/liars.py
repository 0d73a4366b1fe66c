"""Journals that break their word: with one of these a crash test must find something."""

import asyncio
from collections.abc import Awaitable, Sequence
from contextlib import suppress

from aios.errors import ShuttingDown
from aios.journal import statements
from aios.journal.base import Blobs, Change, Journal, Row, Statement, Value

LATE_S = 0.05


class _Front:
    """In front of a journal; all but `post` is the journal's own."""

    def __init__(self, inner: Journal) -> None:
        self._inner = inner

    @property
    def blobs(self) -> Blobs:
        return self._inner.blobs

    async def read(self, statement: Statement, *values: Value) -> list[Row]:
        return await self._inner.read(statement, *values)


class Hasty(_Front):
    """Says that changes are durable, and begins to make them so a moment later."""

    def post(self, changes: Sequence[Change]) -> Awaitable[None]:
        loop = asyncio.get_running_loop()
        loop.call_later(LATE_S, self._really, changes)
        done: asyncio.Future[None] = loop.create_future()
        done.set_result(None)
        return done

    def _really(self, changes: Sequence[Change]) -> None:
        with suppress(ShuttingDown):
            self._inner.post(changes)


class Forgetful(_Front):
    """Keeps the effects of a call and forgets that its key was used; says so late."""

    def post(self, changes: Sequence[Change]) -> Awaitable[None]:
        kept = [one for one in changes if one.statement is not statements.RESULT_ADD]
        return asyncio.ensure_future(self._later(self._inner.post(kept)))

    async def _later(self, posted: Awaitable[None]) -> None:
        await posted
        await asyncio.sleep(LATE_S)
