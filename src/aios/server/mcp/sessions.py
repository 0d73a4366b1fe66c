"""Sessions of MCP's earlier protocols: whose each is, and for how long. Bounded; waits for nothing.

A session holds nothing that its agent's next one would miss, so the oldest may go for a new one.
"""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

from aios.server.rpc import INVALID, Problem

IDLE_S = 3_600.0
SESSIONS_MAX = 10_000
OF_ONE_MAX = 64


@dataclass(slots=True, eq=False)
class Session:
    """One client's talk. `calls` are those under way, by the id that the client gave them."""

    id: str
    owner: int
    version: str
    used: float
    calls: dict[int | str, asyncio.Future[dict[str, Any]]] = field(default_factory=dict)
    closed: asyncio.Event = field(default_factory=asyncio.Event)
    is_listening: bool = False  # it has an open stream


class Sessions:
    """Invariant: `_by_id` is in order of last use, the longest unused first."""

    def __init__(
        self, *, most: int = SESSIONS_MAX, of_one: int = OF_ONE_MAX, idle_s: float = IDLE_S
    ) -> None:
        self._most = most
        self._of_one = of_one
        self._idle_s = idle_s
        self._by_id: OrderedDict[str, Session] = OrderedDict()
        self._of: dict[int, OrderedDict[str, None]] = {}  # owner -> ids, likewise

    def __len__(self) -> int:
        return len(self._by_id)

    def open(self, id: str, owner: int, version: str, now: float) -> Session:
        """A new session; those that nobody uses make room."""
        self._expire(now)
        mine = self._of.get(owner, OrderedDict())
        if len(mine) >= self._of_one:
            self._end(self._by_id[next(iter(mine))])
        elif len(self._by_id) >= self._most:
            self._end(next(iter(self._by_id.values())))
        session = self._by_id[id] = Session(id, owner, version, now)
        self._of.setdefault(owner, OrderedDict())[id] = None
        return session

    def find(self, id: str, owner: int, now: float) -> Session:
        """The owner's session of that id, used just now."""
        if not id:
            raise Problem(INVALID, "expected mcp-session-id, as initialize told it", status=400)
        self._expire(now)
        session = self._by_id.get(id)
        if session is None or session.owner != owner:
            raise Problem(INVALID, "no such session; expected initialize first", status=404)
        session.used = now
        self._by_id.move_to_end(id)
        self._of[owner].move_to_end(id)
        return session

    def close(self, session: Session) -> None:
        """The client is done."""
        self._end(session)

    def close_all(self) -> None:
        """End the streams of all; the sessions stay until they expire."""
        for session in self._by_id.values():
            session.closed.set()

    def _expire(self, now: float) -> None:
        while self._by_id:
            oldest = next(iter(self._by_id.values()))
            if now - oldest.used <= self._idle_s:
                return
            if oldest.is_listening or oldest.calls:  # It is there, if silent.
                oldest.used = now
                self._by_id.move_to_end(oldest.id)
                self._of[oldest.owner].move_to_end(oldest.id)
            else:
                self._end(oldest)

    def _end(self, session: Session) -> None:
        del self._by_id[session.id]
        mine = self._of[session.owner]
        del mine[session.id]
        if not mine:
            del self._of[session.owner]
        session.closed.set()
        for call in session.calls.values():
            call.cancel()
