"""Handlers of the syscalls that only look: read, stat, list, versions, diff, bin, usage.

Contents come from the journal's blobs, which notice a flipped bit; the real file is looked at
first, so that what a person changed in it is read as well.
"""

from aios.errors import NotFound, WrongState
from aios.journal.base import Work
from aios.storage.changes import Changes
from aios.storage.nodes import Node, root_info
from aios.storage.paths import FilePath, parse, parse_file
from aios.storage.shop import Shop
from aios.storage.versions import difference, numbered
from aios.syscalls.file import (
    Bin,
    Deletions,
    Diff,
    Difference,
    FileData,
    FileInfo,
    FileList,
    FileUsage,
    Folder,
    Quota,
    ReadFile,
    Stat,
    VersionList,
    Versions,
)


class Reading:
    """Changes nothing but what somebody outside already has."""

    def __init__(self, shop: Shop, changes: Changes) -> None:
        self._shop = shop
        self._changes = changes

    async def read(self, agent: str, call: ReadFile, work: Work) -> FileData:
        node = await self.file(agent, parse_file(call.path))
        return await self.data(node, call.version, call.offset, call.length)

    async def stat(self, agent: str, call: Stat, work: Work) -> FileInfo:
        path = parse(call.path)
        return (await self._node(agent, path)).info() if path else root_info()

    async def list(self, agent: str, call: Folder, work: Work) -> FileList:
        folder = parse(call.path)
        if folder and (await self._node(agent, folder)).is_file:
            raise WrongState(f"{folder!r} is a file; expected a folder")
        await self._changes.refresh_folder(agent, folder, deep=call.deep)
        read = self._shop.catalog.below if call.deep else self._shop.catalog.inside
        nodes = await read(agent, folder, call.limit + 1)
        infos = tuple(node.info() for node in nodes[: call.limit])
        return FileList(infos, more=len(nodes) > call.limit)

    async def versions(self, agent: str, call: Versions, work: Work) -> VersionList:
        node = await self.file(agent, parse_file(call.path))
        return VersionList(tuple(await self._shop.catalog.versions(node.id)))

    async def diff(self, agent: str, call: Diff, work: Work) -> Difference:
        node = await self.file(agent, parse_file(call.path))
        versions = await self._shop.catalog.versions(node.id)
        old = numbered(versions, call.old)
        new = numbered(versions, node.version if call.new is None else call.new)
        get = self._shop.journal.blobs.get
        before, after = await get(old.sha256), await get(new.sha256)
        return difference(node.path, before, after, (old.version, new.version))

    async def bin(self, agent: str, call: Bin, work: Work) -> Deletions:
        return Deletions(tuple(await self._shop.catalog.deletions(agent)))

    async def usage(self, agent: str, call: FileUsage, work: Work) -> Quota:
        used, files = await self._shop.catalog.usage(agent)
        limits = self._shop.limits
        return Quota(used, limits.bytes_max, files, limits.files_max)

    async def file(self, agent: str, path: FilePath) -> Node:
        """The file at a path, as it is now, outside too."""
        node = await self._node(agent, path)
        if not node.is_file:
            raise WrongState(f"{path!r} is a folder; expected a file")
        return node

    async def data(
        self, node: Node, version: int | None, offset: int = 0, length: int | None = None
    ) -> FileData:
        """Bytes of a file's present content, or of an older one."""
        digest, number = node.sha256, node.version
        if version is not None:
            found = numbered(await self._shop.catalog.versions(node.id), version)
            digest, number = found.sha256, found.version
        data = await self._shop.journal.blobs.get(digest)
        end = None if length is None else offset + length
        return FileData(data=data[offset:end], total_bytes=len(data), version=number)

    async def _node(self, agent: str, path: FilePath) -> Node:
        await self._changes.refresh(agent, path)
        node = await self._shop.catalog.get(agent, path)
        if node is None:
            raise NotFound(f"no file or folder {path!r}")
        return node
