"""The note family: an agent's long-term memories, with versions, links and grants.

Nothing is kept in RAM: notes are found through the journal and the index. A note that is not there
and a note of another agent that is not shared are the same error.
"""

from collections.abc import Sequence
from random import Random
from typing import Any

import msgspec

from aios.clock import Clock
from aios.errors import Conflict, Denied, InvalidArgument, NotFound
from aios.journal.base import Journal, Work
from aios.journal.statements import NOTE_GRANT, NOTE_LINK, NOTE_REVOKE, NOTE_UNLINK
from aios.memory.locks import Locks
from aios.memory.note_search import NoteSearch, Searcher
from aios.memory.note_store import NoteStore, Seen
from aios.retrieval.base import Document
from aios.syscalls import note as notes
from aios.syscalls.base import Ok
from aios.syscalls.memory import Access, Grant

CHANGEABLE = ("text", "keywords", "tags", "category", "source", "context")
GRANTS_MAX = 1_000
LINKS_MAX = 1_000


class NoteRoom:
    """Handlers of the note family."""

    def __init__(self, journal: Journal, index: Searcher, clock: Clock, random: Random) -> None:
        self._store = NoteStore(journal)
        self._index = index
        self._found = NoteSearch(self._store, index)
        self._clock = clock
        self._random = random
        self._locks = Locks()

    async def add(self, agent: str, call: notes.Add, work: Work) -> notes.Note:
        now = self._clock.utc()
        note = notes.Note(
            id=f"note-{self._random.getrandbits(96):024x}",
            owner=agent,
            text=call.text,
            keywords=call.keywords,
            tags=call.tags,
            category=call.category,
            source=call.source,
            context=call.context,
            created=now,
            updated=now,
        )
        return await self._commit(work, note)

    async def get(self, agent: str, call: notes.Get, work: Work) -> notes.Note:
        return (await self._seen(agent, call.id, call.owner)).note

    async def update(self, agent: str, call: notes.Update, work: Work) -> notes.Note:
        async with self._locks.of(call.id):
            note = await self._changeable(agent, call.id, call.owner)
            if call.base is not None and call.base != note.version:
                raise Conflict(
                    f"note {call.id!r} is at version {note.version}, not at the {call.base} "
                    "that was changed",
                    base=call.base,
                    current=note.version,
                )
            given = {name: getattr(call, name) for name in CHANGEABLE}
            fields = {name: value for name, value in given.items() if value is not None}
            return await self._commit(work, self._next(note, **fields))

    async def remove(self, agent: str, call: notes.Remove, work: Work) -> Ok:
        async with self._locks.of(call.id):
            await self._own(agent, call.id, call.owner)
            self._store.forget(work, call.id)
            reply = Ok()
            await work.commit(reply)
            self._index.changed()
            return reply

    async def link(self, agent: str, call: notes.Link, work: Work) -> notes.Note:
        if call.id == call.to:
            raise InvalidArgument("to: expected another note than the one that is tied")
        async with self._locks.of(call.id, call.to):
            note = await self._changeable(agent, call.id, call.owner)
            other = await self._changeable(agent, call.to, call.owner)
            is_there = other.id in note.links
            if is_there is not call.remove:
                return note
            links = {*note.links} ^ {other.id}
            for one in (links, other.links):
                if not call.remove and len(one) >= LINKS_MAX:
                    raise InvalidArgument(f"expected at most {LINKS_MAX} links of a note")
            work.add(NOTE_UNLINK if call.remove else NOTE_LINK, note.id, other.id)
            self._store.put(work, self._next(other))
            return await self._commit(work, self._next(note, links=tuple(sorted(links))))

    async def share(self, agent: str, call: notes.ShareNote, work: Work) -> notes.Note:
        if call.agent == agent:
            raise InvalidArgument("agent: expected another agent; a note is its owner's")
        async with self._locks.of(call.id):
            note = await self._own(agent, call.id, call.owner)
            grants = [one for one in note.shared if one.agent != call.agent]
            if call.access is Access.NONE:
                work.add(NOTE_REVOKE, note.id, call.agent)
            else:
                if len(grants) >= GRANTS_MAX:
                    raise InvalidArgument(f"expected at most {GRANTS_MAX} agents to share with")
                work.add(NOTE_GRANT, note.id, call.agent, call.access.value)
                grants.append(Grant(call.agent, call.access))
            grants.sort(key=lambda one: one.agent)
            reply = msgspec.structs.replace(note, shared=tuple(grants))
            await work.commit(reply)
            return reply

    async def search(self, agent: str, call: notes.Search, work: Work) -> notes.NotesFound:
        return await self._found.search(agent, call)

    async def recall(self, agent: str, query: str, limit: int) -> Sequence[notes.Note]:
        """The notes nearest to the query that the agent may read, best first."""
        return await self._found.recall(agent, query, limit)

    async def documents(self, ids: Sequence[str]) -> list[Document]:
        """What the index is to know of those of the notes that are there."""
        return await self._store.documents(ids)

    async def add_all(self) -> None:
        """Let the index know of every note, as one that is begun anew must."""
        await self._store.add_all()

    async def _commit(self, work: Work, note: notes.Note) -> notes.Note:
        self._store.put(work, note)
        await work.commit(note)
        self._index.changed()
        return note

    def _next(self, note: notes.Note, **fields: Any) -> notes.Note:
        return msgspec.structs.replace(
            note, updated=self._clock.utc(), version=note.version + 1, **fields
        )

    async def _seen(self, agent: str, id: str, owner: str) -> Seen:
        """A note that the agent may see; where an owner is named, of that one's own."""
        seen = (await self._store.seen(agent, [id])).get(id)
        if seen is None or owner not in ("", seen.note.owner):
            raise NotFound(f"no note {id!r}; `search` finds those there are")
        return seen

    async def _changeable(self, agent: str, id: str, owner: str) -> notes.Note:
        seen = await self._seen(agent, id, owner)
        if seen.access is not Access.WRITE:
            raise Denied(f"note {id!r} is shared for reading; expected write")
        return seen.note

    async def _own(self, agent: str, id: str, owner: str) -> notes.Note:
        note = (await self._seen(agent, id, owner)).note
        if note.owner != agent:
            raise Denied(f"note {id!r} belongs to agent {note.owner!r}; expected its owner")
        return note
