"""`client.notes`: an agent's long-term memories. A method is named after its verb."""

from collections.abc import Sequence
from typing import Any, TypedDict, Unpack

from aios.sdk.caller import Family, verb
from aios.syscalls import note
from aios.syscalls.note import Note, NotesFound, SearchMode

WORDS = ("keywords", "tags")


class NoteFields(TypedDict, total=False):
    """What a note may have besides its text."""

    keywords: Sequence[str]
    tags: Sequence[str]
    category: str
    source: str
    context: str


class NoteChanges(NoteFields, total=False):
    """What an update may change."""

    text: str
    base: int
    owner: str


class Filters(TypedDict, total=False):
    """What found notes must be, besides near to the query."""

    limit: int
    mode: SearchMode
    tags: Sequence[str]
    category: str
    source: str
    since: float
    until: float
    shared: bool


class NoteClient(Family):
    """The note family over one client."""

    get = verb(note.Get)
    remove = verb(note.Remove)
    link = verb(note.Link)
    share = verb(note.ShareNote)

    async def add(self, text: str, key: str = "", **fields: Unpack[NoteFields]) -> Note:
        return await self._client.call(note.Add(text=text, **_tuples(fields)), key=key)

    async def update(self, id: str, key: str = "", **changes: Unpack[NoteChanges]) -> Note:
        """Change the given fields; with `base`, a version that moved on raises `Conflict`."""
        return await self._client.call(note.Update(id=id, **_tuples(changes)), key=key)

    async def search(self, query: str = "", **filters: Unpack[Filters]) -> NotesFound:
        return await self._client.call(note.Search(query=query, **_tuples(filters)))


def _tuples(fields: NoteFields | Filters) -> dict[str, Any]:
    """Words as the syscalls have them; a list will do for the caller."""
    given: dict[str, Any] = {**fields}
    return {name: tuple(value) if name in WORDS else value for name, value in given.items()}
