"""Bytes of blocks in RAM, within a budget. Knows no disk: what leaves is durable already.

When the bytes pass the high mark, blocks go until they do not: first what its owner left behind,
then what the rule of eviction gives up. A block that is larger than the mark is never kept.
"""

from collections.abc import Iterable

from aios.errors import InvalidArgument
from aios.memory.eviction import Key, Leaving, Rule

OVERHEAD = 512  # bytes of bookkeeping a block, counted too: many small blocks fill RAM as well


class Cache:
    """Copies of blocks by their number. `high` is the share of `ram_bytes` at which blocks go."""

    def __init__(self, rule: Rule, *, ram_bytes: int, high: float = 0.8) -> None:
        if ram_bytes < 1 or not 0 < high <= 1:
            raise InvalidArgument(
                f"expected ram_bytes >= 1 and 0 < high <= 1, got {ram_bytes} and {high}"
            )
        self._rule = Leaving(rule)
        self._mark = int(ram_bytes * high)
        self._kept: dict[Key, bytearray] = {}
        self.bytes = 0  # never over the mark between two calls

    def __contains__(self, key: Key) -> bool:
        return key in self._kept

    def __len__(self) -> int:
        return len(self._kept)

    def fits(self, length: int) -> bool:
        """Whether a block of that length can be kept at all."""
        return length + OVERHEAD <= self._mark

    def get(self, key: Key) -> bytearray | None:
        """The block's bytes, to be read and not changed; None where they are not in RAM."""
        kept = self._kept.get(key)
        if kept is not None:
            self._rule.touched(key)
        return kept

    def put(self, key: Key, data: bytes) -> None:
        """The block's bytes are these from now on."""
        if not self.fits(len(data)):
            self.drop(key)
            return
        before = self._kept.get(key)
        if before is None:
            self._rule.added(key)
            self.bytes += OVERHEAD + len(data)
        else:
            self._rule.touched(key)
            self.bytes += len(data) - len(before)
        self._kept[key] = bytearray(data)
        self._make_room()

    def extend(self, key: Key, data: bytes) -> None:
        """The block's bytes have become longer; no-op where they are not in RAM."""
        kept = self._kept.get(key)
        if kept is None:
            return
        if not self.fits(len(kept) + len(data)):
            self.drop(key)
            return
        self._rule.touched(key)
        kept += data
        self.bytes += len(data)
        self._make_room()

    def drop(self, key: Key) -> None:
        """The block is gone or changed elsewhere; no-op where it is not in RAM."""
        self._rule.removed(key)
        kept = self._kept.pop(key, None)
        if kept is not None:
            self.bytes -= OVERHEAD + len(kept)

    def left(self, keys: Iterable[Key]) -> None:
        """Nobody is expected to use these blocks again; no-op for those that are not in RAM."""
        self._rule.left(key for key in keys if key in self._kept)

    def _make_room(self) -> None:
        while self.bytes > self._mark:
            self.bytes -= OVERHEAD + len(self._kept.pop(self._rule.victim()))
