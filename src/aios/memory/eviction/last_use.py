"""The order of LRU for moments that are given: what `KthUse` is for one use, in half the time."""

from aios.memory.eviction.base import Key
from aios.memory.eviction.moments import Moments


class LastUse:
    """Every method is O(1)."""

    def __init__(self) -> None:
        self._at: dict[Key, int] = {}
        self._order = Moments()

    def use(self, key: Key, moment: int) -> bool:
        """The key is used and resident from now on; whether it was resident before."""
        before = self._at.get(key)
        if before is not None:
            self._order.discard(before, key)
        self._at[key] = moment
        self._order.add(moment, key)
        return before is not None

    def remove(self, key: Key) -> None:
        """Forget the key."""
        before = self._at.pop(key, None)
        if before is not None:
            self._order.discard(before, key)

    def give_up(self, key: Key) -> None:
        self.remove(key)

    def pop(self) -> Key:
        """Give up the newest key of the oldest moment."""
        key = self._order.pop()
        del self._at[key]
        return key

    def __len__(self) -> int:
        return len(self._at)

    def __contains__(self, key: Key) -> bool:
        return key in self._at
