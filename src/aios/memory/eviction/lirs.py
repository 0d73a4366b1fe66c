"""LIRS (Jiang and Zhang 2002): keys whose uses lie close together stay, the others pass through.

A key is *near* while its last two uses lie closer together than the oldest near key's last use is
ago. Near keys fill nearly all of the cache; the rest is a queue through which the others pass, and
from which victims are taken. In a loop that is larger than the cache LRU and LRU-2 find nothing;
here a part of the loop stays and is found every time round.

The stack holds keys by their last use, gone ones too, down to the oldest near key: whoever is used
again while still on the stack has shown to be nearer than that one, and takes its place.
"""

from collections import OrderedDict

from aios.memory.eviction.base import Key

PASSING = 0.01  # of the resident keys: the queue's part


class Lirs:
    """Moments are of no use to it. Every method is O(1), amortised."""

    def __init__(self, *, history_max: int) -> None:
        self._history_max = history_max
        self._stack: OrderedDict[Key, None] = OrderedDict()  # oldest first; that one is near
        self._near: set[Key] = set()
        self._passing: OrderedDict[Key, None] = OrderedDict()  # resident, next victim first
        self._gone: OrderedDict[Key, None] = OrderedDict()  # longest gone first; all on the stack
        self._near_max: int | None = None  # None: no victim was ever asked for

    def use(self, key: Key, moment: int) -> bool:
        """The key is used and resident from now on; whether it was resident before."""
        if key in self._near:
            self._stack.move_to_end(key)
            self._prune()
            return True
        was_resident = key in self._passing
        has_room = self._near_max is None or len(self._near) < self._near_max
        if key in self._stack or (has_room and not was_resident):
            self._passing.pop(key, None)
            self._gone.pop(key, None)
            self._near.add(key)
            if not has_room:
                self._demote()
        else:
            self._passing[key] = None
            self._passing.move_to_end(key)
        self._stack[key] = None
        self._stack.move_to_end(key)
        self._prune()
        return was_resident

    def remove(self, key: Key) -> None:
        """Forget the key and its past."""
        self._near.discard(key)
        self._passing.pop(key, None)
        self._gone.pop(key, None)
        self._stack.pop(key, None)
        self._prune()

    def give_up(self, key: Key) -> None:
        """As if `pop` had chosen this resident key."""
        is_near = key in self._near
        if is_near:
            self._near.remove(key)
        else:
            del self._passing[key]
        if key in self._stack:
            self._gone[key] = None
        if is_near:
            self._prune()
        if len(self._gone) > self._history_max:
            self.remove(next(iter(self._gone)))

    def pop(self) -> Key:
        """Give up the key that has waited longest in the queue."""
        self._near_max = max(1, len(self) - max(1, int(len(self) * PASSING)))
        while len(self._near) > self._near_max or not self._passing:
            self._demote()
        key = next(iter(self._passing))
        self.give_up(key)
        return key

    def __len__(self) -> int:
        return len(self._near) + len(self._passing)

    def _demote(self) -> None:
        """The oldest near key has to pass through the queue like others."""
        key, _ = self._stack.popitem(last=False)
        self._near.remove(key)
        self._passing[key] = None
        self._prune()

    def _prune(self) -> None:
        """Drop what is older than every near key: its next use could not show it to be nearer."""
        while self._stack and (key := next(iter(self._stack))) not in self._near:
            del self._stack[key]
            self._gone.pop(key, None)
