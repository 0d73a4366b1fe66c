"""Ten times as many calls as the core can serve: what is still served, and how soon refused.

Calls are begun at their time, whatever became of those before; a time is counted from when its call
was due. What the clients themselves are late is told beside it. Meanwhile somebody lists processes.
"""

import asyncio
from random import Random

import msgspec

from aios.bench.far import Place, Serve, serving, token
from aios.bench.line import Line, Reply, request
from aios.bench.load_agents import AGENTS, ANSWER_S, CHAT, LANES, opened
from aios.bench.machine import resident_bytes
from aios.bench.stats import percentile
from aios.bench.table import Bar, Tell, at_least, at_most, none
from aios.clock import Clock, WallClock
from aios.errors import CoreFailed
from aios.server.settings import Settings

TIMES = 10
PLACES = Settings().llm_calls_max
LINES_MORE = 1_000  # than there are places
ENOUGH = 4 * LANES  # clients that keep the core busy
TICK_S = 0.002
LIST_S = 0.5
GOODPUT_MIN = 0.9
REFUSAL_MS_MAX = 10.0
LIST_MS_MAX = 100.0
GROWTH_MAX = 0.05
REFUSED = 429
LIST = ("/api/syscalls/process.list", b"{}")


class Overload(msgspec.Struct, frozen=True, kw_only=True):
    """`goodput_ratio`: answers a second under overload to those at the best load."""

    goodput_ratio: float
    refusal_p99_ms: float


class Found(msgspec.Struct, frozen=True, kw_only=True):
    headline: Overload
    peak_per_s: float
    offered_per_s: float
    goodput_per_s: float
    refused_per_s: float
    refusal_p50_ms: float
    late_p99_ms: float
    list_ms_max: float
    failures: int
    rss_mb: float
    rss_growth: float

    @property
    def title(self) -> str:
        return f"{TIMES} times as many calls as the core serves"

    @property
    def rows(self) -> tuple[tuple[str, str], ...]:
        refusal = f"{self.refusal_p50_ms:.1f} ms, {self.headline.refusal_p99_ms:.1f} ms"
        return (
            ("answers/s at the best load", f"{self.peak_per_s:,.1f}"),
            ("calls/s offered", f"{self.offered_per_s:,.0f}"),
            ("answers/s", f"{self.goodput_per_s:,.1f}"),
            ("refusals/s", f"{self.refused_per_s:,.0f}"),
            ("refusal p50, p99", refusal),
            ("of which the clients' own lateness, p99", f"{self.late_p99_ms:.1f} ms"),
            ("process.list, slowest", f"{self.list_ms_max:.0f} ms"),
            ("other errors", str(self.failures)),
            ("server's memory, grown since the queue was full",
             f"{self.rss_mb:,.0f} MB, {self.rss_growth:+.1%}"),
        )  # fmt: skip

    @property
    def bars(self) -> tuple[Bar, ...]:
        found = self.headline
        return (
            at_least(
                f"goodput at {TIMES}x, of the best", found.goodput_ratio, GOODPUT_MIN, form=".3f"
            ),
            at_most("refusals, p99", found.refusal_p99_ms, REFUSAL_MS_MAX, " ms", ".1f"),
            at_most("process.list meanwhile, slowest", self.list_ms_max, LIST_MS_MAX, " ms", ".0f"),
            Bar(
                what="memory's growth under overload",
                bar=f"<= {GROWTH_MAX:.0%}",
                measured=f"{self.rss_growth:+.1%}",
                is_met=self.rss_growth <= GROWTH_MAX,
            ),
            none("calls neither answered nor refused", self.failures),
        )


class _Seen:
    """Replies by kind, in seconds since they were due."""

    def __init__(self) -> None:
        self.answers: list[float] = []
        self.refusals: list[float] = []
        self.late: list[float] = []  # how much after its time a call was begun
        self.failures = 0

    def told(self, reply: Reply, took: float) -> None:
        if reply.status == 200:
            self.answers.append(took)
        elif reply.status == REFUSED:
            self.refusals.append(took)
        else:
            self.failures += 1


class _Crowd:
    """Clients with more lines than the server has places; a call takes the next free one."""

    def __init__(self, lines: list[Line], seed: int) -> None:
        self._rng = Random(seed)
        self._asked = [request(token(agent), *CHAT) for agent in range(AGENTS)]
        self._lines = lines
        self._free: asyncio.LifoQueue[Line] = asyncio.LifoQueue()
        for line in lines:
            self._free.put_nowait(line)
        self._calls: set[asyncio.Task[None]] = set()
        self.seen = _Seen()

    async def offer(self, per_s: float, seconds: float, clock: Clock) -> None:
        """Begin calls, evenly, and wait for none."""
        began, begun = clock.now(), 0
        while (now := clock.now()) - began < seconds:
            while (due := began + begun / per_s) <= now:
                call = asyncio.ensure_future(self._call(due, clock))
                self._calls.add(call)
                call.add_done_callback(self._calls.discard)
                begun += 1
            await clock.sleep(TICK_S)

    async def close(self) -> None:
        for call in self._calls:
            call.cancel()
        if self._calls:
            await asyncio.wait(self._calls)
        for line in self._lines:
            line.close()

    async def _call(self, due: float, clock: Clock) -> None:
        line = await self._free.get()
        self.seen.late.append(clock.now() - due)
        try:
            reply = await line.ask(self._rng.choice(self._asked))
        except CoreFailed:
            self.seen.failures += 1
            return
        self._free.put_nowait(line)
        self.seen.told(reply, clock.now() - due)


async def measure(seconds: float, seed: int, tell: Tell, places: int = PLACES) -> Found:
    """The best load first, on the same server."""
    clock = WallClock()
    serve = Serve(answer_s=ANSWER_S, lanes=LANES, agents=AGENTS, llm_calls_max=places)
    async with serving(serve) as place:
        tell("load: the best that is served")
        peak = await _peak(place, seconds / 2, clock)
        tell(f"load: {TIMES} times as many")
        crowd, offered = _Crowd(await opened(place, places + LINES_MORE), seed), TIMES * peak
        await crowd.offer(offered, seconds / 2, clock)  # until the queue is full
        full, crowd.seen, lists = resident_bytes(place.pid), _Seen(), list[float]()
        lister = asyncio.ensure_future(_list(place, lists, clock))
        began = clock.now()
        await crowd.offer(offered, seconds, clock)
        took, seen = clock.now() - began, crowd.seen
        lister.cancel()
        resident = resident_bytes(place.pid)
        await crowd.close()
    refusals = seen.refusals or [0.0]
    return Found(
        headline=Overload(
            goodput_ratio=len(seen.answers) / took / peak,
            refusal_p99_ms=percentile(refusals, 99) * 1e3,
        ),
        peak_per_s=peak,
        offered_per_s=offered,
        goodput_per_s=len(seen.answers) / took,
        refused_per_s=len(seen.refusals) / took,
        refusal_p50_ms=percentile(refusals, 50) * 1e3,
        late_p99_ms=percentile(seen.late, 99) * 1e3,
        list_ms_max=max(lists) * 1e3,
        failures=seen.failures,
        rss_mb=resident / 1e6,
        rss_growth=resident / full - 1,
    )


async def _peak(place: Place, seconds: float, clock: Clock) -> float:
    """Answers a second where just enough clients ask again and again."""
    lines, done = await opened(place, ENOUGH), 0

    async def client(number: int, line: Line) -> None:
        nonlocal done
        asked = request(token(number), *CHAT)
        while clock.now() - began < seconds:
            await line.expect(asked)
            done += 1

    began = clock.now()
    await asyncio.gather(*(client(number, line) for number, line in enumerate(lines)))
    took = clock.now() - began
    for line in lines:
        line.close()
    return done / took


async def _list(place: Place, found: list[float], clock: Clock) -> None:
    """What `aios ps` asks, now and then."""
    line, asked = await Line.open(place), request(place.token, *LIST)
    while True:
        began = clock.now()
        await line.expect(asked)
        found.append(clock.now() - began)
        await clock.sleep(LIST_S)
