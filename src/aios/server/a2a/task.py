"""One piece of work that somebody gave an agent by A2A, and how far it is."""

import asyncio
from dataclasses import dataclass, field
from typing import Any, Literal

State = Literal["submitted", "working", "input-required", "completed", "failed", "canceled"]
RESTING: frozenset[State] = frozenset({"input-required", "completed", "failed", "canceled"})
UPDATES_MAX = 1_000


@dataclass(frozen=True, slots=True)
class Update:
    """A change of state, or news within one. `at` is in seconds since the epoch."""

    state: State
    at: float
    text: str = ""

    @property
    def is_resting(self) -> bool:
        """Nothing comes before the client says something, or ever."""
        return self.state in RESTING

    @property
    def is_final(self) -> bool:
        return self.is_resting and self.state != "input-required"


@dataclass(slots=True, eq=False, kw_only=True)
class Task:
    """`updates` is never empty, and nothing follows a final one."""

    id: str
    context: str
    agent: str
    updates: list[Update]
    token: str = ""  # of the process that writes to the agent; none where that is run for it
    target: int = 0  # whom it writes to; 0: nobody
    result: Any = None
    work: asyncio.Future[None] | None = None
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def last(self) -> Update:
        return self.updates[-1]

    def move(self, update: Update) -> None:
        """Tell everybody; chatter beyond a bound is left out."""
        if self.last.is_final or (len(self.updates) >= UPDATES_MAX and not update.is_resting):
            return
        self.updates.append(update)
        self._news.set()
        self._news = asyncio.Event()

    async def changed(self, seen: int) -> None:
        """Wait until there are more updates than `seen`."""
        while len(self.updates) <= seen:
            await self._news.wait()

    async def rested(self) -> None:
        """Wait until the client has something to do or to take."""
        while not self.last.is_resting:
            await self._news.wait()
