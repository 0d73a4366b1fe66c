"""Histories on disk: heads by name, nodes and messages by hash. Keeps nothing in RAM.

What no history leads to any more is garbage; triggers count uses, and `collect` removes what has
none, a bounded number at a time.
"""

from collections.abc import Sequence
from typing import Any

from aios.errors import Damaged
from aios.journal import statements
from aios.journal.base import Change, Journal, Work
from aios.memory.chain import START, Place, decoded, digest, encoded, grown
from aios.syscalls.llm import Message

BLOB_MIN = 64 << 10
COLLECTED_AT_ONCE = 256


class HistoryStore:
    """Adds changes to a syscall's work and reads what is durable."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    async def head(self, agent: str, name: str) -> Place | None:
        """Where a history ends; None where there is none of that name."""
        rows: Sequence[Any] = await self._journal.read(statements.HISTORY, agent, name)
        return Place(rows[0][0] or START, rows[0][1]) if rows else None

    async def heads(self, agent: str) -> list[tuple[str, Place]]:
        """All histories of an agent in order of name."""
        rows: Sequence[Any] = await self._journal.read(statements.HISTORIES_OF, agent)
        return [(name, Place(head or START, length)) for name, head, length in rows]

    async def count(self, agent: str) -> int:
        [(found,)] = await self._journal.read(statements.HISTORY_COUNT, agent)
        assert isinstance(found, int)
        return found

    async def extend(self, work: Work, head: Place, messages: Sequence[Message]) -> Place:
        """Where the messages behind `head` end; costs as much as the messages."""
        hashes = []
        for message in messages:
            body = encoded(message)
            hashes.append(digest(body))
            is_large = len(body) >= BLOB_MIN
            blob = await self._journal.blobs.put(body) if is_large else None
            work.add(statements.MESSAGE_ADD, hashes[-1], None if is_large else body, blob)
        nodes = grown(await self._spine(head), hashes)
        for node in nodes:
            work.add(
                statements.NODE_ADD,
                node.hash, node.parent or None, node.depth,
                node.jump.hash or None, node.jump.depth, node.message,
            )  # fmt: skip
        return Place(nodes[-1].hash, nodes[-1].depth)

    def put(self, work: Work, agent: str, name: str, head: Place) -> None:
        """The history ends there from now on."""
        work.add(statements.HISTORY_PUT, agent, name, head.hash or None, head.depth)

    def drop(self, work: Work, agent: str, name: str) -> None:
        work.add(statements.HISTORY_DROP, agent, name)

    async def at(self, head: Place, depth: int) -> Place:
        """The ancestor of `head` that so many messages lead to."""
        if depth == head.depth:
            return head
        if depth == 0:
            return Place(START, 0)
        rows: Sequence[Any] = await self._journal.read(statements.NODE_AT, head.hash, depth)
        if not rows:
            raise Damaged(f"node {head.hash.hex()} has no ancestor at {depth}")
        return Place(rows[0][0], depth)

    async def messages(self, head: Place, start: int) -> list[Message]:
        """The messages from `start` to `head`."""
        if start >= head.depth:
            return []
        rows: Sequence[Any] = await self._journal.read(statements.MESSAGES_BACK, head.hash, start)
        if len(rows) != head.depth - start:
            raise Damaged(
                f"node {head.hash.hex()}: expected {head.depth - start} messages, found {len(rows)}"
            )
        return [
            decoded(body if blob is None else await self._journal.blobs.get(blob))
            for body, blob in rows
        ]

    async def collect(self) -> bool:
        """Remove some garbage; whether there may be more."""
        [(unused,)] = await self._journal.read(statements.NODES_UNUSED)
        if not unused:
            return False
        await self._journal.post([Change(statements.NODES_COLLECT, (COLLECTED_AT_ONCE,))])
        return True

    async def blobs(self) -> set[str]:
        """Every blob that some message needs."""
        rows: Sequence[Any] = await self._journal.read(statements.MESSAGE_BLOBS)
        return {blob for (blob,) in rows}

    async def _spine(self, head: Place) -> list[Place]:
        start = Place(START, 0)
        if head == start:
            return [start]
        rows: Sequence[Any] = await self._journal.read(statements.NODE_JUMPS, head.hash)
        return [*(Place(found, depth) for found, depth in rows), start]
