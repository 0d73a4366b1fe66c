"""Follows whichever rule would have done best of late: LRU, LRU by runs, LRU-2, LIRS, or returns.

Each of the five experts keeps a shadow, a cache of keys without their bytes, and is scored by what
it would have found there. The real keys stand in all orders all the time, so that following another
expert costs nothing and what is resident changes only as victims go.

By runs (`runs.py`), the keys of one reading are as old as its beginning and are given up from its
end. That closes part of the gap to the optimum which LRU and LRU-2 leave where agents read more
pages than there is room for; LIRS closes more of it where they take turns, as a loop does, and
`returns.py` where they come in no order and end after a few turns. Plain LRU is there for logs,
whose end is read and not their beginning; LRU-2 needs no such twin, because what is read twice is
in its runs by its reading.

Shadows of large caches hold a sample of the keys, chosen by their hash (Waldspurger et al., SHARDS,
2015): the cost of a use falls, and differences between experts stay visible. A new leader must be
ahead by `LEAD` of the capacity, because what a change of rule throws away has to be earned back.
"""

from typing import Protocol

from aios.memory.eviction.base import Key
from aios.memory.eviction.last_use import LastUse
from aios.memory.eviction.lirs import Lirs
from aios.memory.eviction.lru_k import HISTORY_MAX, KthUse
from aios.memory.eviction.returns import Returns
from aios.memory.eviction.runs import Runs

SHADOW_KEYS_MAX = 512  # of each shadow; larger caches are sampled down to it
LEAD = 0.04  # of the capacity, in uses found
MEMORY = 32.0  # half-life of a score, in capacities of uses
STEPS = 8  # in which a half-life passes
DECAY = 0.5 ** (1 / STEPS)
MIX, SHIFT = 0x9E3779B1, 12  # multiplicative hashing: 2**32 / golden ratio, its middle bits


class Order(Protocol):
    """What `LastUse`, `KthUse` and `Lirs` have in common."""

    def use(self, key: Key, moment: int) -> bool: ...
    def remove(self, key: Key) -> None: ...
    def give_up(self, key: Key) -> None: ...
    def pop(self) -> Key: ...
    def __len__(self) -> int: ...


class Adaptive:
    """A rule that is at least about as good as the better of LRU and LRU-2 on any stream."""

    def __init__(self, *, history_max: int = HISTORY_MAX) -> None:
        def second() -> KthUse:
            return KthUse(2, history_max=history_max)

        def near() -> Lirs:
            return Lirs(history_max=history_max)

        def back() -> Returns:
            return Returns(history_max=history_max)

        self._last, self._second, self._near, self._back = LastUse(), second(), near(), back()
        self._orders: tuple[Order, ...] = (self._last, self._second, self._near, self._back)
        self._runs = Runs()
        self._moment = self._resident = 0
        self._capacity = 0  # resident keys when a victim was last asked for; 0: never was
        self._halvings = 0  # one key of 2**halvings is in the shadows
        self._experts = (
            _Expert(self._last, LastUse(), by_runs=True),
            _Expert(self._second, second(), by_runs=True),
            _Expert(self._near, near(), by_runs=True),
            _Expert(self._back, back(), by_runs=True),
            _Expert(self._last, LastUse(), by_runs=False),
        )
        self._follow(self._experts[0])
        self._until_decay = 0.0

    def added(self, key: Key) -> None:
        self._resident += 1
        if self._resident > SHADOW_KEYS_MAX << self._halvings:
            self._halvings += 1  # What is in the shadows and no longer in the sample ages out.
        was_resident = self._use(key)
        assert not was_resident, "a key is added once"

    def touched(self, key: Key) -> None:
        was_resident = self._use(key)
        assert was_resident, "only a resident key is touched"

    def removed(self, key: Key) -> None:
        if key in self._last:
            self._resident -= 1
        for order in (*self._orders, *(one.shadow for one in self._experts)):
            order.remove(key)

    def victim(self) -> Key:
        self._capacity = self._resident
        self._resident -= 1
        key = self._leader.order.pop()
        for order in self._others:
            order.give_up(key)
        return key

    def __len__(self) -> int:
        return self._resident

    def _use(self, key: Key) -> bool:
        """Tell every order; whether the key was resident."""
        self._moment = moment = self._moment + 1
        run = self._runs.use(key, moment)
        if not key * MIX >> SHIFT & (1 << self._halvings) - 1:
            self._score(key, run)
        if self._leader.by_runs:
            moment = run
        self._second.use(key, moment)
        self._near.use(key, moment)
        self._back.use(key, moment)
        return self._last.use(key, moment)

    def _follow(self, leader: "_Expert") -> None:
        self._leader = leader
        self._others = [order for order in self._orders if order is not leader.order]

    def _score(self, key: Key, run: int) -> None:
        room = max(1, (self._capacity or self._resident) >> self._halvings)
        for expert in self._experts:
            if expert.shadow.use(key, run if expert.by_runs else self._moment):
                expert.score += 1
            while len(expert.shadow) > room:
                expert.shadow.pop()
        best = max(self._experts, key=_score_of)
        if best.score > self._leader.score + LEAD * room:
            self._follow(best)
        self._until_decay -= 1
        if self._until_decay <= 0:
            self._until_decay = room * MEMORY / STEPS
            for expert in self._experts:
                expert.score *= DECAY


class _Expert:
    """A rule, the real order it goes by, and how well its shadow did."""

    __slots__ = ("by_runs", "order", "score", "shadow")

    def __init__(self, order: Order, shadow: Order, *, by_runs: bool) -> None:
        self.order = order
        self.shadow = shadow
        self.by_runs = by_runs
        self.score = 0.0  # uses found in the shadow, older ones counting less


def _score_of(expert: _Expert) -> float:
    return expert.score
