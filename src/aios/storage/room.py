"""The storage room: a handler for every file syscall, over its mechanisms. The kernel's way in.

Handlers take an agent's name, a checked call and the call's `Work`. Whether that agent may make
that call, and who may mount, is the gate's and the kernel's to say.
"""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from aios.clock import Clock
from aios.journal import statements as sql
from aios.journal.base import Change, Journal, Work
from aios.storage.catalog import Catalog
from aios.storage.changes import Changes
from aios.storage.disk import Disk, RealDisk
from aios.storage.draft import INDEXED
from aios.storage.files import Files
from aios.storage.links import Links
from aios.storage.mounting import Mounting
from aios.storage.mounts import Mounts
from aios.storage.quota import FileLimits
from aios.storage.reading import Reading
from aios.storage.search import Search, Searcher
from aios.storage.shop import Shop
from aios.storage.threads import Beside, Threads
from aios.storage.watch import Inside, Watch
from aios.syscalls import file

Handler = Callable[[str, Any, Work], Awaitable[Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """Where and with what a room works. In simulation time, randomness and threads are fakes."""

    folder: Path  # of all agents' roots
    clock: Clock
    random: Random
    home: Path | None = None  # nothing in or above it can be mounted; None: `folder`
    limits: FileLimits = field(default_factory=FileLimits)
    disk: Disk = field(default_factory=RealDisk)
    beside: Callable[[], Beside] = Threads


class Storage:
    """All agents' files. `open` before the first call, `close` after the last."""

    def __init__(self, journal: Journal, searcher: Searcher, ground: Ground) -> None:
        self._shop = Shop(
            journal=journal,
            disk=ground.disk,
            beside=ground.beside(),
            mounts=Mounts(str(ground.folder), str(ground.home or ground.folder)),
            clock=ground.clock,
            random=ground.random,
            limits=ground.limits,
            catalog=Catalog(journal),
            changed=searcher.changed,
            boot=f"{ground.random.getrandbits(64):016x}",
        )
        self._changes = Changes(self._shop)
        reading = Reading(self._shop, self._changes)
        self._watch = Watch(self._shop, self._changes)
        self._search = Search(self._shop, searcher)
        self.handlers = _table(
            Files(self._shop, self._changes),
            reading,
            Links(self._shop, reading),
            Mounting(self._shop, self._changes),
            self._search,
        )
        self.documents = self._search.documents

    async def open(self) -> None:
        """Finish what an earlier kernel had begun. Looks at no file but those."""
        self._shop.mounts.load(await self._shop.journal.read(sql.FILE_MOUNTS))
        await self._changes.recover()

    async def watch(self, inside: Inside = nullcontext) -> None:
        """Notice changes made outside, until cancelled; `inside` is around every look."""
        await self._watch.run(inside)

    async def watch_once(self) -> None:
        """One bounded look around."""
        await self._watch.round()

    async def add_all(self) -> None:
        """Let the index know of every file, as one that is begun anew must."""
        await self._shop.journal.post([Change(sql.FILES_TO_OUTBOX, (INDEXED,))])

    async def blobs(self) -> set[str]:
        """Every blob that a version refers to, or a change that is not on the disk yet.

        Contents of a change under way are not among them.
        """
        versions = await self._shop.journal.read(sql.FILE_BLOBS)
        return {str(row[0]) for row in versions} | await self._changes.owed()

    async def close(self) -> None:
        """Carry out what was accepted."""
        await self._changes.close()
        self._shop.beside.close()


def _table(
    files: Files, reading: Reading, links: Links, mounting: Mounting, search: Search
) -> Mapping[type, Handler]:
    return {
        file.Create: files.change,
        file.MakeFolder: files.change,
        file.WriteFile: files.change,
        file.AppendFile: files.change,
        file.Edit: files.change,
        file.Copy: files.change,
        file.Move: files.move,
        file.Delete: files.delete,
        file.Restore: files.restore,
        file.RollbackFile: files.roll_back,
        file.Transaction: files.transaction,
        file.ReadFile: reading.read,
        file.Folder: reading.list,
        file.Stat: reading.stat,
        file.Bin: reading.bin,
        file.Versions: reading.versions,
        file.Diff: reading.diff,
        file.FileUsage: reading.usage,
        file.SearchFiles: search.search,
        file.ShareFile: links.share,
        file.Links: links.list,
        file.Revoke: links.revoke,
        file.OpenLink: links.open,
        file.Mount: mounting.mount,
        file.Unmount: mounting.unmount,
        file.Mounts: mounting.list,
    }
