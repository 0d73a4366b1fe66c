"""`client.notes`: an agent's long-term memories. A method is named after its verb."""

from collections.abc import Sequence
from typing import Any, TypedDict, Unpack

from aios.sdk.caller import Caller
from aios.syscalls.base import Ok
from aios.syscalls.memory import Access
from aios.syscalls.note import (
    Add,
    Get,
    Link,
    Note,
    NotesFound,
    Remove,
    Search,
    SearchMode,
    ShareNote,
    Update,
)

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


class NoteClient:
    """The note family over one client."""

    def __init__(self, client: Caller) -> None:
        self._client = client

    async def add(self, text: str, key: str = "", **fields: Unpack[NoteFields]) -> Note:
        return await self._client.call(Add(text=text, **_tuples(fields)), key=key)

    async def get(self, id: str, owner: str = "") -> Note:
        return await self._client.call(Get(id=id, owner=owner))

    async def update(self, id: str, key: str = "", **changes: Unpack[NoteChanges]) -> Note:
        """Change the given fields; with `base`, a version that moved on raises `Conflict`."""
        return await self._client.call(Update(id=id, **_tuples(changes)), key=key)

    async def remove(self, id: str, owner: str = "") -> Ok:
        return await self._client.call(Remove(id=id, owner=owner))

    async def link(self, id: str, to: str, remove: bool = False, owner: str = "") -> Note:
        return await self._client.call(Link(id=id, to=to, remove=remove, owner=owner))

    async def share(
        self, id: str, agent: str, access: Access = Access.READ, owner: str = ""
    ) -> Note:
        return await self._client.call(ShareNote(id=id, agent=agent, access=access, owner=owner))

    async def search(self, query: str = "", **filters: Unpack[Filters]) -> NotesFound:
        return await self._client.call(Search(query=query, **_tuples(filters)))


def _tuples(fields: NoteFields | Filters) -> dict[str, Any]:
    """Words as the syscalls have them; a list will do for the caller."""
    given: dict[str, Any] = {**fields}
    return {name: tuple(value) if name in WORDS else value for name, value in given.items()}
