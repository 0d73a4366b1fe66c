"""Something is to be written, at the latest in a second: a task that sleeps until there is."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from aios.clock import Clock
from aios.errors import AiosError

PERIOD_S = 1.0


class Pulse:
    """Does `write` a second after it became due, and a last time when it stops."""

    def __init__(self, clock: Clock, write: Callable[[], Awaitable[None]]) -> None:
        self._clock = clock
        self._write = write
        self._is_due = False
        self._waiting: asyncio.Future[None] | None = None
        self._task: asyncio.Task[None] | None = None

    def start(self, name: str) -> None:
        self._task = asyncio.get_running_loop().create_task(self._run(), name=name)

    def due(self) -> None:
        """There is something to write."""
        if self._is_due:
            return
        self._is_due = True
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)

    async def stop(self) -> None:
        """What is due is written now; no-op where it was not started."""
        if self._task is None:
            return
        task, self._task = self._task, None
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        with suppress(AiosError):
            await self._write()

    async def _run(self) -> None:
        while True:
            if not self._is_due:
                self._waiting = asyncio.get_running_loop().create_future()
                await self._waiting
            await self._clock.sleep(PERIOD_S)
            self._is_due = False
            with suppress(AiosError):  # A full disk, say: whoever could not write is due again.
                await self._write()
