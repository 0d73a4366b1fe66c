"""The KV of all sequences in one tensor of fixed blocks, shared by reference count.

Each sequence has a row of block numbers. Rows share blocks after a fork and after a prefix hit; a
shared block is copied before it is written. Knows no generation and no model.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from aios.cores.torch.prefix import PrefixCache
from aios.cores.torch.settings import BLOCK_TOKENS

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class KvShape:
    """What one token's KV looks like."""

    layers: int
    kv_heads: int
    head_dim: int
    dtype: torch.dtype

    @property
    def block_bytes(self) -> int:
        """Bytes of one block over all layers."""
        return 2 * self.layers * self.kv_heads * self.head_dim * self.dtype.itemsize * BLOCK_TOKENS


class Pool:
    """Blocks 1.. hold KV. Block 0 is written by padding only and always finite."""

    def __init__(
        self, shape: KvShape, cache: PrefixCache, *, blocks: int, row_blocks: int, device: str
    ) -> None:
        self.shape = shape
        self.cache = cache
        self.capacity = blocks
        size = (2 * shape.layers, blocks + 1, BLOCK_TOKENS, shape.kv_heads, shape.head_dim)
        self.kv = torch.zeros(size, dtype=shape.dtype, device=device)  # keys, values, keys, ...
        self.by_block = self.kv.view(2 * shape.layers, blocks + 1, -1)
        self.by_slot = self.kv.view(2 * shape.layers, -1, shape.kv_heads, shape.head_dim)
        self.tables: Ints = np.zeros((8, row_blocks), dtype=np.int64)
        self.counts: Ints = np.zeros(8, dtype=np.int64)  # blocks in use per row
        self._refs = np.zeros(blocks + 1, dtype=np.int32)
        self._free = list(range(blocks, 0, -1))
        self._free_rows = list(range(7, -1, -1))

    @property
    def room(self) -> int:
        """Blocks that can be had now, cached prefixes given up included."""
        return len(self._free) + self.cache.idle_blocks

    def open(self) -> int:
        """A new empty row."""
        if not self._free_rows:
            rows = len(self.tables)
            self.tables = np.concatenate((self.tables, np.zeros_like(self.tables)))
            self.counts = np.concatenate((self.counts, np.zeros_like(self.counts)))
            self._free_rows = list(range(2 * rows - 1, rows - 1, -1))
        return self._free_rows.pop()

    def close(self, row: int) -> None:
        """Give the row's blocks back."""
        self.give(self.blocks(row))
        self.tables[row] = 0
        self.counts[row] = 0
        self._free_rows.append(row)

    def blocks(self, row: int) -> Ints:
        """The row's block numbers in order."""
        return self.tables[row, : self.counts[row]].copy()

    def held(self, rows: Sequence[int]) -> Ints:
        """The different blocks of some rows, in order of number."""
        if len(rows) == 1:
            return np.sort(self.blocks(rows[0]))
        found = np.unique(self.tables[np.asarray(rows, dtype=np.int64)])
        return found[found > 0]

    def held_blocks(self, rows: Sequence[int]) -> int:
        """How many different blocks some rows hold."""
        return int(self.counts[rows[0]]) if len(rows) == 1 else len(self.held(rows))

    def missing(self, row: int, tokens: int) -> int:
        """Blocks that the row lacks to hold that many tokens."""
        return max(0, -(-tokens // BLOCK_TOKENS) - int(self.counts[row]))

    def grow(self, row: int, tokens: int) -> None:
        """Let the row hold that many tokens. The caller saw to it that there is room."""
        count = int(self.counts[row])
        for place in range(count, count + self.missing(row, tokens)):
            self.tables[row, place] = self._take()
            self.counts[row] += 1

    def append(self, row: int, blocks: Ints) -> None:
        """Add blocks that others hold too, such as a cached prefix."""
        count = int(self.counts[row])
        self.cache.used(blocks[self._refs[blocks] == 0])
        self._refs[blocks] += 1
        self.tables[row, count : count + len(blocks)] = blocks
        self.counts[row] = count + len(blocks)

    def fork(self, row: int) -> int:
        """A new row that shares every block of `row`."""
        twin = self.open()
        self.append(twin, self.blocks(row))
        return twin

    def take(self, count: int) -> Ints:
        """New blocks that belong to the caller until `give`."""
        return np.array([self._take() for _ in range(count)], dtype=np.int64)

    def give(self, blocks: Ints) -> None:
        """The caller's share in blocks ends."""
        self._release(blocks)

    def reparent(self, rows: Sequence[int], parents: Sequence[int]) -> list[int]:
        """As many rows as `parents`: the i-th is what `rows[parents[i]]` was, for all i at once.

        Row numbers are reused; `rows` that are not among the result are closed.
        """
        result = [*rows[: len(parents)], *(self.open() for _ in parents[len(rows) :])]
        sources = [rows[parent] for parent in parents]
        if result == sources and len(rows) == len(parents):
            return result
        tables, counts = self.tables[sources], self.counts[sources]
        np.add.at(self._refs, tables.ravel(), 1)
        gone, times = np.unique(self.tables[list(rows)], return_counts=True)
        self._release(gone, times.astype(np.int32))
        self.tables[result], self.counts[result] = tables, counts
        for row in rows[len(parents) :]:
            self.tables[row] = 0
            self.counts[row] = 0
            self._free_rows.append(row)
        return result

    def unready(self, rows: Ints, positions: Ints) -> Ints:
        """Indices of rows that need a block before they may write at their positions."""
        blocks = self.tables[rows, positions // BLOCK_TOKENS]
        unready: Ints = ((blocks == 0) | (self._refs[blocks] > 1)).nonzero()[0]
        return unready

    def make_ready(self, rows: Sequence[int], positions: Sequence[int]) -> None:
        """Give each row a block of its own for its position. The caller saw to room."""
        sources, targets = [], []
        for row, position in zip(rows, positions, strict=True):
            block = int(self.tables[row, position // BLOCK_TOKENS])
            if block == 0:
                self.grow(row, position + 1)
            elif self._refs[block] > 1:
                copy = self._take()
                self._refs[block] -= 1
                self.tables[row, position // BLOCK_TOKENS] = copy
                sources.append(block)
                targets.append(copy)
        if sources:
            device = self.kv.device
            content = self.by_block.index_select(1, torch.tensor(sources, device=device))
            self.by_block.index_copy_(1, torch.tensor(targets, device=device), content)

    def _take(self) -> int:
        if not self._free:
            given_up = self.cache.evict()
            assert given_up, "the caller must see to room before it takes blocks"
            self._free.extend(given_up)
        block = self._free.pop()
        assert self._refs[block] == 0
        self._refs[block] = 1
        return block

    def _release(self, blocks: Ints, times: npt.NDArray[np.int32] | int = 1) -> None:
        self._refs[blocks] -= times
        self._refs[0] = 0
        gone = blocks[(self._refs[blocks] == 0) & (blocks > 0)]
        self._free.extend(self.cache.rest(gone))
