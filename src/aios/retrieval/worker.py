"""Gives an index its threads: one that has it written, a few that search. Knows no document.

Rooms await these calls; nothing of an index runs on the event loop.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol, TypeVar

from aios.errors import Busy
from aios.retrieval.base import Hit, Query
from aios.retrieval.index import HybridIndex

T = TypeVar("T")

SEARCHERS = 2
SEARCHES_MAX = 256  # under way and waiting


class WaitedIndex(Protocol):
    """A `HybridIndex` whose work is awaited."""

    @property
    def index(self) -> HybridIndex: ...

    async def search(self, query: Query) -> list[Hit]:
        """Best first. Raises `Busy` where too many searches wait."""
        ...

    async def write(self, change: Callable[[], T]) -> T:
        """Call something that changes the index, after all such calls before it."""
        ...

    async def close(self) -> None: ...


class ThreadedIndex:
    """An index and its threads."""

    def __init__(self, index: HybridIndex) -> None:
        self.index = index
        self._searching = 0
        self._searchers = ThreadPoolExecutor(SEARCHERS, "search")
        self._writer = ThreadPoolExecutor(1, "index")

    async def search(self, query: Query) -> list[Hit]:
        if self._searching >= SEARCHES_MAX:
            raise Busy(f"{SEARCHES_MAX} searches wait already", retry_after_s=1.0)
        self._searching += 1
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._searchers, self.index.search, query)
        finally:
            self._searching -= 1

    async def write(self, change: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._writer, change)

    async def close(self) -> None:
        """Let what is under way end, then close the index."""
        await self.write(self.index.close)
        await asyncio.to_thread(self._shut)

    def _shut(self) -> None:
        self._writer.shutdown()
        self._searchers.shutdown()
