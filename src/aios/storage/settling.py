"""One path of the disk is brought to what the journal says, if nothing unknown is in the way.

Slow and sure: reads what is there, and asks the journal anew, for a later change may have overtaken
the one that is settled here.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from hashlib import sha256

from aios.storage.disk import Disk, Root, Seen
from aios.storage.nodes import Node
from aios.storage.paths import FilePath, parent
from aios.storage.shop import Shop
from aios.syscalls.file import FILE_BYTES_MAX


@dataclass(frozen=True, slots=True)
class Found:
    """Whether the disk now says what the journal says, and how the real file looks if there is."""

    is_settled: bool
    seen: Seen | None = None


class Settling:
    """Knows no intent: only a path, and the contents that may be replaced there."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop
        self._disk = shop.disk

    async def unsettled(
        self, agent: str, paths: Sequence[FilePath], seen: dict[FilePath, Seen]
    ) -> list[FilePath]:
        """Those of the paths, in their order, at which one look does not say that all is well.

        How the files look at the others is put into `seen`.
        """
        nodes = await self._shop.catalog.many(agent, paths)
        places = {path: self._shop.mounts.place(agent, path) for path in paths}

        def look() -> dict[FilePath, Seen | None]:
            return {path: self._disk.look(*place) for path, place in places.items()}

        there = await self._shop.do(look)
        well = {path for path in paths if _is_well(nodes.get(path), there[path])}
        files = ((path, there[path]) for path in well)
        seen.update((path, one) for path, one in files if one is not None and one.kind == "file")
        return [path for path in paths if path not in well]

    async def settle(self, agent: str, path: FilePath, known: Collection[str]) -> Found:
        """Raises what the disk raises."""
        node = await self._shop.catalog.get(agent, path)
        root, way = self._shop.mounts.place(agent, path)
        if node is None:
            return Found(await self._take_away(root, way, known))
        if not node.is_file:
            await self._free_for_folder(root, way, known)
            return Found(await self._shop.do(self._disk.make_folder, root, way))
        return await self._put(node, root, way, known)

    async def _take_away(self, root: Root, way: FilePath, known: Collection[str]) -> bool:
        there = await self._shop.do(self._disk.look, root, way)
        if there is None:
            return True
        if there.kind == "folder":
            return await self._shop.do(self._disk.remove_folder, root, way)
        digest, seen = await self._digest(root, way)
        if digest not in known or seen is None:
            return False
        return await self._shop.do(self._disk.remove, root, way, seen.stamp)

    async def _free_for_folder(self, root: Root, way: FilePath, known: Collection[str]) -> None:
        there = await self._shop.do(self._disk.look, root, way)
        if there is not None and there.kind == "file":
            await self._take_away(root, way, known)

    async def _put(self, node: Node, root: Root, way: FilePath, known: Collection[str]) -> Found:
        there = await self._shop.do(self._disk.look, root, way)
        if there is not None and there.kind == "folder":
            await self._shop.do(self._disk.remove_folder, root, way)
            there = None  # If it is not gone, the new file is not placed either.
        if there is None:
            return await self._write(node, root, way, before="")
        digest, seen = await self._digest(root, way)
        if seen is None or digest not in {*known, node.sha256}:
            return Found(False)
        if digest == node.sha256:
            return Found(True, seen)
        return await self._write(node, root, way, before=seen.stamp)

    async def _write(self, node: Node, root: Root, way: FilePath, before: str) -> Found:
        data = await self._shop.journal.blobs.get(node.sha256)
        seen = await self._shop.do(
            _written,
            self._disk,
            root,
            f"{self._shop.boot}-{node.id}-{node.version}",
            way,
            data,
            before,
        )
        return Found(seen is not None, seen)

    async def _digest(self, root: Root, way: FilePath) -> tuple[str, Seen | None]:
        content = await self._shop.do(self._disk.read, root, way, FILE_BYTES_MAX)
        if content is None:
            return "", None
        return sha256(content.data).hexdigest(), content.seen


def _is_well(node: Node | None, seen: Seen | None) -> bool:
    if node is None or seen is None:
        return node is None and seen is None
    return node.kind == seen.kind and (not node.is_file or node.stamp == seen.stamp)


def _written(
    disk: Disk, root: Root, name: str, way: FilePath, data: bytes, before: str
) -> Seen | None:
    disk.drop(root, name)  # An earlier try may have left it.
    disk.stage(root, name, data)
    disk.make_folder(root, parent(way))
    seen = disk.place(root, name, way, before)
    if seen is None:
        disk.drop(root, name)
    return seen
