"""Least recently used: the key whose last use is longest ago goes."""

from collections import OrderedDict

from aios.memory.eviction.base import Key


class Lru:
    """Every method is O(1)."""

    def __init__(self) -> None:
        self._order: OrderedDict[Key, None] = OrderedDict()  # longest unused first

    def added(self, key: Key) -> None:
        assert key not in self._order, "a key is added once"
        self._order[key] = None

    def touched(self, key: Key) -> None:
        self._order.move_to_end(key)

    def removed(self, key: Key) -> None:
        self._order.pop(key, None)

    def victim(self) -> Key:
        return self._order.popitem(last=False)[0]

    def __len__(self) -> int:
        return len(self._order)
