"""One piece of work that somebody gave an agent by A2A, and how far it is."""

import asyncio
from dataclasses import dataclass, field
from typing import Any, Literal

State = Literal["submitted", "working", "input-required", "completed", "failed", "canceled"]
RESTING: frozenset[State] = frozenset({"input-required", "completed", "failed", "canceled"})
UPDATES_MAX = 1_000
CHARS_MAX = 1 << 20  # of all that was said on the way


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
    _chars: int = 0
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def last(self) -> Update:
        return self.updates[-1]

    def move(self, update: Update) -> None:
        """Tell everybody; chatter beyond a bound is left out, and questions beyond it end it."""
        if self.last.is_final:
            return
        if len(self.updates) >= UPDATES_MAX or self._chars + len(update.text) > CHARS_MAX:
            if not update.is_resting:
                return
            if not update.is_final:
                update = Update("failed", update.at, "the agent had too much to say on the way")
        self._chars += len(update.text)
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
