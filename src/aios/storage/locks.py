"""Who may change which paths now. First come, first served; all of a caller's paths at once.

Two paths are in each other's way when one is the other or lies in it, so whoever moves a folder
waits for the writers inside: a claim's paths must be none of another's, nor above any, and the
other way round. Because a caller takes everything it needs in one step, nobody holds
one path while waiting for another, and there is no deadlock.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aios.errors import Busy
from aios.storage.paths import ROOT, FilePath, parents

WAITING_MAX = 256  # callers that wait for one agent's paths


@dataclass(slots=True, eq=False)
class _Claim:
    paths: frozenset[FilePath]
    above: frozenset[FilePath]  # every folder over any of them, the root too
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
        claim = _claim(paths)
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
        paths: set[FilePath] = set()  # of all claims before
        above: set[FilePath] = set()
        for claim in claims:
            if not claim.ready.is_set() and (
                claim.paths.isdisjoint(paths)
                and claim.paths.isdisjoint(above)
                and claim.above.isdisjoint(paths)
            ):
                claim.ready.set()
            paths |= claim.paths
            above |= claim.above
        if not claims:
            del self._claims[agent]


def _claim(paths: Sequence[FilePath]) -> _Claim:
    above = {ROOT for path in paths if path}.union(*map(parents, paths))
    return _Claim(frozenset(paths), frozenset(above))
