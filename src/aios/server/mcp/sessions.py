"""Sessions of MCP's earlier protocols: whose each is, and for how long. Bounded; waits for nothing.

A session holds nothing that its agent's next one would miss, so the oldest may go for a new one.
"""

import asyncio
from dataclasses import dataclass, field
from typing import Any

from aios.server.auth import Owner
from aios.server.rpc import INVALID, Problem
from aios.server.shares import Shares
from aios.syscalls import Pid

IDLE_S = 3_600.0
SESSIONS_MAX = 10_000
OF_ONE_MAX = 1_000  # of one process tree


@dataclass(slots=True, eq=False)
class Session:
    """One client's talk. `calls` are those under way, by the id that the client gave them."""

    id: str
    owner: Owner
    version: str
    used: float
    calls: dict[int | str, asyncio.Future[dict[str, Any]]] = field(default_factory=dict)
    closed: asyncio.Event = field(default_factory=asyncio.Event)
    is_listening: bool = False  # it has an open stream


class Sessions:
    """By id and owner; those that nobody has used for long are gone."""

    def __init__(
        self, *, most: int = SESSIONS_MAX, of_one: int = OF_ONE_MAX, idle_s: float = IDLE_S
    ) -> None:
        self._open: Shares[tuple[Pid, str], Session] = Shares(most=most, of_one=of_one)
        self._idle_s = idle_s

    def __len__(self) -> int:
        return len(self._open)

    def open(self, id: str, owner: Owner, version: str, now: float) -> Session:
        """A new session; those that nobody uses make room."""
        self._expire(now)
        session = Session(id, owner, version, now)
        if (gone := self._open.keep(owner.tree, (owner.pid, id), session)) is not None:
            _end(gone)
        return session

    def find(self, id: str, owner: Owner, now: float) -> Session:
        """The owner's session of that id, used just now."""
        if not id:
            raise Problem(INVALID, "expected mcp-session-id, as initialize told it", status=400)
        self._expire(now)
        session = self._open.find(owner.tree, (owner.pid, id))
        if session is None:
            raise Problem(INVALID, "no such session; expected initialize first", status=404)
        session.used = now
        return session

    def close(self, session: Session) -> None:
        """The client is done."""
        self._open.forget(session.owner.tree, (session.owner.pid, session.id))
        _end(session)

    def close_all(self) -> None:
        """End the streams of all; the sessions stay until they expire."""
        for session in self._open.values():
            session.closed.set()

    def _expire(self, now: float) -> None:
        while (oldest := self._open.oldest()) is not None:
            tree, key, session = oldest
            if now - session.used <= self._idle_s:
                return
            if session.is_listening or session.calls:  # It is there, if silent.
                session.used = now
                self._open.find(tree, key)
            else:
                _end(self._open.forget(tree, key))


def _end(session: Session) -> None:
    session.closed.set()
    for call in session.calls.values():
        call.cancel()
