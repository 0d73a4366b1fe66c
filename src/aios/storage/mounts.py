"""Folders of the machine in agents' roots, and where on the disk each path of an agent lies.

Who may mount is not decided here.
"""

import os
from collections.abc import Iterable

from aios.errors import Conflict, InvalidArgument, NotFound
from aios.journal.base import Row
from aios.storage.disk import Root
from aios.storage.paths import FilePath, folder_of, parse_name, top
from aios.syscalls.file import MountInfo

MOUNTS_MAX = 64  # of one agent


class Mounts:
    """Every agent's mounts, in RAM.

    `base` is the folder of all agents' own roots. Nothing in or above `home`, the kernel's own
    folder, can be mounted: agents would see each other's files, and the journal.
    """

    def __init__(self, base: str, home: str) -> None:
        self._base = os.path.realpath(base)
        self._home = os.path.realpath(home)
        self._mounts: dict[str, dict[FilePath, MountInfo]] = {}

    def load(self, rows: Iterable[Row]) -> None:
        """Take over what the journal knows."""
        for agent, name, folder, writable in rows:
            self.add(MountInfo(str(name), str(folder), bool(writable), str(agent)))

    def add(self, mount: MountInfo) -> None:
        self._mounts.setdefault(mount.agent, {})[FilePath(mount.name)] = mount

    def remove(self, mount: MountInfo) -> None:
        mounts = self._mounts[mount.agent]
        del mounts[FilePath(mount.name)]
        if not mounts:
            del self._mounts[mount.agent]

    def of(self, agent: str) -> list[MountInfo]:
        """In order of name."""
        return [mount for _, mount in sorted(self._mounts.get(agent, {}).items())]

    def all(self) -> list[MountInfo]:
        return [mount for agent in self._mounts for mount in self.of(agent)]

    def get(self, agent: str, name: str) -> MountInfo:
        mount = self._mounts.get(agent, {}).get(parse_name(name))
        if mount is None:
            raise NotFound(f"no mount {name!r}; known: {[one.name for one in self.of(agent)]}")
        return mount

    def at(self, agent: str, path: FilePath) -> MountInfo | None:
        """The mount that a path lies in, or is."""
        mounts = self._mounts.get(agent)
        return mounts.get(top(path)) if mounts else None

    def place(self, agent: str, path: FilePath) -> tuple[Root, FilePath]:
        """Where a path lies: a folder of the machine, and the way from there."""
        mount = self.at(agent, path)
        if mount is None:
            return Root(os.path.join(self._base, folder_of(agent)), ours=True), path
        return Root(mount.folder, ours=False), FilePath(path[len(mount.name) + 1 :])

    def checked(self, agent: str, name: str, folder: str, writable: bool) -> MountInfo:
        """A mount that can be added, its folder without links in it."""
        path = parse_name(name)
        if path in self._mounts.get(agent, {}):
            raise Conflict(f"{name!r} is mounted already; unmount it first")
        if len(self._mounts.get(agent, {})) >= MOUNTS_MAX:
            raise Conflict(f"{MOUNTS_MAX} folders are mounted already; unmount one first")
        if not os.path.isabs(folder) or "\0" in folder:
            raise InvalidArgument(f"expected the absolute path of a folder, got {folder!a}")
        real = os.path.realpath(folder)
        if _overlap(real, self._home) or _overlap(real, self._base):
            raise InvalidArgument(f"expected a folder apart from the kernel's own, got {folder!r}")
        return MountInfo(name, real, writable, agent)


def _overlap(one: str, other: str) -> bool:
    return os.path.commonpath([one, other]) in (one, other)
