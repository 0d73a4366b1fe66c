"""Changes made past the kernel: found by comparing the disk with the journal, and taken over.

Somebody's edit becomes a version by "outside", a new file a file, a missing one a deletion in the
bin. So the agents see what a person did, and nothing that either of them wrote is lost.
"""

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from aios.errors import Denied
from aios.storage.disk import Seen
from aios.storage.draft import Draft
from aios.storage.landing import Landing
from aios.storage.nodes import OUTSIDE, Node
from aios.storage.paths import ROOT, FilePath, below, joined
from aios.storage.shop import Shop


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """One folder: the paths at which the disk has something else, its folders, its size."""

    changed: tuple[FilePath, ...] = ()
    folders: tuple[FilePath, ...] = ()
    entries: int = 0


@dataclass(frozen=True, slots=True)
class Sight:
    """What some paths are: to the journal, where they are anything, and on the disk."""

    nodes: Mapping[FilePath, Node]
    seen: Mapping[FilePath, Seen | None]


class Outside:
    """Sees and takes over. Looking needs no lock; `adopt` needs those of its paths."""

    def __init__(self, shop: Shop, landing: Landing) -> None:
        self._shop = shop
        self._landing = landing

    async def changed(self, agent: str, paths: Collection[FilePath]) -> list[FilePath]:
        """Those of the paths at which the disk has something else than the journal says."""
        return self.differing(agent, await self.sight(agent, paths)) if paths else []

    async def sight(self, agent: str, paths: Collection[FilePath]) -> Sight:
        """Both sides of these paths."""
        nodes = await self._shop.catalog.many(agent, paths)
        return Sight(nodes, await self._look_at(agent, paths))

    def differing(self, agent: str, here: Sight) -> list[FilePath]:
        """The paths at which the two sides differ."""
        return [
            path
            for path, seen in here.seen.items()
            if _differ(here.nodes.get(path), seen) and not self._is_mount(agent, path)
        ]

    async def survey(self, agent: str, folder: FilePath, until: float = math.inf) -> View:
        """How the disk's view of one folder differs; files changed after `until` are left out."""
        if self._is_owing(agent, folder):
            return View()
        seen = await self._names(agent, folder)
        if seen is None and folder:
            return View()  # The folder's own path differs then; that is for its parent to find.
        seen = seen or {}  # A root that is gone: `adopt` writes it anew.
        nodes = {node.path: node for node in await self._shop.catalog.inside(agent, folder)}
        mounts = set() if folder else {mount.name for mount in self._shop.mounts.of(agent)}
        fresh = {path for path, one in seen.items() if one.kind == "file" and one.modified > until}
        return View(
            changed=tuple(
                path
                for path in sorted({*nodes, *seen} - mounts - fresh)
                if _differ(nodes.get(path), seen.get(path))
            ),
            folders=tuple(path for path, one in seen.items() if one.kind == "folder"),
            entries=len(seen),
        )

    async def compare(self, agent: str, folder: FilePath, *, deep: bool) -> list[FilePath]:
        """The paths in a folder at which the disk has something else, up to a number."""
        found: list[FilePath] = []
        ahead = [folder]
        while ahead and len(found) < self._shop.limits.adopt_max:
            here = ahead.pop()
            view = await self.survey(agent, here)
            found += view.changed
            if deep:
                ahead += view.folders
            if deep and not here:
                ahead += [FilePath(mount.name) for mount in self._shop.mounts.of(agent)]
        return found

    async def adopt(self, agent: str, paths: Collection[FilePath]) -> list[FilePath]:
        """Take over what the disk has at these paths; those where it cannot be read now."""
        draft = self._shop.draft(agent, OUTSIDE)
        left = [
            path
            for path in sorted(await self._rooted(agent, paths))
            if not self._is_owing(agent, path) and not self._is_mount(agent, path)
            if not await self._take_over(draft, path)
        ]
        if rows := draft.rows():
            await self._shop.journal.post(rows)
            self._shop.changed()
        return left

    async def _take_over(self, draft: Draft, path: FilePath) -> bool:
        agent = draft.author.agent
        node, seen = await draft.find(path), await self._look(agent, path)
        if not _differ(node, seen):
            return True
        if node is not None and (seen is None or seen.kind != node.kind):
            await draft.trash(path)
        if seen is None or seen.kind == "other":
            return True
        if seen.kind == "folder":
            await draft.free(path)
            await draft.folder(path)
            return True
        return await self._take_file(draft, path)

    async def _take_file(self, draft: Draft, path: FilePath) -> bool:
        """Somebody's file, unless it cannot be read, is too large, or is being written now."""
        root, way = self._shop.mounts.place(draft.author.agent, path)
        most = self._shop.limits.file_bytes_max
        try:
            content = await self._shop.do(self._shop.disk.read, root, way, most)
        except Denied:
            return False
        if content is None:
            return False
        await draft.write(path, content.data, stamp=content.seen.stamp)
        for data in draft.contents.values():
            await self._shop.journal.blobs.put(data)
        draft.contents.clear()  # One file's bytes in RAM at a time.
        return True

    async def _rooted(self, agent: str, paths: Collection[FilePath]) -> list[FilePath]:
        """Those of the paths whose root is there.

        One of ours that is gone is written anew, from the journal. A mount's may be on a disk that
        is not there now, so nothing in it is taken for deleted.
        """
        roots = {path: self._shop.mounts.place(agent, path)[0] for path in paths}
        gone = set()
        for root in set(roots.values()):
            if await self._shop.do(self._shop.disk.look, root, ROOT) is None:
                gone.add(root)
        if any(root.ours for root in gone):
            await self._landing.rebuild(agent)
        return [path for path in paths if roots[path] not in gone]

    def _is_owing(self, agent: str, path: FilePath) -> bool:
        """Whether the disk is behind the journal there: what it has is old, not somebody's."""
        return any(
            below(FilePath(effect.path), path) or below(path, FilePath(effect.path))
            for intent in self._landing.behind(agent)
            for effect in intent.effects
        )

    def _is_mount(self, agent: str, path: FilePath) -> bool:
        mount = self._shop.mounts.at(agent, path)
        return mount is not None and mount.name == path

    async def _look(self, agent: str, path: FilePath) -> Seen | None:
        return (await self._look_at(agent, [path]))[path]

    async def _look_at(
        self, agent: str, paths: Collection[FilePath]
    ) -> dict[FilePath, Seen | None]:
        places = {path: self._shop.mounts.place(agent, path) for path in paths}

        def look() -> dict[FilePath, Seen | None]:
            return {path: self._shop.disk.look(*place) for path, place in places.items()}

        return await self._shop.do(look)

    async def _names(self, agent: str, folder: FilePath) -> dict[FilePath, Seen] | None:
        root, way = self._shop.mounts.place(agent, folder)
        try:
            names = await self._shop.do(self._shop.disk.names, root, way)
        except Denied:
            return None
        if names is None:
            return None
        return {joined(folder, name): seen for name, seen in names.items()}


def refuse_strange(here: Sight) -> None:
    """Raise `Denied` where a link or a special file is in the way of a change."""
    for path, seen in here.seen.items():
        if seen is not None and seen.kind == "other":
            raise Denied(
                f"{path!r} is a link or a special file that somebody put there;"
                " expected a file or folder"
            )


def _differ(node: Node | None, seen: Seen | None) -> bool:
    if seen is None or seen.kind == "other":
        return node is not None
    if node is None or node.kind != seen.kind:
        return True
    return node.is_file and node.stamp != seen.stamp
