"""Who has signed in by a browser: sessions behind a cookie, and tickets that open one once.

A session holds the token that was shown, which never leaves the server and is looked up again at
each visit, so that it ends with its token. Bounded: the session that was idle longest goes first,
and whoever opens too many loses its own, not another's.
"""

import hmac
import secrets
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

from aios.clock import Clock
from aios.errors import Unauthenticated

SESSIONS_MAX = 1_000
IDLE_S = 12 * 3_600.0
TICKETS_MAX = 1_000
TICKET_S = 120.0
OF_ONE_MAX = 50  # of either, of one owner


@dataclass(slots=True, kw_only=True)
class Session:
    """A browser that showed `token`; `csrf` is in its forms, `notice` on its next page.

    `owner` is the process tree that the token is of.
    """

    id: str
    token: str
    owner: int
    used: float
    csrf: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    notice: str = ""
    is_problem: bool = False  # what the notice tells
    asks_seen: int = -1  # of the record, when `pending` was counted
    pending: int = 0  # questions that wait for an answer

    def is_form_of(self, csrf: str) -> bool:
        return hmac.compare_digest(self.csrf.encode(), csrf.encode())


@dataclass(frozen=True, slots=True)
class _Ticket:
    token: str
    owner: int
    until: float


class Sessions:
    """Open sessions by id, and tickets not used yet."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._open: OrderedDict[str, Session] = OrderedDict()  # idle longest first
        self._tickets: OrderedDict[str, _Ticket] = OrderedDict()  # oldest first

    def open(self, token: str, owner: int) -> Session:
        """A new session of whoever speaks with the token."""
        id, now = secrets.token_urlsafe(32), self._clock.now()
        _make_room(self._open, owner, SESSIONS_MAX)
        session = self._open[id] = Session(id=id, token=token, owner=owner, used=now)
        return session

    def find(self, id: str) -> Session | None:
        """The session of a cookie, unless it was idle for too long."""
        session = self._open.get(id)
        now = self._clock.now()
        if session is None or now - session.used > IDLE_S:
            self._open.pop(id, None)
            return None
        session.used = now
        self._open.move_to_end(id)
        return session

    def close(self, session: Session) -> None:
        self._open.pop(session.id, None)

    def is_open(self, session: Session) -> bool:
        return session.id in self._open

    def ticket(self, token: str, owner: int) -> str:
        """What opens a session with this token, once and soon."""
        id = secrets.token_urlsafe(24)
        _make_room(self._tickets, owner, TICKETS_MAX)
        self._tickets[id] = _Ticket(token, owner, self._clock.now() + TICKET_S)
        return id

    def redeem(self, ticket: str) -> Session:
        """The session that a ticket opens."""
        found = self._tickets.pop(ticket, None)
        if found is None or found.until < self._clock.now():
            raise Unauthenticated(
                "this link has been used or is too old; `aios dashboard` makes another"
            )
        return self.open(found.token, found.owner)

    def __len__(self) -> int:
        return len(self._open)


def _make_room(kept: OrderedDict[str, Any], owner: int, most: int) -> None:
    """For one more of that owner."""
    own = [id for id, one in kept.items() if one.owner == owner]
    if len(own) >= OF_ONE_MAX:
        del kept[own[0]]
    elif len(kept) >= most:
        kept.popitem(last=False)
