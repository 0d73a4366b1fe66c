"""The stream that an open page listens to: that something happened, and what on lanes.

News are gathered for a moment, so that a busy kernel sends a few messages a second, not thousands.
What a page misses meanwhile is bounded by what the record keeps, and it is told how much.
"""

from collections.abc import AsyncGenerator, Callable, Sequence

from aios.errors import Unauthenticated
from aios.kernel import Kernel
from aios.server.asgi import encode_json
from aios.server.settings import Settings
from aios.server.sse import HEADERS, Reader, framed
from aios.server.turnstile import Turnstile
from aios.server.web.agents import LANE_EVENTS, lane_events
from aios.server.web.record import EVENTS_MAX, Record
from aios.server.web.session import Session
from aios.server.web.visit import Visit
from aios.server.wire.turn import Event
from aios.telemetry.events import Event as Happened

GATHER_S = 0.25
STREAMS_MAX = 500


class Live:
    """GET /web/live; with `lanes` also what happened on them. `check` raises for a session that is
    over: its stream ends then.
    """

    def __init__(
        self,
        kernel: Kernel,
        record: Record,
        settings: Settings,
        check: Callable[[Session], None],
    ) -> None:
        self._check = check
        self._clock = kernel.clock
        self._record = record
        self._settings = settings
        self._turnstile = Turnstile(STREAMS_MAX, "pages")

    async def stream(self, visit: Visit) -> None:
        with self._turnstile.place(visit.session.owner):
            reader = Reader(visit.exchange, self._settings, headers=HEADERS)
            await reader.run(self._news(visit, has_lanes=bool(visit.query("lanes"))))

    async def _news(self, visit: Visit, *, has_lanes: bool) -> AsyncGenerator[bytes, None]:
        token = visit.token
        visible = self._record.visible(token)
        number = self._record.last
        begin = lane_events(self._record, token) if has_lanes else []
        yield b"retry: 2000\n" + self._framed("hello", begin, lost=0)
        while True:
            await self._record.after(number)
            if self._record.is_closed:
                return
            await self._clock.sleep(GATHER_S)
            try:
                self._check(visit.session)
            except Unauthenticated:
                return
            lost = max(0, self._record.last - number - EVENTS_MAX)
            seen = visible(self._record.since(number))
            number = self._record.last
            if seen:
                lanes = [one for one in seen if isinstance(one, LANE_EVENTS)] if has_lanes else []
                yield self._framed("news", lanes, lost=lost)

    def _framed(self, name: str, events: Sequence[Happened], *, lost: int) -> bytes:
        data = {"now": self._clock.now(), "lost": lost, "events": events}
        return framed(Event(encode_json(data).decode(), name))
