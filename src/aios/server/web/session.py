"""Who has signed in by a browser: sessions behind a cookie, and tickets that open one once.

A session holds the token that was shown, which never leaves the server and is looked up again at
each visit, so that it ends with its token. Bounded: the session that was idle longest goes first.
"""

import hmac
import secrets
from collections import OrderedDict
from dataclasses import dataclass, field

from aios.clock import Clock
from aios.errors import Unauthenticated

SESSIONS_MAX = 1_000
IDLE_S = 12 * 3_600.0
TICKETS_MAX = 100
TICKET_S = 120.0


@dataclass(slots=True, kw_only=True)
class Session:
    """A browser that showed `token`; `csrf` is in its forms, `notice` on its next page."""

    id: str
    token: str
    used: float
    csrf: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    notice: str = ""
    is_problem: bool = False  # what the notice tells
    asks_seen: int = -1  # of the record, when `pending` was counted
    pending: int = 0  # questions that wait for an answer

    def is_form_of(self, csrf: str) -> bool:
        return hmac.compare_digest(self.csrf.encode(), csrf.encode())


class Sessions:
    """Open sessions by id, and tickets not used yet."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._open: OrderedDict[str, Session] = OrderedDict()  # idle longest first
        self._tickets: OrderedDict[str, tuple[float, str]] = OrderedDict()  # oldest first

    def open(self, token: str) -> Session:
        """A new session of whoever speaks with the token."""
        session = Session(id=secrets.token_urlsafe(32), token=token, used=self._clock.now())
        self._open[session.id] = session
        while len(self._open) > SESSIONS_MAX:
            self._open.popitem(last=False)
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

    def ticket(self, token: str) -> str:
        """What opens a session with this token, once and soon."""
        ticket = secrets.token_urlsafe(24)
        self._tickets[ticket] = (self._clock.now() + TICKET_S, token)
        while len(self._tickets) > TICKETS_MAX:
            self._tickets.popitem(last=False)
        return ticket

    def redeem(self, ticket: str) -> Session:
        """The session that a ticket opens."""
        until, token = self._tickets.pop(ticket, (0.0, ""))
        if not token or until < self._clock.now():
            raise Unauthenticated(
                "this link has been used or is too old; `aios dashboard` makes another"
            )
        return self.open(token)

    def __len__(self) -> int:
        return len(self._open)
