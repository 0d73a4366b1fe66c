"""What a rule of eviction is: told of every use, asked who goes. Pure; no clock, no chance.

A rule knows keys only, neither bytes nor a capacity: its owner asks for victims until enough is
free. Every method is O(log n) or better, amortised.
"""

from typing import Protocol

Key = int


class Rule(Protocol):
    """Decides which resident key is given up next."""

    def added(self, key: Key) -> None:
        """The key, so far not resident, was brought in and used."""
        ...

    def touched(self, key: Key) -> None:
        """A resident key was used again."""
        ...

    def removed(self, key: Key) -> None:
        """The key is gone for good, resident or not: nothing of it is remembered."""
        ...

    def victim(self) -> Key:
        """Give up one resident key; the rule may remember its past. At least one is resident."""
        ...

    def __len__(self) -> int:
        """How many keys are resident."""
        ...
