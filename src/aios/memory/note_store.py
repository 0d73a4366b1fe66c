"""Notes on disk: rows, links and grants. Every read is of what one agent may see; keeps nothing."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import msgspec

from aios.journal import statements
from aios.journal.base import Change, Journal, Work
from aios.retrieval.base import Document
from aios.syscalls.memory import Access, Grant
from aios.syscalls.note import Note, Search

KIND = "note"  # in the outbox


class Seen(NamedTuple):
    """A note as one agent sees it, and what that agent may do with it."""

    note: Note
    access: Access


class NoteStore:
    """Adds changes to a syscall's work and reads what is durable."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def put(self, work: Work, note: Note) -> None:
        """The note's row, and word of it to the index."""
        work.add(
            statements.NOTE_PUT,
            note.id, note.owner, note.text, _json(note.keywords), _json(note.tags),
            note.category, note.source, note.context, note.created, note.updated, note.version,
        )  # fmt: skip
        work.add(statements.OUTBOX_ADD, KIND, note.id)

    def forget(self, work: Work, id: str) -> None:
        """Nothing of the note is left, nor any link to it."""
        for statement in (
            statements.NOTE_FORGET,
            statements.NOTE_UNLINK_ALL,
            statements.NOTE_REVOKE_ALL,
        ):
            work.add(statement, id)
        work.add(statements.OUTBOX_ADD, KIND, id)

    async def seen(self, agent: str, ids: Iterable[str]) -> dict[str, Seen]:
        """Those of the notes that are there and the agent may read."""
        rows: Sequence[Any] = await self._journal.read(statements.NOTES_BY_ID, _json(ids), agent)
        own = [id for id, owner, *_ in rows if owner == agent]
        granted: Sequence[Any] = (
            await self._journal.read(statements.NOTE_GRANTS, _json(own)) if own else ()
        )
        grants: dict[str, list[Grant]] = {}
        for note, other, access in granted:
            grants.setdefault(note, []).append(Grant(other, Access(access)))
        return {row[0]: _seen(agent, row, grants.get(row[0], ())) for row in rows}

    async def filtered(self, agent: str, call: Search, limit: int) -> list[str]:
        """Ids of notes that the agent may read and that pass the filters, newest first."""
        rows: Sequence[Any] = await self._journal.read(
            statements.NOTES_FILTERED,
            agent, call.shared, call.category, call.source, call.since, call.until,
            _json(call.tags), limit,
        )  # fmt: skip
        return [id for (id,) in rows]

    async def shared_with(self, agent: str) -> list[str]:
        """Ids of other agents' notes that the agent may read."""
        rows: Sequence[Any] = await self._journal.read(statements.NOTES_SHARED, agent)
        return [id for (id,) in rows]

    async def documents(self, ids: Sequence[str]) -> list[Document]:
        """What the index is to know of the notes that are there."""
        rows: Sequence[Any] = await self._journal.read(statements.NOTE_DOCUMENTS, _json(ids))
        return [
            Document(
                id=id,
                scope=owner,
                title=context,
                keywords=" ".join((*_words(keywords), *_words(tags), category)).strip(),
                text=text,
                time=updated,
            )
            for id, owner, context, keywords, tags, category, text, updated in rows
        ]

    async def add_all(self) -> None:
        """Word of every note to the index."""
        await self._journal.post([Change(statements.NOTES_TO_OUTBOX, (KIND,))])


def _seen(agent: str, row: Any, grants: Sequence[Grant]) -> Seen:
    id, owner, text, keywords, tags, category, source, context, links, *rest = row
    created, updated, version, access = rest
    note = Note(
        id=id,
        owner=owner,
        text=text,
        keywords=_words(keywords),
        tags=_words(tags),
        category=category,
        source=source,
        context=context,
        links=tuple(sorted(_words(links))),
        created=created,
        updated=updated,
        version=version,
        shared=tuple(grants),
    )
    return Seen(note, Access.WRITE if owner == agent else Access(access))


def _json(words: Iterable[str]) -> str:
    return msgspec.json.encode(list(words)).decode()


def _words(text: str) -> tuple[str, ...]:
    return msgspec.json.decode(text, type=tuple[str, ...])
