"""LRU-K (O'Neil, O'Neil and Weikum 1993): the key whose K-th last use is longest ago goes.

A key used fewer than K times has an infinite distance and goes first, least recently used before
others. What was used once does not push out what is used again and again.

All uses that count stand in one queue in order of time, so that no heap is needed: where every
resident key has K uses, the oldest entry of the queue is the oldest K-th last use, because a key's
newer uses stand behind it. Keys that went are remembered (retained history), at most `history_max`
of them and only while their use is newer than some resident key's K-th last; one that is older
would be the next victim anyway.
"""

from collections import OrderedDict

from aios.errors import InvalidArgument
from aios.memory.eviction.base import Key
from aios.memory.eviction.moments import Moments

HISTORY_MAX = 1 << 16


class KthUse:
    """The order of LRU-K for moments that are given; uses of one moment count as one.

    So do uses that are at most `correlated` moments apart, at the time of the last of them. Every
    method is O(1), amortised.
    """

    def __init__(self, k: int, *, history_max: int = HISTORY_MAX, correlated: int = 0) -> None:
        if k < 1 or history_max < 0 or correlated < 0:
            raise InvalidArgument(
                "expected k >= 1, history_max >= 0 and correlated >= 0, "
                f"got {k}, {history_max} and {correlated}"
            )
        self._k = k
        self._history_max = history_max
        self._correlated = correlated
        self._uses: dict[Key, tuple[int, ...]] = {}  # newest first, at most k; gone keys too
        self._all = Moments()  # every moment in _uses
        self._young = Moments()  # resident keys of fewer than k uses, by the last
        self._gone: OrderedDict[Key, None] = OrderedDict()  # longest gone first, all in _uses

    def use(self, key: Key, moment: int) -> bool:
        """The key is used and resident from now on; whether it was resident before."""
        uses = self._uses.get(key)
        if uses is None:
            self._add_first(key, moment)
            return False
        was_resident = key not in self._gone
        if was_resident and len(uses) < self._k:
            self._young.discard(uses[0], key)
        if moment - uses[0] <= self._correlated:
            self._all.discard(uses[0], key)
            uses = (moment, *uses[1:])
        elif len(uses) == self._k:
            self._all.discard(uses[-1], key)
            uses = (moment, *uses[:-1])
        else:
            uses = (moment, *uses)
        self._uses[key] = uses
        self._all.add(moment, key)
        if len(uses) < self._k:
            self._young.add(moment, key)
        if not was_resident:
            del self._gone[key]
        return was_resident

    def remove(self, key: Key) -> None:
        """Forget the key and its past."""
        uses = self._uses.pop(key, ())
        for moment in uses:
            self._all.discard(moment, key)
        if key in self._gone:
            del self._gone[key]
        elif uses and len(uses) < self._k:
            self._young.discard(uses[0], key)

    def pop(self) -> Key:
        """Give up the key whose K-th last use is the oldest."""
        key = self._young.pop() if self._young else self._oldest()
        self._remember(key)
        return key

    def give_up(self, key: Key) -> None:
        """As if `pop` had chosen this resident key."""
        uses = self._uses[key]
        if len(uses) < self._k:
            self._young.discard(uses[0], key)
        else:
            self._all.discard(uses[-1], key)
            self._shorten(key)
        self._remember(key)

    def __len__(self) -> int:
        return len(self._uses) - len(self._gone)

    def __contains__(self, key: Key) -> bool:
        return key in self._uses and key not in self._gone

    def _add_first(self, key: Key, moment: int) -> None:
        self._uses[key] = (moment,)
        self._all.add(moment, key)
        if self._k > 1:
            self._young.add(moment, key)

    def _oldest(self) -> Key:
        """Every resident key has K uses, so the first one met has the oldest K-th last."""
        while (key := self._all.pop()) in self._gone:
            self._shorten(key)
        self._shorten(key)
        return key

    def _shorten(self, key: Key) -> None:
        """Drop the oldest use, which left the queue; the next use would have dropped it anyway."""
        left = self._uses[key][:-1]
        if left:
            self._uses[key] = left
        else:
            del self._uses[key]
            self._gone.pop(key, None)

    def _remember(self, key: Key) -> None:
        if key in self._uses:
            self._gone[key] = None
        if len(self._gone) > self._history_max:
            self.remove(next(iter(self._gone)))


class LruK:
    """The rule on its own, one moment a use."""

    def __init__(self, k: int = 2, *, history_max: int = HISTORY_MAX, correlated: int = 0) -> None:
        self._order = KthUse(k, history_max=history_max, correlated=correlated)
        self._moment = 0

    def added(self, key: Key) -> None:
        assert key not in self._order, "a key is added once"
        self._use(key)

    def touched(self, key: Key) -> None:
        assert key in self._order, "only a resident key is touched"
        self._use(key)

    def removed(self, key: Key) -> None:
        self._order.remove(key)

    def victim(self) -> Key:
        return self._order.pop()

    def __len__(self) -> int:
        return len(self._order)

    def _use(self, key: Key) -> None:
        self._moment += 1
        self._order.use(key, self._moment)
