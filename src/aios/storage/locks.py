"""Who may change which paths now. First come, first served; all of a caller's paths at once.

Two paths are in each other's way when one is the other or lies in it, so whoever moves a folder
waits for the writers inside. Because a caller takes everything it needs in one step, nobody holds
one path while waiting for another, and there is no deadlock.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aios.errors import Busy
from aios.storage.paths import FilePath, below

WAITING_MAX = 256  # callers that wait for one agent's paths


@dataclass(slots=True, eq=False)
class _Claim:
    paths: Sequence[FilePath]
    ready: asyncio.Event = field(default_factory=asyncio.Event)


class Locks:
    """Path locks of every agent; an agent without claims costs nothing."""

    def __init__(self) -> None:
        self._claims: dict[str, list[_Claim]] = {}  # in order of arrival; ready ones hold

    @asynccontextmanager
    async def hold(self, agent: str, paths: Sequence[FilePath]) -> AsyncIterator[None]:
        """Nobody else holds these paths, or anything above or below them, inside."""
        claims = self._claims.setdefault(agent, [])
        if len(claims) >= WAITING_MAX:
            raise Busy(f"{WAITING_MAX} changes of this agent's files wait already")
        claim = _Claim(paths)
        claims.append(claim)
        self._wake(agent)
        try:
            await claim.ready.wait()
            yield
        finally:
            claims.remove(claim)
            self._wake(agent)

    def _wake(self, agent: str) -> None:
        """Let everybody in whom nobody before it is in the way of."""
        claims = self._claims[agent]
        for index, claim in enumerate(claims):
            if claim.ready.is_set():
                continue
            if not any(_meet(claim, earlier) for earlier in claims[:index]):
                claim.ready.set()
        if not claims:
            del self._claims[agent]


def _meet(one: _Claim, other: _Claim) -> bool:
    return any(below(a, b) or below(b, a) for a in one.paths for b in other.paths)
