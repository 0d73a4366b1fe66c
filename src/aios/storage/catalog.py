"""What the journal's tables say about files: typed reads. Changes nothing and keeps nothing."""

import json
from collections.abc import Collection, Iterable
from typing import cast

from aios.journal import statements as sql
from aios.journal.base import Journal, Value
from aios.storage.nodes import Node, node_from, version_from
from aios.storage.paths import FilePath
from aios.syscalls.file import Deleted, VersionInfo

EVERYTHING = 1 << 62


class Catalog:
    """Answers as of every change that was waited for."""

    def __init__(self, journal: Journal) -> None:
        self._read = journal.read

    async def get(self, agent: str, path: FilePath) -> Node | None:
        return (await self.many(agent, [path])).get(path)

    async def many(self, agent: str, paths: Collection[FilePath]) -> dict[FilePath, Node]:
        """Those of the paths at which something is."""
        rows = await self._read(sql.FILE_GET, agent, json.dumps(list(paths)))
        return {node.path: node for node in map(node_from, rows)}

    async def below(self, agent: str, folder: FilePath, limit: int = EVERYTHING) -> list[Node]:
        """Everything in a folder, however deep, in order of path."""
        rows = await self._read(sql.FILES_BELOW, agent, "", *span(folder), limit)
        return list(map(node_from, rows))

    async def inside(self, agent: str, folder: FilePath, limit: int = EVERYTHING) -> list[Node]:
        """What stands in a folder itself, in order of path."""
        return list(map(node_from, await self._read(sql.FILES_IN, agent, folder, limit)))

    async def binned(self, agent: str, bin: str) -> list[Node]:
        """All that one deletion took away, the uppermost first."""
        rows = await self._read(sql.FILES_BELOW, agent, bin, *span(FilePath("")), EVERYTHING)
        return list(map(node_from, rows))

    async def by_id(self, ids: Iterable[str]) -> dict[str, tuple[str, Node]]:
        """Agent and node of each id that is there, not in the bin."""
        rows = await self._read(sql.FILES_BY_ID, json.dumps(list(ids)))
        found = [(str(row[9]), node_from(row)) for row in rows]
        return {node.id: (agent, node) for agent, node in found if not node.bin}

    async def changed(self, agent: str, folder: FilePath, since: float, until: float) -> list[str]:
        """Ids of the files in a folder, however deep, that last changed in that time."""
        rows = await self._read(sql.FILES_CHANGED, agent, *span(folder), since, until)
        return [str(row[0]) for row in rows]

    async def versions(self, file: str) -> list[VersionInfo]:
        """Newest first."""
        return list(map(version_from, await self._read(sql.FILE_VERSIONS, file)))

    async def marks(self, agent: str, paths: Collection[FilePath]) -> dict[FilePath, int]:
        """The last version number that a file now gone had at each path; 0 for none."""
        rows = await self._read(sql.FILE_MARKS_GET, agent, json.dumps(list(paths)))
        return dict.fromkeys(paths, 0) | {
            FilePath(str(path)): cast(int, version) for path, version in rows
        }

    async def deletions(self, agent: str) -> list[Deleted]:
        """Newest first."""
        rows = await self._read(sql.FILE_BIN_LIST, agent)
        return [
            Deleted(str(id), str(path), cast(float, time), cast(int, size))
            for id, path, time, size in rows
        ]

    async def usage(self, agent: str) -> tuple[int, int]:
        """Bytes of all kept versions, and how many files and folders there are."""
        rows = await self._read(sql.FILE_USAGE_GET, agent)
        return (cast(int, rows[0][0]), cast(int, rows[0][1])) if rows else (0, 0)


def span(folder: FilePath) -> tuple[Value, Value]:
    """What every path in a folder lies between: "0" comes after "/", and bytes after all text."""
    return (f"{folder}/", f"{folder}0") if folder else ("", b"")
