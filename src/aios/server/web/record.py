"""The last events of the kernel, for pages that are opened later; bounded. Knows no page.

Who follows keeps a number of its own, so that a reader costs nothing while it does not read.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from itertools import islice

from aios.kernel import Kernel
from aios.kernel.process import INIT
from aios.telemetry.events import Answered, Asked, Event

EVENTS_MAX = 5_000


class Record:
    """Events in order. `last` is the number of the newest; the first one ever is 1."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._events: deque[Event] = deque(maxlen=EVENTS_MAX)
        self._news = asyncio.Event()
        self.last = 0
        self.asks = 0  # grows when a question comes or is over
        self.is_closed = False
        kernel.bus.listen(self._heard)

    def _heard(self, event: Event) -> None:
        self._events.append(event)
        self.last += 1
        self.asks += isinstance(event, Asked | Answered)
        if not self._news.is_set():
            self._news.set()

    def close(self) -> None:
        """Who waits for news is told that there are no more."""
        self.is_closed = True
        self._news.set()

    async def after(self, number: int) -> None:
        """Wait for an event after that one."""
        while self.last <= number and not self.is_closed:
            self._news.clear()
            await self._news.wait()

    def since(self, number: int, *, limit: int = EVENTS_MAX) -> list[Event]:
        """Those after that one which are still here, at most the newest `limit`."""
        wanted = min(self.last - number, limit, len(self._events))
        return list(islice(self._events, len(self._events) - wanted, None))

    def visible(self, token: str) -> Callable[[Iterable[Event]], list[Event]]:
        """What of events one who speaks with this token may see: as `/api/events` does."""
        table = self._kernel.table
        process = table.by_token(token)
        if process.pid == INIT:
            return list
        pids: set[int] = set()

        def shown(events: Iterable[Event]) -> list[Event]:
            """What the lately ended are told of too, but not whom nobody knows any more."""
            pids.intersection_update([one for one in pids if table.get(one) is not None])
            pids.update(one.pid for one in table.tree(process))
            return [one for one in events if one.pid in pids]

        return shown
