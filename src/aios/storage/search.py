"""Finding files: what the index is told of a file, and what is made of its hits.

The index itself is handed in. A file is indexed after its change was acknowledged, so a search says
how many are still to come.
"""

import asyncio
import math
from collections.abc import Iterable
from typing import Protocol

from aios.errors import NotFound
from aios.journal.base import Work
from aios.retrieval.base import Document, Hit, Query
from aios.storage.nodes import Node
from aios.storage.paths import parse
from aios.storage.shop import Shop
from aios.storage.texts import as_text, snippet
from aios.syscalls.file import FileFound, FilesFound, SearchFiles

READ_AT_ONCE = 16  # files of which a snippet is made
LOADED_AT_ONCE = 8  # files read to be indexed, beside everybody else's reads


class Searcher(Protocol):
    """The index, from the event loop."""

    async def search(self, query: Query) -> list[Hit]:
        """Best first."""
        ...

    async def pending(self) -> int:
        """Changes that the index has not seen yet."""
        ...

    def changed(self) -> None:
        """There is something for it to see."""
        ...


class Search:
    """An agent finds its own files only: its name is the scope of their documents."""

    def __init__(self, shop: Shop, searcher: Searcher) -> None:
        self._shop = shop
        self._searcher = searcher

    async def search(self, agent: str, call: SearchFiles, work: Work) -> FilesFound:
        query = Query(
            text=call.query,
            scopes=(agent,),
            limit=call.limit,
            mode=call.mode,
            only=await self._only(agent, call),
        )
        hits = [] if query.only == () else await self._searcher.search(query)
        nodes, pending = await asyncio.gather(
            self._shop.catalog.by_id(hit.id for hit in hits), self._searcher.pending()
        )
        there = [hit for hit in hits if hit.id in nodes and nodes[hit.id][0] == agent]
        found: list[FileFound] = []
        for start in range(0, len(there), READ_AT_ONCE):
            some = there[start : start + READ_AT_ONCE]
            found += await asyncio.gather(
                *(self._found(hit, nodes[hit.id][1], call.query) for hit in some)
            )
        return FilesFound(tuple(found), pending=pending)

    async def documents(self, ids: Iterable[str]) -> list[Document]:
        """What to index of these files; none for those that are gone."""
        nodes = await self._shop.catalog.by_id(ids)
        files = [(agent, node) for agent, node in nodes.values() if node.is_file]
        found: list[Document] = []
        for start in range(0, len(files), LOADED_AT_ONCE):
            some = files[start : start + LOADED_AT_ONCE]
            texts = await asyncio.gather(*(self._text(node) for _, node in some))
            found += [_document(*one) for one in zip(some, texts, strict=True)]
        return found

    async def _only(self, agent: str, call: SearchFiles) -> tuple[str, ...] | None:
        """The ids of the files that may be found; None: all of the agent's."""
        folder = parse(call.path)
        if not folder and call.since is None and call.until is None:
            return None
        since = -math.inf if call.since is None else call.since
        until = math.inf if call.until is None else call.until
        node = await self._shop.catalog.get(agent, folder) if folder else None
        if folder and node is None:
            raise NotFound(f"no file or folder {folder!r}")
        if node is not None and node.is_file:
            return (node.id,) if since <= node.modified < until else ()
        return tuple(await self._shop.catalog.changed(agent, folder, since, until))

    async def _found(self, hit: Hit, node: Node, query: str) -> FileFound:
        return FileFound(
            file=node.info(),
            score=hit.score,
            snippet=snippet(await self._text(node), query),
            keyword_rank=hit.keyword_rank,
            semantic_rank=hit.semantic_rank,
        )

    async def _text(self, node: Node) -> str:
        """A file's text; empty for binary files and for texts too long to be indexed."""
        if node.bytes > self._shop.limits.text_bytes_max:
            return ""
        return as_text(await self._shop.journal.blobs.get(node.sha256)) or ""


def _document(owned: tuple[str, Node], text: str) -> Document:
    agent, node = owned
    return Document(
        id=node.id, scope=agent, title=node.path, keywords="", text=text, time=node.modified
    )
