"""Watching for changes made outside: folder after folder, a bounded number at a time.

Polling, because it misses nothing, survives any number of folders, and works on every disk; what
an agent asks for is looked at anyway when it asks. Mounts come round more often than agents' own
roots, for there people work. A file that was written a moment ago is left for the next time round:
somebody may be writing it still.
"""

from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager

from aios.errors import AiosError
from aios.journal import statements as sql
from aios.storage.changes import Changes
from aios.storage.paths import ROOT, FilePath
from aios.storage.shop import Shop

PERIOD_S = 2.0
ENTRIES_PER_ROUND = 1_000
SETTLED_S = 1.0


Inside = Callable[[], AbstractContextManager[object]]


class Watch:
    """Two rings of folders to look at: those of mounts, and those of agents' own roots."""

    def __init__(self, shop: Shop, changes: Changes) -> None:
        self._shop = shop
        self._changes = changes
        self._mounted: deque[tuple[str, FilePath]] = deque()
        self._own: deque[tuple[str, FilePath]] = deque()

    async def run(self, inside: Inside) -> None:
        """Look, rest, look on; until cancelled. `inside` is around every look."""
        while True:
            await self._shop.clock.sleep(PERIOD_S)
            with inside():
                await self.round()

    async def round(self) -> None:
        """One bounded look."""
        await self._changes.catch_up()
        if not self._mounted:
            mounts = self._shop.mounts.all()
            self._mounted.extend((mount.agent, FilePath(mount.name)) for mount in mounts)
        await self._look(self._mounted)
        if not self._own:
            agents = await self._shop.journal.read(sql.FILE_AGENTS)
            self._own.extend((str(row[0]), ROOT) for row in agents)
        await self._look(self._own)

    async def _look(self, ring: deque[tuple[str, FilePath]]) -> None:
        left = ENTRIES_PER_ROUND
        while ring and left > 0:
            agent, folder = ring.popleft()
            try:
                view = await self._changes.survey(agent, folder, self._shop.clock.utc() - SETTLED_S)
                await self._changes.take_over(agent, view.changed)
            except AiosError:
                continue  # A disk that fails, a busy agent: the folder comes round again.
            ring.extend((agent, inner) for inner in view.folders)
            left -= 1 + view.entries
