"""Time as a collaborator: in virtual time the event loop jumps instead of waiting."""

import asyncio
import time
from typing import Protocol


class Clock(Protocol):
    """Seconds that never go back, and a way to wait for them."""

    def now(self) -> float:
        """Seconds since an arbitrary moment; monotonic."""
        ...

    def utc(self) -> float:
        """Seconds since the epoch, for what a person or another boot will read. May jump."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait for that many seconds."""
        ...


class LoopClock:
    """The running event loop's own time, so that a simulated loop is simulated time."""

    def now(self) -> float:
        return asyncio.get_running_loop().time()

    def utc(self) -> float:
        return time.time()  # noqa: TID251 - the one place that reads it

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class WallClock:
    """Real time for code without an event loop."""

    def now(self) -> float:
        return time.monotonic()  # noqa: TID251 - the one place that reads it

    def utc(self) -> float:
        return time.time()  # noqa: TID251

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
