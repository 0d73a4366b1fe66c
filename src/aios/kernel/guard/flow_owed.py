"""Labels and plans on their way to the journal beside any commit: at worst they are late.

What the journal has no room for is owed, and written as it is by then, every second until it is
durable. Knows neither labels nor plans, only how their rows are made.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable

from aios.access.carries import Place
from aios.clock import Clock
from aios.errors import AiosError
from aios.journal.base import Change, Journal
from aios.kernel.guard.pulse import Pulse

Key = Place | int  # a label's place, or the pid whose plan it is


class Owed:
    """`row` makes the row of what a key stands for now."""

    def __init__(self, journal: Journal | None, clock: Clock, row: Callable[[Key], Change]) -> None:
        self._journal = journal
        self._row = row
        self._keys: set[Key] = set()
        self.pulse = Pulse(clock, self._write)

    def post(self, keys: Iterable[Key]) -> None:
        """Durable soon; nothing that is committed from now on is durable before, but what is
        owed."""
        keys = set(keys)
        if self._journal is None or not keys:
            return
        try:
            posted = asyncio.ensure_future(self._post(keys))
        except AiosError:  # The queue is full, say.
            self._owe(keys)
            return
        posted.add_done_callback(lambda done: self._seen(done, keys))

    def __contains__(self, key: Key) -> bool:
        """Whether it is not durable, and nothing on its way that would make it so."""
        return key in self._keys

    async def _write(self) -> None:
        keys, self._keys = self._keys, set()
        if not keys:
            return
        try:
            await self._post(keys)
        except BaseException:
            self._owe(keys)
            raise

    def _post(self, keys: set[Key]) -> Awaitable[None]:
        assert self._journal is not None
        return self._journal.post([self._row(key) for key in keys])

    def _seen(self, done: "asyncio.Future[None]", keys: set[Key]) -> None:
        if done.cancelled() or done.exception() is not None:
            self._owe(keys)

    def _owe(self, keys: set[Key]) -> None:
        self._keys |= keys
        self.pulse.due()
