"""Notes that organise themselves, as in A-MEM (Xu et al. 2025, arXiv 2502.12110).

A new note gets keywords, tags and a context from the model; its nearest notes are found; the model
says which of them it belongs to and how it changes what is known of them. Two generations a note,
both held to a schema. A neighbour that somebody else changed meanwhile is left as it is.
"""

from collections.abc import Sequence
from typing import Annotated, Any, TypeVar, Unpack

import msgspec
from msgspec import Meta

from aios.errors import Conflict, CoreFailed, Denied, NotFound
from aios.sdk import Agent, Client, Options
from aios.syscalls.note import Note

T = TypeVar("T")
NEIGHBOURS = 5
QUERY_MAX = 2_000  # characters of a search for neighbours
WORDS_MAX = 12  # keywords or tags that the model may give a note
CHARACTERS_MAX = 120  # of each
Word = Annotated[str, Meta(min_length=1, max_length=CHARACTERS_MAX)]
Words = Annotated[tuple[Word, ...], Meta(max_length=WORDS_MAX)]
Line = Annotated[str, Meta(max_length=500)]

DESCRIBE = (
    "You file notes. Give the note's keywords, its tags (broad classes), and a context: one "
    "sentence on what it is about and what it is good for."
)
CONNECT = (
    "You file notes. Say which of the numbered neighbours the new note belongs to (links), and "
    "for which neighbours the new note makes a better context or better tags (updates)."
)


class Description(msgspec.Struct, frozen=True):
    """What the model says about a note."""

    keywords: Words
    tags: Words
    context: Line


class Revision(msgspec.Struct, frozen=True):
    """A better description of the neighbour of that number."""

    neighbour: int
    context: Line
    tags: Words


class Connections(msgspec.Struct, frozen=True):
    """Neighbours by number: those to be tied to the note, and those to be described anew."""

    links: tuple[int, ...]
    updates: tuple[Revision, ...]


class Kept(msgspec.Struct, frozen=True):
    """The note as it stands, and the neighbours that were described anew."""

    note: Note
    evolved: tuple[Note, ...]


class Notekeeper:
    """Adds notes on behalf of a client. Deterministic unless told otherwise."""

    def __init__(self, *, neighbours: int = NEIGHBOURS, **options: Unpack[Options]) -> None:
        self._neighbours = neighbours
        quiet: Options = {"temperature": 0.0}
        described: Options = {"schema": DESCRIPTION}
        connected: Options = {"schema": CONNECTIONS}
        self._describe = Agent("notekeeper", instructions=DESCRIBE, **(quiet | options | described))
        self._connect = Agent("notekeeper", instructions=CONNECT, **(quiet | options | connected))

    async def add(self, client: Client, text: str, category: str = "", source: str = "") -> Kept:
        """Remember a text, described and tied to what it belongs to."""
        said = await self._describe(client, {"note": text})
        about = _decoded(said, Description)
        note = await client.notes.add(
            text,
            keywords=about.keywords,
            tags=about.tags,
            context=about.context,
            category=category,
            source=source,
        )
        near = await self._near(client, note)
        if not near:
            return Kept(note, ())
        said = await self._connect(client, _question(note, near))
        found = _decoded(said, Connections)
        evolved = await _evolve(client, near, found.updates)
        return Kept(await _tie(client, note, near, found.links), evolved)

    async def _near(self, client: Client, note: Note) -> list[Note]:
        query = f"{note.context} {' '.join(note.keywords)} {note.text}"[:QUERY_MAX]
        found = await client.notes.search(query, limit=self._neighbours + 1, shared=False)
        return [one.note for one in found.notes if one.note.id != note.id][: self._neighbours]


def _question(note: Note, near: Sequence[Note]) -> dict[str, Any]:
    neighbours = [
        {"number": number, "note": one.text, "context": one.context, "tags": one.tags}
        for number, one in enumerate(near)
    ]
    new = {"note": note.text, "context": note.context, "tags": note.tags}
    return {"new": new, "neighbours": neighbours}


async def _evolve(
    client: Client, near: Sequence[Note], updates: Sequence[Revision]
) -> tuple[Note, ...]:
    """Describe neighbours anew, each at most once and only from the version that was shown."""
    wanted = {one.neighbour: one for one in updates if 0 <= one.neighbour < len(near)}
    evolved = []
    for number, one in wanted.items():
        old = near[number]
        if (one.context, one.tags) == (old.context, old.tags):
            continue
        try:
            evolved.append(
                await client.notes.update(
                    old.id, context=one.context, tags=one.tags, base=old.version
                )
            )
        except (Conflict, NotFound):
            continue  # It moved on: what the model saw is no longer there.
    return tuple(evolved)


async def _tie(client: Client, note: Note, near: Sequence[Note], links: Sequence[int]) -> Note:
    for number in dict.fromkeys(links):
        if not 0 <= number < len(near):
            continue
        try:
            note = await client.notes.link(note.id, near[number].id)
        except (NotFound, Denied):
            continue
    return note


def _decoded(said: str, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(said, type=kind)
    except msgspec.DecodeError as problem:
        raise CoreFailed(f"expected JSON of the notekeeper's schema: {problem}") from None


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


_WORDS = {
    "type": "array",
    "maxItems": WORDS_MAX,
    "items": {"type": "string", "minLength": 1, "maxLength": CHARACTERS_MAX},
}
_LINE = {"type": "string", "maxLength": 500}
_NUMBER = {"type": "integer", "minimum": 0, "maximum": 99}
DESCRIPTION = _object({"keywords": _WORDS, "tags": _WORDS, "context": _LINE})
CONNECTIONS = _object(
    {
        "links": {"type": "array", "maxItems": 16, "items": _NUMBER},
        "updates": {
            "type": "array",
            "maxItems": 16,
            "items": _object({"neighbour": _NUMBER, "context": _LINE, "tags": _WORDS}),
        },
    }
)
