"""Finding notes: by words and meaning through an index, by filters through the journal.

The index may be behind; whatever it finds is looked up again, so that a note that is gone, or no
longer shared, is never shown.
"""

from collections.abc import Sequence
from typing import Protocol

from aios.memory.note_store import NoteStore
from aios.retrieval.base import Hit, Query
from aios.syscalls.note import Note, NoteFound, NotesFound, Search

FILTERED_MAX = 100_000  # notes that a search is narrowed down to


class Searcher(Protocol):
    """An index of notes, and how far behind it is."""

    async def search(self, query: Query) -> list[Hit]:
        """Best first."""
        ...

    async def pending(self) -> int:
        """Changes that it has not seen."""
        ...

    def changed(self) -> None:
        """There is something for it to see."""
        ...


class NoteSearch:
    """Searches on behalf of an agent."""

    def __init__(self, store: NoteStore, index: Searcher) -> None:
        self._store = store
        self._index = index

    async def search(self, agent: str, call: Search) -> NotesFound:
        """The notes nearest to the query that pass every filter."""
        hits = await (self._hits(agent, call) if call.query.strip() else self._newest(agent, call))
        seen = await self._store.seen(agent, [hit.id for hit in hits])
        found = [
            NoteFound(seen[hit.id].note, hit.score, hit.keyword_rank, hit.semantic_rank)
            for hit in hits
            if hit.id in seen
        ]
        return NotesFound(tuple(found), await self._index.pending())

    async def recall(self, agent: str, query: str, limit: int) -> Sequence[Note]:
        """The notes nearest to the query, best first."""
        found = await self.search(agent, Search(query=query, limit=limit))
        return [one.note for one in found.notes]

    async def _hits(self, agent: str, call: Search) -> list[Hit]:
        only = None
        if call.tags or call.category or call.source or (call.since, call.until) != (None, None):
            only = await self._store.filtered(agent, call, FILTERED_MAX)
        also = await self._store.shared_with(agent) if call.shared else ()
        query = Query(
            text=call.query,
            scopes=(agent,),
            limit=call.limit,
            mode=call.mode,
            also=also,
            only=None if only is None else frozenset(only),
        )
        return await self._index.search(query)

    async def _newest(self, agent: str, call: Search) -> list[Hit]:
        ids = await self._store.filtered(agent, call, call.limit)
        return [Hit(id, 0.0, None, None) for id in ids]
