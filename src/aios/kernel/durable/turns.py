"""Answers in the order of their commits: each waits for those before it. Knows no call."""

import asyncio

from aios.kernel.durable.replay import Recorded


class Turns:
    """New answers in the order of their commits: each waits for those before it."""

    def __init__(self, place: int) -> None:
        self._place = place
        self._waiting: dict[int, asyncio.Future[None]] = {}  # by place, lowest first
        self._ready: set[int] = set()

    def place(self) -> int:
        """The next place, for a call that is being committed."""
        place = self._place
        self._place += 1
        self._waiting[place] = asyncio.get_running_loop().create_future()
        return place

    def ready(self, done: Recorded) -> asyncio.Future[None]:
        """The call is durable; what it waits for until it is told."""
        assert done.place is not None
        self._ready.add(done.place)
        return self._waiting[done.place]

    def skip(self, done: Recorded) -> None:
        assert done.place is not None
        del self._waiting[done.place]

    def tell(self) -> None:
        """Tell those whose turn it is."""
        while self._waiting and (first := next(iter(self._waiting))) in self._ready:
            self._ready.remove(first)
            self._waiting.pop(first).set_result(None)
