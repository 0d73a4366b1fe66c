"""The note family: an agent's long-term memories, found again by words and by meaning. Pure data.

Times are seconds since the epoch, UTC. `owner` names another agent whose own note is meant, by a
right to it; empty means a note that the caller has or that is shared with it.
"""

from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta

from aios.syscalls.base import Ok, Syscall
from aios.syscalls.memory import Access, AgentName, Grant

TEXT_MAX = 100_000
NoteId = Annotated[str, Meta(min_length=1, max_length=64)]
Text = Annotated[str, Meta(min_length=1, max_length=TEXT_MAX)]
Word = Annotated[str, Meta(min_length=1, max_length=128)]
Words = Annotated[tuple[Word, ...], Meta(max_length=64)]
Line = Annotated[str, Meta(max_length=1_000)]


class SearchMode(StrEnum):
    """By words (BM25), by meaning (vectors), or both, their evidence added."""

    HYBRID = "hybrid"
    KEYWORD = "keyword"
    SEMANTIC = "semantic"


class Add(Syscall["Note"], frozen=True, tag="note.add"):
    """Remember a text. `context` is one line about what it is about and for."""

    text: Text
    keywords: Words = ()
    tags: Words = ()
    category: Line = ""
    source: Line = ""
    context: Line = ""


class Get(Syscall["Note"], frozen=True, tag="note.get"):
    """One note in full, the caller's own or one shared with it."""

    id: NoteId
    owner: AgentName = ""


class Update(Syscall["Note"], frozen=True, tag="note.update"):
    """Change the fields that are given. With `base`, a version that moved on raises `Conflict`."""

    id: NoteId
    text: Text | None = None
    keywords: Words | None = None
    tags: Words | None = None
    category: Line | None = None
    source: Line | None = None
    context: Line | None = None
    base: Annotated[int, Meta(ge=1)] | None = None
    owner: AgentName = ""


class Remove(Syscall[Ok], frozen=True, tag="note.remove"):
    """Forget a note, and every link to it."""

    id: NoteId
    owner: AgentName = ""


class Link(Syscall["Note"], frozen=True, tag="note.link"):
    """Tie a note to another, both ways; `remove` unties them."""

    id: NoteId
    to: NoteId
    remove: bool = False
    owner: AgentName = ""


class ShareNote(Syscall["Note"], frozen=True, tag="note.share"):
    """Let one named agent read or change a note, or take that back with `none`."""

    id: NoteId
    agent: Annotated[str, Meta(min_length=1, max_length=512)]
    access: Access = Access.READ
    owner: AgentName = ""


class Search(Syscall["NotesFound"], frozen=True, tag="note.search"):
    """The notes nearest to `query` that pass every filter, best first; no query: newest first."""

    query: Annotated[str, Meta(max_length=10_000)] = ""
    limit: Annotated[int, Meta(ge=1, le=1_000)] = 10
    mode: SearchMode = SearchMode.HYBRID
    tags: Words = ()  # a note must bear all of them
    category: Line = ""
    source: Line = ""
    since: float | None = None  # last changed at or after
    until: float | None = None  # last changed before
    shared: bool = True  # also those of other agents that are shared with the caller


class Note(msgspec.Struct, frozen=True, kw_only=True):
    """One long-term memory. `version` grows by one with each change."""

    id: str
    owner: str
    text: str
    keywords: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    category: str = ""
    source: str = ""
    context: str = ""
    links: tuple[str, ...] = ()
    created: float
    updated: float
    version: int = 1
    shared: tuple[Grant, ...] = ()  # the owner's to see


class NoteFound(msgspec.Struct, frozen=True):
    """A note and how near it was: its fused score, and its rank by words and by meaning (1..)."""

    note: Note
    score: float
    keyword_rank: int | None = None
    semantic_rank: int | None = None


class NotesFound(msgspec.Struct, frozen=True):
    """Best first. `pending` notes were written but are not indexed for the search yet."""

    notes: tuple[NoteFound, ...]
    pending: int = 0
