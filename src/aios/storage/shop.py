"""What every mechanism of the room works with, bundled once."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import ParamSpec, TypeVar

from aios.clock import Clock
from aios.journal.base import Journal
from aios.storage.catalog import Catalog
from aios.storage.disk import Disk
from aios.storage.draft import Author, Draft
from aios.storage.mounts import Mounts
from aios.storage.quota import FileLimits
from aios.storage.threads import Beside

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shop:
    """Journal, disk, clock, randomness and bounds, and the two things that are made of them."""

    journal: Journal
    disk: Disk
    beside: Beside
    mounts: Mounts
    clock: Clock
    random: Random
    limits: FileLimits
    catalog: Catalog
    changed: Callable[[], None]  # after a commit: there is something to index
    boot: str  # begins the names of what this kernel sets aside

    def new_id(self) -> str:
        return f"{self.random.getrandbits(64):016x}"

    def draft(self, agent: str, by: str) -> Draft:
        """A change of that agent's files, begun now."""
        author = Author(
            agent=agent, by=by, now=self.clock.utc(), new_id=self.new_id, limits=self.limits
        )
        return Draft(author, self.catalog, self.mounts, self.journal.blobs.get)

    async def do(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Blocking work, beside the event loop."""
        return await self.beside.do(partial(work, *args, **kwargs))
