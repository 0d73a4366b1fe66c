"""What is remembered for many owners, within bounds: the longest unused goes first. Pure.

One owner who brings too much loses its own; where all together do, the oldest of all goes.
"""

from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Shares(Generic[K, V]):
    """Invariant: `_of` has the same keys as `_all`, by owner, both in order of last use."""

    def __init__(self, *, most: int, of_one: int) -> None:
        self._most = most
        self._of_one = of_one
        self._all: OrderedDict[tuple[int, K], V] = OrderedDict()
        self._of: dict[int, OrderedDict[K, None]] = {}

    def __len__(self) -> int:
        return len(self._all)

    def find(self, owner: int, key: K) -> V | None:
        """What is kept there; it counts as used."""
        found = self._all.get((owner, key))
        if found is not None:
            self._all.move_to_end((owner, key))
            self._of[owner].move_to_end(key)
        return found

    def keep(self, owner: int, key: K, value: V) -> V | None:
        """Keep it, as used just now; what had to go for it."""
        gone = None
        if (owner, key) not in self._all:
            if len(self._of.get(owner, ())) >= self._of_one:
                gone = self.forget(owner, next(iter(self._of[owner])))
            elif len(self._all) >= self._most:
                gone = self.forget(*next(iter(self._all)))
        self._all[owner, key] = value
        self._all.move_to_end((owner, key))
        mine = self._of.setdefault(owner, OrderedDict())
        mine[key] = None
        mine.move_to_end(key)
        return gone

    def forget(self, owner: int, key: K) -> V:
        """Keep it no longer."""
        mine = self._of[owner]
        del mine[key]
        if not mine:
            del self._of[owner]
        return self._all.pop((owner, key))

    def oldest(self) -> tuple[int, K, V] | None:
        """What has not been used for longest, and whose it is."""
        if not self._all:
            return None
        (owner, key), value = next(iter(self._all.items()))
        return owner, key, value

    def values(self) -> list[V]:
        return list(self._all.values())
