"""Keys by the moment they were used at; the oldest moment's newest key comes first. Pure.

Several keys may share a moment: a run of keys used one after another, as an agent reads its pages
from first to last. Such a run is given up from its end, because whoever reads it again begins at
its beginning, and would push out its own next page if the beginning were gone.
"""

from collections import OrderedDict

from aios.memory.eviction.base import Key


class Moments:
    """A queue of moments. Every method is O(1)."""

    def __init__(self) -> None:
        # Oldest first; most moments have one key, and a dict for each of those would cost more
        # than all the rest.
        self._at: OrderedDict[int, Key | dict[Key, None]] = OrderedDict()

    def add(self, moment: int, key: Key) -> None:
        """`moment` is never before an earlier call's."""
        there = self._at.setdefault(moment, key)
        if isinstance(there, dict):
            there[key] = None
        elif there != key:
            self._at[moment] = {there: None, key: None}

    def discard(self, moment: int, key: Key) -> None:
        """The key was added at that moment and is still there."""
        there = self._at[moment]
        if isinstance(there, dict):
            del there[key]
            if there:
                return
        del self._at[moment]

    def pop(self) -> Key:
        """Take out the newest key of the oldest moment."""
        moment, there = self._at.popitem(last=False)
        if not isinstance(there, dict):
            return there
        key, _ = there.popitem()
        if there:
            self._at[moment] = there
            self._at.move_to_end(moment, last=False)
        return key

    @property
    def oldest(self) -> int:
        """The oldest moment there is."""
        return next(iter(self._at))

    def __bool__(self) -> bool:
        return bool(self._at)
