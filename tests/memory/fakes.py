"""Stand-ins for what the memory room is given: LLMs that count and summarise, an index."""

from collections.abc import Sequence

from aios.memory.notes import NoteRoom
from aios.retrieval.base import Document, Hit, Query
from aios.syscalls.llm import Message
from aios.syscalls.note import Note


class WordModels:
    """A token is a word; each message costs one more, and every conversation `extra` more."""

    def __init__(self, extra: int = 0) -> None:
        self.extra = extra
        self.counted = 0
        self.asked: list[tuple[str, int, int]] = []  # agent, messages, tokens

    async def count(self, messages: Sequence[Message], model: str) -> int:
        self.counted += 1
        words = sum(len((one.content or "").split()) + 1 for one in messages)
        return words + (self.extra if len(messages) > 1 else 0)

    async def summarise(
        self, agent: str, messages: Sequence[Message], tokens: int, model: str
    ) -> str:
        self.asked.append((agent, len(messages), tokens))
        return "it was long"


class NoNotes:
    """Nothing is ever recalled."""

    async def recall(self, agent: str, query: str, limit: int) -> Sequence[Note]:
        return ()


class WordIndex:
    """Finds documents that share words with the query; it sees changes at `settle`."""

    def __init__(self) -> None:
        self.documents: dict[str, Document] = {}
        self.changes = 0

    async def search(self, query: Query) -> list[Hit]:
        words = set(query.text.lower().split())
        scored = [
            (len(words & set(f"{one.title} {one.keywords} {one.text}".lower().split())), one.id)
            for one in self.documents.values()
            if (one.scope in query.scopes or one.id in query.also)
            and (query.only is None or one.id in query.only)
        ]
        best = sorted((-score, id) for score, id in scored if score)[: query.limit]
        return [Hit(id, float(-score), rank + 1, None) for rank, (score, id) in enumerate(best)]

    async def pending(self) -> int:
        return self.changes

    def changed(self) -> None:
        self.changes += 1

    async def settle(self, room: NoteRoom, ids: Sequence[str]) -> None:
        """See these notes as they are now."""
        found = {one.id: one for one in await room.documents(ids)}
        for id in ids:
            self.documents.pop(id, None)
        self.documents |= found
        self.changes = 0
