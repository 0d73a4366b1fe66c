"""Finding files without an index: by looking into every one. For homes that have none at hand.

By words only: how near a meaning is, nobody can see by looking.
"""

import re
from collections.abc import AsyncIterator

from aios.errors import WrongState
from aios.journal.base import Journal
from aios.retrieval.base import Hit, Query
from aios.storage.catalog import Catalog
from aios.storage.nodes import Node
from aios.storage.paths import ROOT
from aios.storage.texts import as_text
from aios.syscalls.note import SearchMode

FILES_MAX = 20_000  # looked into in one search
TEXT_BYTES_MAX = 1 << 20
NAME_WEIGHT = 2.0
_WORD = re.compile(r"\w+")


class Scan:
    """A `Searcher` that is never behind, and slow: a blob is read for every file."""

    def __init__(self, journal: Journal) -> None:
        self._catalog = Catalog(journal)
        self._blobs = journal.blobs

    async def search(self, query: Query) -> list[Hit]:
        """Files by how many of the query's words they have, names counting more."""
        if query.mode is SearchMode.SEMANTIC:
            raise WrongState("semantic search needs an index; expected mode keyword or hybrid here")
        words = {word.casefold() for word in _WORD.findall(query.text)}
        scored = [(await self._score(node, words), node.id) async for node in self._files(query)]
        best = sorted(((score, id) for score, id in scored if score), key=lambda one: -one[0])
        return [Hit(id, score, rank, None) for rank, (score, id) in enumerate(best, 1)][
            : query.limit
        ]

    async def pending(self) -> int:
        return 0

    def changed(self) -> None:
        """It looks at the files themselves."""

    async def _files(self, query: Query) -> AsyncIterator[Node]:
        for scope in query.scopes:
            for node in await self._catalog.below(scope, ROOT, FILES_MAX):
                if node.is_file and (query.only is None or node.id in query.only):
                    yield node

    async def _score(self, node: Node, words: set[str]) -> float:
        name = {word.casefold() for word in _WORD.findall(node.path)}
        text = ""
        if node.bytes <= TEXT_BYTES_MAX:
            text = as_text(await self._blobs.get(node.sha256)) or ""
        found = {word.casefold() for word in _WORD.findall(text)}
        return NAME_WEIGHT * len(words & name) + len(words & found)
