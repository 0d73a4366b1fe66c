"""A change of an agent's files before it is made: steps are staged here, then it is all or nothing.

Reads through to the catalog and remembers what the steps so far made of it, so a later step sees
the earlier ones. Ends as rows to change in the journal and effects on the real files. Touches
neither of them itself.
"""

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from hashlib import sha256

import msgspec

from aios.errors import Conflict, Denied, InvalidArgument, NotFound, WrongState
from aios.journal import statements as sql
from aios.journal.base import Change, Statement, Value
from aios.storage.catalog import Catalog
from aios.storage.mounts import Mounts
from aios.storage.nodes import Node
from aios.storage.paths import ROOT, FilePath, below, moved, parent, parents, parse_file
from aios.storage.quota import FileLimits, check_file, outdated
from aios.syscalls.file import Deleted, VersionInfo

INDEXED = "file"  # the kind of our rows in the index's outbox


@dataclass(frozen=True, slots=True, kw_only=True)
class Author:
    """Who changes what, when, and within which limits."""

    agent: str
    by: str
    now: float
    new_id: Callable[[], str]
    limits: FileLimits


class Effect(msgspec.Struct, frozen=True, kw_only=True):
    """What is to become of one path on the disk: kinds are "file", "folder" or "" for nothing."""

    path: str
    was: str
    was_sha256: str
    kind: str
    sha256: str


class Draft:
    """One syscall's change, step by step."""

    def __init__(
        self,
        author: Author,
        catalog: Catalog,
        mounts: Mounts,
        content: Callable[[str], Awaitable[bytes]],
    ) -> None:
        self.author = author
        self.contents: dict[str, bytes] = {}  # new ones by their hash
        self.bytes_more = 0
        self.files_more = 0
        self.restored: set[str] = set()  # deletions that leave the bin
        self._catalog = catalog
        self._mounts = mounts
        self._content = content
        self._before: dict[FilePath, Node | None] = {}  # as the catalog has it
        self._live: dict[FilePath, Node | None] = {}  # as it shall be; the same keys
        self._nodes: dict[str, Node | None] = {}  # changed ones by id; None: gone for good
        self._kept: dict[str, list[VersionInfo]] = {}  # of changed files, newest first
        self._marks: dict[FilePath, int] = {}  # as the catalog has them
        self._used: dict[FilePath, int] = {}  # by what these steps took away
        self._rows: list[Change] = []

    # --- looking ---

    def learn(self, nodes: Mapping[FilePath, Node], paths: Iterable[FilePath]) -> None:
        """What the catalog has at these paths, which somebody has read already."""
        for path in paths:
            self._learn(path, nodes.get(path))

    async def find(self, path: FilePath) -> Node | None:
        if path not in self._live:
            self._learn(path, await self._catalog.get(self.author.agent, path))
        return self._live[path]

    async def get(self, path: FilePath) -> Node:
        node = await self.find(path)
        if node is None:
            raise NotFound(f"no file or folder {path!r}")
        return node

    async def file(self, path: FilePath) -> Node:
        node = await self.get(path)
        if not node.is_file:
            raise WrongState(f"{path!r} is a folder; expected a file")
        return node

    async def tree(self, path: FilePath) -> list[Node]:
        """What is at `path`, and all below it, in order of path."""
        for node in await self._catalog.below(self.author.agent, path):
            if node.path not in self._live:
                self._learn(node.path, node)
        await self.find(path)
        live = (node for node in self._live.values() if node is not None)
        return sorted((node for node in live if below(node.path, path)), key=lambda one: one.path)

    async def content(self, digest: str) -> bytes:
        if digest in self.contents:
            return self.contents[digest]
        return await self._content(digest)

    async def versions(self, file: str) -> list[VersionInfo]:
        """Newest first."""
        if file not in self._kept:
            self._kept[file] = await self._catalog.versions(file)
        return self._kept[file]

    def target(self, text: str) -> FilePath:
        """The path of something that the agent is about to change."""
        path = parse_file(text)
        mount = self._mounts.at(self.author.agent, path)
        if mount is not None and not mount.writable:
            raise Denied(f"{mount.name!r} is mounted read-only")
        if mount is not None and path == mount.name:
            raise Denied(f"{mount.name!r} is a mount; unmount it instead")
        return path

    # --- changing ---

    async def free(self, path: FilePath) -> None:
        """Make sure that something can be put at `path`: it is free, and folders lead there."""
        found = await self.find(path)
        if found is not None:
            raise Conflict(f"{path!r} is there already", current=found.version)
        for folder in parents(path):
            await self.folder(folder)

    async def folder(self, path: FilePath) -> Node:
        """The folder at `path`, made if need be; those above it are there."""
        node = await self.find(path)
        if node is None:
            node = self._new(path, "folder")
            self._put(node)
            self.files_more += 1
        elif node.is_file:
            raise WrongState(f"{path!r} is a file; expected a folder")
        return node

    async def write(self, path: FilePath, data: bytes, stamp: str = "") -> Node:
        """Give the file at `path` this content, and make it where it is not."""
        check_file(len(data), self.author.limits)
        node = await self.find(path)
        if node is None:
            await self.free(path)
            node = self._new(path, "file")
            self.files_more += 1
        elif not node.is_file:
            raise WrongState(f"{path!r} is a folder; expected a file")
        digest = sha256(data).hexdigest()
        if digest != node.sha256:
            self.contents[digest] = data
        return await self.refer(node, digest, len(data), stamp)

    async def refer(self, node: Node, digest: str, size: int, stamp: str = "") -> Node:
        """Give a file the content of that hash, as a new version if it is another one."""
        if node.sha256 == digest and node.version:
            node = replace(node, stamp=stamp or node.stamp)
            self._put(node)
            return node
        number = max(node.version, await self._mark(node.path)) + 1
        await self._add_version(node.id, VersionInfo(
            version=number, bytes=size, sha256=digest, time=self.author.now, by=self.author.by
        ))  # fmt: skip
        node = replace(
            node, version=number, sha256=digest, bytes=size, modified=self.author.now, stamp=stamp
        )
        self._put(node)
        return node

    async def copy(self, source: FilePath, to: FilePath) -> None:
        """Everything at and below `source` once more, at a path that is free."""
        tree = await self.tree(source)
        await self._prefetch([moved(node.path, source, to) for node in tree])
        for one in tree:
            node = self._new(moved(one.path, source, to), one.kind)
            if one.is_file:
                await self.refer(node, one.sha256, one.bytes)
            else:
                self._put(node)
        self.files_more += len(tree)

    async def move(self, source: FilePath, to: FilePath) -> None:
        """Everything at and below `source` to a path that is free, with its versions."""
        if below(to, source):
            raise InvalidArgument(f"expected a target outside of {source!r}, got {to!r}")
        tree = await self.tree(source)
        await self._prefetch([moved(node.path, source, to) for node in tree])
        for node in tree:
            self._vacate(node)
            await self._settle(node.at(moved(node.path, source, to)), since=-1)

    async def trash(self, path: FilePath) -> Deleted:
        """Everything at and below `path` into the bin."""
        tree = await self.tree(path)
        id = self.author.new_id()
        size = sum(node.bytes for node in tree)
        for node in tree:
            self._vacate(node)
            self._nodes[node.id] = node.at(node.path, id)
        self.files_more -= len(tree)
        self.add(sql.FILE_BIN_PUT, id, self.author.agent, path, self.author.now, size)
        return Deleted(id, path, self.author.now, size)

    async def restore(self, deleted: Deleted, to: FilePath) -> Node:
        """All of a deletion out of the bin, to a path that is free."""
        source = FilePath(deleted.path)
        nodes = await self._catalog.binned(self.author.agent, deleted.id)
        await self._prefetch([moved(node.path, source, to) for node in nodes])
        for node in nodes:
            target = moved(node.path, source, to)
            # At its old place a file goes on with its number, unless others were there meanwhile.
            await self._settle(node.at(target), since=node.version if target == node.path else -1)
        self.files_more += len(nodes)
        self.restored.add(deleted.id)
        self.add(sql.FILE_BIN_DROP, deleted.id)
        return await self.get(to)

    async def purge(self, deleted: Deleted) -> None:
        """Take a deletion out of the bin for good."""
        for node in await self._catalog.binned(self.author.agent, deleted.id):
            for version in await self._catalog.versions(node.id):
                self.bytes_more -= version.bytes
            self.add(sql.FILE_VERSIONS_DROP, node.id)
            self._nodes[node.id] = None
        self.add(sql.FILE_BIN_DROP, deleted.id)

    async def forget(self, path: FilePath) -> None:
        """Everything at and below `path`, without a trace but its marks: it was never ours."""
        tree = await self.tree(path)
        for node in tree:
            self._vacate(node)
            for version in await self.versions(node.id):
                self.bytes_more -= version.bytes
            self.add(sql.FILE_VERSIONS_DROP, node.id)
            self._nodes[node.id] = None
        self.files_more -= len(tree)

    def add(self, statement: Statement, *values: Value) -> None:
        """One more row to change."""
        self._rows.append(Change(statement, values))

    # --- the end ---

    def rows(self) -> list[Change]:
        """Everything that changes in the journal, in an order in which it can be applied."""
        agent, nodes = self.author.agent, list(self._nodes.items())
        rows = [*self._rows, *(Change(sql.FILE_DROP, (id,)) for id, _ in nodes)]
        for id, node in nodes:
            if node is not None:
                rows.append(_put_row(agent, node))
            if node is None or node.is_file:
                rows.append(Change(sql.OUTBOX_ADD, (INDEXED, id)))
        if self.bytes_more or self.files_more:
            rows.append(Change(sql.FILE_USAGE_ADD, (agent, self.bytes_more, self.files_more)))
        return rows

    def effects(self) -> list[Effect]:
        """What is to be done on the disk, in order of path."""
        effects = []
        for path in sorted(self._live):
            was, now = self._before[path], self._live[path]
            effect = Effect(
                path=path,
                was=was.kind if was else "",
                was_sha256=was.sha256 if was else "",
                kind=now.kind if now else "",
                sha256=now.sha256 if now else "",
            )
            if (effect.was, effect.was_sha256) != (effect.kind, effect.sha256):
                effects.append(effect)
        return effects

    def stamp_before(self, path: FilePath) -> str:
        """What the real file looked like that is to be replaced."""
        node = self._before[path]
        return node.stamp if node else ""

    def after(self, path: FilePath) -> Node | None:
        return self._live[path]

    # --- inside ---

    def _learn(self, path: FilePath, node: Node | None) -> None:
        self._before[path] = self._live[path] = node

    def _new(self, path: FilePath, kind: str) -> Node:
        assert kind in ("file", "folder")
        id = self.author.new_id()
        self._kept[id] = []
        return Node(
            id=id, bin="", path=path, kind="file" if kind == "file" else "folder",
            version=0, sha256="", bytes=0, modified=self.author.now, stamp="",
        )  # fmt: skip

    def _put(self, node: Node) -> None:
        assert node.path in self._live, "look before you put"
        self._live[node.path] = self._nodes[node.id] = node

    def _vacate(self, node: Node) -> None:
        """Nothing is at the node's path any more; its number there stays used."""
        self._live[node.path] = None
        if node.is_file:
            self._used[node.path] = max(node.version, self._used.get(node.path, 0))
            self.add(sql.FILE_MARK_PUT, self.author.agent, node.path, node.version)

    async def _settle(self, node: Node, *, since: int) -> None:
        """Put a node that comes from elsewhere; no number is used twice at its new path."""
        mark = await self._mark(node.path)
        if node.is_file and mark >= node.version and mark != since:
            await self._add_version(node.id, VersionInfo(
                version=mark + 1, bytes=node.bytes, sha256=node.sha256, time=self.author.now,
                by=self.author.by,
            ))  # fmt: skip
            node = replace(node, version=mark + 1)
        self._put(node)

    async def _mark(self, path: FilePath) -> int:
        """The highest version number that a file now gone had at a path; 0 for none."""
        if path not in self._marks:
            self._marks |= await self._catalog.marks(self.author.agent, [path])
        return max(self._marks[path], self._used.get(path, 0))

    async def _prefetch(self, paths: Collection[FilePath]) -> None:
        """Look at many paths at once."""
        nodes = await self._catalog.many(self.author.agent, paths)
        for path in paths:
            if path not in self._live:
                self._learn(path, nodes.get(path))
        self._marks |= await self._catalog.marks(self.author.agent, paths)

    async def _add_version(self, file: str, version: VersionInfo) -> None:
        kept = [version, *await self.versions(file)]
        self.add(
            sql.FILE_VERSION_PUT, file, version.version, version.sha256, version.bytes,
            version.time, version.by,
        )  # fmt: skip
        self.bytes_more += version.bytes
        for old in outdated(kept, self.author.now, self.author.limits):
            kept.remove(old)
            self.add(sql.FILE_VERSION_DROP, file, old.version)
            self.bytes_more -= old.bytes
        self._kept[file] = kept


def _put_row(agent: str, node: Node) -> Change:
    return Change(
        sql.FILE_PUT,
        (
            agent, parent(node.path) if node.path else ROOT, node.id, node.bin, node.path,
            node.kind, node.version, node.sha256, node.bytes, node.modified, node.stamp,
        ),
    )  # fmt: skip
