"""Before any other key goes one that its owner has left behind. Knows no owners, only their keys.

A rule sees uses; that an agent's last process has ended is something only an operating system
knows. What such an agent kept is on disk and comes back on access, so it is the first to leave RAM.
"""

from collections.abc import Iterable

from aios.memory.eviction.base import Key, Rule


class Leaving:
    """Stands before any rule, which is told no more of what was left than that it is gone."""

    def __init__(self, rule: Rule) -> None:
        self._rule = rule
        self._left: dict[Key, None] = {}  # resident keys, longest left first; none is the rule's

    def added(self, key: Key) -> None:
        self._rule.added(key)

    def touched(self, key: Key) -> None:
        if key in self._left:
            del self._left[key]
            self._rule.added(key)
        else:
            self._rule.touched(key)

    def removed(self, key: Key) -> None:
        self._left.pop(key, None)
        self._rule.removed(key)

    def left(self, keys: Iterable[Key]) -> None:
        """The owner of these resident keys has ended; each stays until room is needed, or used."""
        for key in keys:
            self._rule.removed(key)
            self._left[key] = None

    def victim(self) -> Key:
        if not self._left:
            return self._rule.victim()
        key = next(iter(self._left))
        del self._left[key]
        return key

    def __len__(self) -> int:
        return len(self._left) + len(self._rule)
