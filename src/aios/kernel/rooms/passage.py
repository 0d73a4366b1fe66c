"""Who is inside the rooms: calls that may have put a blob, or read of one, and are not done.

A sweep of blobs waits here for those that were inside before it. Knows no room and no blob.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from aios.journal.base import Work
from aios.kernel.dispatch import RoomHandler


class Passage:
    """Counts those inside. One waits at a time."""

    def __init__(self) -> None:
        self.entered = 0  # ever
        self._here = _Group()

    @contextmanager
    def inside(self) -> Iterator[None]:
        """As long as the block lasts."""
        group = self._here
        self.entered += 1
        group.count += 1
        try:
            yield
        finally:
            group.count -= 1
            if not group.count and group.is_left:
                group.is_empty.set()

    def through(self, handler: RoomHandler) -> RoomHandler:
        """The handler, whose calls are inside."""

        async def handle(agent: str, call: Any, work: Work) -> Any:
            with self.inside():
                return await handler(agent, call, work)

        return handle

    async def cleared(self) -> None:
        """Wait until all who are inside now have left; others may come in."""
        # Who gave up waiting left a group behind; whoever is in it still was inside before, too.
        group, self._here = self._here, _Group(self._here)
        await group.left()


class _Group:
    """Those who came in between two waits."""

    def __init__(self, before: "_Group | None" = None) -> None:
        self.count = 0
        self.is_left = False  # by newcomers: they belong to a later group
        self.is_empty = asyncio.Event()
        self._before = before

    async def left(self) -> None:
        self.is_left = True
        if self._before is not None:
            await self._before.left()
            self._before = None
        if self.count:
            await self.is_empty.wait()
