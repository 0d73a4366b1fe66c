"""What the kernel is given from outside: time, randomness, bounds, and a place to keep work."""

from dataclasses import dataclass, field
from random import Random, SystemRandom

from aios.clock import Clock, LoopClock
from aios.config import Limits
from aios.journal.base import Journal


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """In simulation every field is a fake or seeded; the defaults are the real world."""

    clock: Clock = field(default_factory=LoopClock)
    random: Random = field(default_factory=SystemRandom)
    limits: Limits = field(default_factory=Limits)
    journal: Journal | None = None  # None: nothing outlives the kernel

    def token(self) -> str:
        """A new secret by which a process speaks."""
        return f"aios-{self.random.getrandbits(128):032x}"
