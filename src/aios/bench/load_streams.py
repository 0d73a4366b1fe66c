"""5,000 open event streams that all see every event: how late it comes, and what a stream weighs.

A time is from the kernel's own note of when it happened to when a reader has it; both processes
read one clock. What one loop of readers takes for its 5,000 is in it.
"""

import asyncio
import re

import msgspec

from aios.bench.far import Place, Serve, serving, token
from aios.bench.line import HOST, Ear, Line, request
from aios.bench.load_agents import ANSWER_S, CHAT, LANES, OPENED_AT_ONCE
from aios.bench.machine import resident_bytes
from aios.bench.stats import percentile
from aios.bench.table import Bar, Tell, at_most, none
from aios.clock import Clock, WallClock

STREAMS = 5_000
PAUSE_S = 0.5  # between calls, of each of which three events tell
EVENTS = 3
P99_MS_MAX = 100.0
KB_MAX = 20.0
OPEN_S = 60.0
_AT = re.compile(rb'"at":([0-9.]+)')


class Streams(msgspec.Struct, frozen=True, kw_only=True):
    """`kb_each`: what the server's memory grew by, by the streams."""

    open: int
    p99_ms: float
    kb_each: float


class Found(msgspec.Struct, frozen=True, kw_only=True):
    headline: Streams
    p50_ms: float
    max_ms: float
    events: int
    missed: int
    rss_mb: float

    @property
    def title(self) -> str:
        return f"{self.headline.open:,} event streams that see everything"

    @property
    def rows(self) -> tuple[tuple[str, str], ...]:
        found = self.headline
        return (
            ("events, each told to all", f"{self.events:,}"),
            ("missed", str(self.missed)),
            ("delivery p50, p99, max",
             f"{self.p50_ms:.0f} ms, {found.p99_ms:.0f} ms, {self.max_ms:.0f} ms"),
            ("memory of a stream", f"{found.kb_each:.1f} KB"),
            ("server's memory", f"{self.rss_mb:,.0f} MB"),
        )  # fmt: skip

    @property
    def bars(self) -> tuple[Bar, ...]:
        found = self.headline
        return (
            at_most(
                f"delivery to {found.open:,} streams, p99", found.p99_ms, P99_MS_MAX, " ms", ".0f"
            ),
            at_most("memory of an open stream", found.kb_each, KB_MAX, " KB", ".1f"),
            none("events that a stream missed", self.missed),
        )


class _Heard:
    """When each event came, by all readers."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.times_s: list[float] = []

    def __call__(self, data: bytes) -> None:
        now = self._clock.now()
        self.times_s += [now - float(at) for at in _AT.findall(data)]


async def measure(seconds: float, tell: Tell, streams: int = STREAMS) -> Found:
    """Open them all, then let something happen now and then."""
    clock = WallClock()
    async with serving(Serve(answer_s=ANSWER_S, lanes=LANES)) as place:
        line, chat = await Line.open(place), request(token(0), *CHAT)
        heard = _Heard(clock)
        await line.expect(chat)
        await _open(place, 1, heard)  # what is built on first use is built now
        before = resident_bytes(place.pid)
        tell(f"load: {streams:,} event streams")
        ears = await _open(place, streams, heard)
        calls = 0
        began = clock.now()
        heard.times_s.clear()
        while clock.now() - began < seconds:
            await line.expect(chat)
            calls += 1
            await clock.sleep(PAUSE_S)
        await clock.sleep(PAUSE_S)
        after = resident_bytes(place.pid)
        times, still = heard.times_s, sum(ear.is_open for ear in ears)
        for ear in ears:
            ear.close()
        line.close()
    return Found(
        headline=Streams(
            open=still,
            p99_ms=percentile(times, 99) * 1e3,
            kb_each=(after - before) / streams / 1e3,
        ),
        p50_ms=percentile(times, 50) * 1e3,
        max_ms=max(times) * 1e3,
        events=calls * EVENTS,
        missed=calls * EVENTS * (streams + 1) - len(times),
        rss_mb=after / 1e6,
    )


async def _open(place: Place, count: int, heard: _Heard) -> list[Ear]:
    """Streams with the first process's eyes."""
    loop = asyncio.get_running_loop()
    asked = request(place.token, "/api/events", method="GET")
    ears: list[Ear] = []
    async with asyncio.timeout(OPEN_S):
        while len(ears) < count:
            some = min(OPENED_AT_ONCE, count - len(ears))
            made = [
                loop.create_connection(lambda: Ear(asked, heard), HOST, place.port)
                for _ in range(some)
            ]
            ears += [ear for _, ear in await asyncio.gather(*made)]
            while not all(ear.is_open for ear in ears[-some:]):  # noqa: ASYNC110 - no event says so
                await asyncio.sleep(0.002)
    return ears
