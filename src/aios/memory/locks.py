"""One lock a name, for as long as somebody holds it or waits for it. Knows no room."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager


class Locks:
    """Changes of one thing are made one after another; those of different things are not."""

    def __init__(self) -> None:
        self._held: dict[str, _Counted] = {}

    @asynccontextmanager
    async def of(self, *names: str) -> AsyncIterator[None]:
        """Hold the locks of all the names; always taken in one order, so nobody waits in a ring."""
        async with AsyncExitStack() as stack:
            for name in sorted(set(names)):
                await stack.enter_async_context(self._one(name))
            yield

    @asynccontextmanager
    async def _one(self, name: str) -> AsyncIterator[None]:
        counted = self._held.setdefault(name, _Counted())
        counted.users += 1
        try:
            async with counted.lock:
                yield
        finally:
            counted.users -= 1
            if not counted.users:
                del self._held[name]


class _Counted:
    """A lock, and how many hold it or wait for it."""

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.users = 0
