"""One lock a name, for as long as somebody holds it or waits for it. Knows no room."""

import asyncio
from collections import deque


class Locks:
    """Changes of one thing are made one after another; those of different things are not."""

    def __init__(self) -> None:
        self._held: dict[str, _Queue] = {}  # those who wait, first come first; empty: nobody

    def of(self, *names: str) -> "_Hold":
        """Hold the locks of all the names; always taken in one order, so nobody waits in a ring."""
        return _Hold(self, names if len(names) == 1 else tuple(sorted(set(names))))

    async def take(self, name: str) -> None:
        """Wait until the name is nobody's, and hold it."""
        waiting = self._held.get(name)
        if waiting is None:
            self._held[name] = deque()
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():  # It was handed over, and nobody takes it.
                self.give(name)
            raise

    def give(self, name: str) -> None:
        """Hand the name to who waits longest."""
        waiting = self._held[name]
        while waiting:
            turn = waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        del self._held[name]


_Queue = deque[asyncio.Future[None]]


class _Hold:
    """One `async with`. Written out, because every change of memory passes here."""

    __slots__ = ("_locks", "_names", "_taken")

    def __init__(self, locks: Locks, names: tuple[str, ...]) -> None:
        self._locks = locks
        self._names = names
        self._taken = 0

    async def __aenter__(self) -> None:
        try:
            for name in self._names:
                await self._locks.take(name)
                self._taken += 1
        except BaseException:
            self._give()
            raise

    async def __aexit__(self, *problem: object) -> None:
        self._give()

    def _give(self) -> None:
        for name in self._names[: self._taken]:
            self._locks.give(name)
