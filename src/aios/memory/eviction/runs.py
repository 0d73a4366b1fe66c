"""Finds runs: stretches in which keys follow one another as they did before, or are all new.

A run is one reading: an agent that goes through its pages, a prompt's blocks from first to last.
The successor of a key is remembered in two generations of a bounded size, so that the memory of a
long life is bounded and no single use pays for forgetting.
"""

from aios.memory.eviction.base import Key

SUCCESSORS_MAX = 1 << 17


class Runs:
    """Says in which run each use is. O(1) a use."""

    def __init__(self, successors_max: int = SUCCESSORS_MAX) -> None:
        self._half = max(1, successors_max // 2)
        self._young: dict[Key, Key | None] = {}  # who followed last time; None: nobody yet
        self._old: dict[Key, Key | None] = {}
        self._last: Key | None = None
        self._start = 0

    def use(self, key: Key, moment: int) -> int:
        """The moment at which the run began that this use belongs to."""
        last = self._last
        if last is None or (self._knows(key) and self._after(last) != key):
            self._start = moment
        if last is not None:
            self._young[last] = key
        if key not in self._young:
            self._young[key] = self._old.get(key)
        self._last = key
        if len(self._young) > self._half:
            self._old, self._young = self._young, {}
        return self._start

    def _knows(self, key: Key) -> bool:
        return key in self._young or key in self._old

    def _after(self, key: Key) -> Key | None:
        return self._young[key] if key in self._young else self._old.get(key)
