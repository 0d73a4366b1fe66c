"""Blocks on disk: an agent's index of them, and their bytes as chunks. Knows no RAM and no rights.

A block is a row and its chunks in order, so that an append costs as much as what it adds. Which of
the newest are joined to one is told by `joining`. A chunk of `BLOB_MIN` bytes or more is a blob.
"""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter
from typing import Any

from aios.errors import Damaged
from aios.journal import statements
from aios.journal.base import Journal, Work
from aios.memory.joining import TAIL_MAX, joined
from aios.syscalls.memory import Access

BLOB_MIN = 64 << 10


@dataclass(slots=True, kw_only=True)
class Block:
    """One row of the index, as it is durable."""

    id: int
    owner: str
    name: str
    bytes: int = 0
    limit_bytes: int
    chunks: int = 0
    grants: dict[str, Access] = field(default_factory=dict)  # agent: READ or WRITE
    tail: tuple[int, ...] | None = None  # sizes of its newest chunks in order; None: not read yet


class BlockStore:
    """Adds changes to a syscall's work and reads what is durable; keeps nothing."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    async def last_id(self) -> int:
        """The highest number of a block there is."""
        [(last,)] = await self._journal.read(statements.BLOCK_LAST)
        assert isinstance(last, int)
        return last

    async def index(self, owner: str) -> dict[str, Block]:
        """All blocks of an agent by name."""
        rows: Sequence[Any] = await self._journal.read(statements.BLOCKS_OF, owner)
        if not rows:
            return {}
        granted: Sequence[Any] = await self._journal.read(statements.BLOCK_GRANTS_OF, owner)
        by_block = {
            block: {agent: Access(access) for _, agent, access in of_one}
            for block, of_one in groupby(sorted(granted), key=itemgetter(0))
        }
        return {
            name: Block(
                id=id,
                owner=owner,
                name=name,
                bytes=size,
                limit_bytes=limit,
                chunks=chunks,
                grants=by_block.get(id, {}),
            )
            for id, name, size, limit, chunks in rows
        }

    async def shared_with(self, agent: str) -> list[tuple[str, str]]:
        """Owner and name of the blocks of others that an agent may use."""
        rows: Sequence[Any] = await self._journal.read(statements.BLOCKS_SHARED, agent)
        return [(owner, name) for owner, name in rows]

    def put(self, work: Work, block: Block) -> None:
        """The block's row."""
        work.add(
            statements.BLOCK_PUT,
            block.id, block.owner, block.name, block.bytes, block.limit_bytes, block.chunks,
        )  # fmt: skip

    async def replace(self, work: Work, block: Block, data: bytes) -> Block:
        """The block with these bytes instead of what it had."""
        work.add(statements.CHUNKS_DROP, block.id, 0)
        if data:
            await self._add(work, block.id, 0, data)
        parts = (len(data),) if data else ()
        return dataclasses.replace(block, bytes=len(data), chunks=len(parts), tail=parts)

    async def append(self, work: Work, block: Block, data: bytes) -> Block:
        """The block with these bytes behind what it had."""
        size = block.bytes + len(data)
        tail = await self._tail(block)
        count = joined(tail, len(data))
        place = block.chunks - count
        if count:
            data = await self.read(block, place) + data
            work.add(statements.CHUNKS_DROP, block.id, place)
        await self._add(work, block.id, place, data)
        tail = (*tail[: len(tail) - count], len(data))[-TAIL_MAX:]
        return dataclasses.replace(block, bytes=size, chunks=place + 1, tail=tail)

    def free(self, work: Work, block: Block) -> None:
        """Nothing of the block is left."""
        work.add(statements.CHUNKS_DROP, block.id, 0)
        work.add(statements.BLOCK_REVOKE_ALL, block.id)
        work.add(statements.BLOCK_FREE, block.id)

    async def read(self, block: Block, place: int = 0) -> bytes:
        """The block's bytes from a chunk on. Raises `Damaged` where some are missing."""
        rows: Sequence[Any] = await self._journal.read(statements.CHUNKS, block.id, place)
        parts = [
            data if blob is None else await self._journal.blobs.get(blob) for data, blob in rows
        ]
        found = b"".join(parts)
        if place == 0 and len(found) != block.bytes:
            raise Damaged(
                f"block {block.name!r} of {block.owner!r}: expected {block.bytes} bytes, "
                f"found {len(found)}"
            )
        return found

    async def blobs(self) -> set[str]:
        """Every blob that some block needs."""
        rows: Sequence[Any] = await self._journal.read(statements.CHUNK_BLOBS)
        return {blob for (blob,) in rows}

    async def _tail(self, block: Block) -> tuple[int, ...]:
        if block.tail is not None:
            return block.tail
        rows: Sequence[Any] = await self._journal.read(statements.CHUNKS_NEWEST, block.id, TAIL_MAX)
        return tuple(size for (size,) in reversed(rows))

    async def _add(self, work: Work, block: int, place: int, data: bytes) -> None:
        is_large = len(data) >= BLOB_MIN
        blob = await self._journal.blobs.put(data) if is_large else None
        work.add(statements.CHUNK_ADD, block, place, len(data), None if is_large else data, blob)
