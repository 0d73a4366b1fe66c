"""Chunks of prompts whose KV is worth keeping after its last user left. Knows no tensor.

A chunk is found by its parent's number and its tokens, so that two prompts share it only where all
tokens up to its end are equal. That is exact because only KV that was computed on the chunk grid
is kept: the same chunk at the same place is computed the same way by everybody.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Key = tuple[int, tuple[int, ...]]  # the parent's number and the chunk's tokens

ROOT = 0


@dataclass(frozen=True, slots=True)
class _Chunk:
    key: Key
    blocks: Ints


class PrefixCache:
    """A chunk is idle while no sequence uses it; idle chunks are given up, oldest first."""

    def __init__(self, chunk_tokens: int, chunk_blocks: int) -> None:
        self._tokens = chunk_tokens
        self._blocks = chunk_blocks
        self._numbers: dict[Key, int] = {}
        self._chunks: dict[int, _Chunk] = {}
        self._chunk_of: dict[int, int] = {}  # block -> chunk
        self._idle: dict[int, None] = {}  # a parent always stands behind its children
        self._last = ROOT
        self.idle_blocks = 0

    def find(self, tokens: Sequence[int]) -> Ints:
        """Blocks of the longest kept chain that begins `tokens`, in whole chunks."""
        found: list[Ints] = []
        parent = ROOT
        for place in range(len(tokens) // self._tokens):
            number = self._numbers.get(self._key(parent, tokens, place))
            if number is None:
                break
            found.append(self._chunks[number].blocks)
            parent = number
        return np.concatenate(found) if found else np.empty(0, dtype=np.int64)

    def keep(self, tokens: Sequence[int], blocks: Ints) -> None:
        """Note that `blocks` hold the KV of `tokens`, as far as it is whole chunks."""
        parent = ROOT
        for place in range(len(tokens) // self._tokens):
            key = self._key(parent, tokens, place)
            number = self._numbers.get(key)
            if number is None:
                mine = blocks[place * self._blocks : (place + 1) * self._blocks]
                if int(mine[0]) in self._chunk_of:
                    return  # Kept under a parent that was given up since; found by nobody.
                number = self._add(key, mine)
            parent = number

    def used(self, blocks: Ints) -> None:
        """Blocks without users get one; all of them are kept here."""
        for number in dict.fromkeys(self._chunk_of[int(block)] for block in blocks):
            del self._idle[number]
            self.idle_blocks -= len(self._chunks[number].blocks)

    def rest(self, blocks: Ints) -> list[int]:
        """Blocks lost their last user: keep those of chunks, return the others."""
        others = []
        numbers: dict[int, None] = {}
        for block in blocks.tolist():
            number = self._chunk_of.get(block)
            if number is None:
                others.append(block)
            else:
                numbers[number] = None
        # The deepest chunk goes idle first, so that no parent is ever given up before its child.
        for number in sorted(numbers, reverse=True):
            self._idle[number] = None
            self.idle_blocks += len(self._chunks[number].blocks)
        return others

    def evict(self) -> list[int]:
        """Give up the chunk that was idle longest; its blocks, or none."""
        if not self._idle:
            return []
        number = next(iter(self._idle))
        del self._idle[number]
        chunk = self._chunks.pop(number)
        del self._numbers[chunk.key]
        blocks: list[int] = chunk.blocks.tolist()
        for block in blocks:
            del self._chunk_of[block]
        self.idle_blocks -= len(blocks)
        return blocks

    def _key(self, parent: int, tokens: Sequence[int], place: int) -> Key:
        return parent, tuple(tokens[place * self._tokens : (place + 1) * self._tokens])

    def _add(self, key: Key, blocks: Ints) -> int:
        self._last += 1
        self._numbers[key] = self._last
        self._chunks[self._last] = _Chunk(key, blocks.copy())
        self._chunk_of.update(dict.fromkeys(blocks.tolist(), self._last))
        return self._last
