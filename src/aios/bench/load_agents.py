"""2,000 agents, each with an LLM call open at every moment, on a core that serves 64 at a time.

An agent is a process with a token and a connection of its own; it asks again as soon as it has its
answer. Counted is what is answered once every agent has had its first answer.
"""

import asyncio

import msgspec

from aios.bench.far import Place, Serve, serving, token
from aios.bench.line import Line, request
from aios.bench.machine import resident_bytes
from aios.bench.patient import PatientCore
from aios.bench.stats import percentile
from aios.bench.table import Bar, Tell, at_least, none
from aios.clock import WallClock
from aios.cores.base import Finished, Generation, Progress
from aios.errors import CoreFailed
from aios.syscalls import Decoding

AGENTS = 2_000
ANSWER_S = 0.1
LANES = 64
CORE_PER_S = LANES / ANSWER_S
SHARE_MIN = 0.95
RSS_MB_MAX = 300.0
OPENED_AT_ONCE = 100
LOOK_S = 0.25
CHAT = (
    "/v1/chat/completions",
    b'{"model":"gpt-4o-mini","max_tokens":8,'
    b'"messages":[{"role":"user","content":"What is 12 + 30?"}]}',
)


class Agents(msgspec.Struct, frozen=True, kw_only=True):
    """What the agents saw, and the core without kernel and server."""

    agents: int
    calls_per_s: float
    core_calls_per_s: float
    failures: int
    rss_mb: float
    wait_p50_s: float
    wait_p99_s: float

    @property
    def title(self) -> str:
        return f"{self.agents:,} agents, each with a call open, {LANES} lanes of {ANSWER_S:g} s"

    @property
    def rows(self) -> tuple[tuple[str, str], ...]:
        return (
            ("calls/s", f"{self.calls_per_s:,.1f}"),
            ("calls/s of the core alone", f"{self.core_calls_per_s:,.1f}"),
            ("wait p50, p99", f"{self.wait_p50_s:.2f} s, {self.wait_p99_s:.2f} s"),
            ("failures", str(self.failures)),
            ("server's memory", f"{self.rss_mb:,.0f} MB"),
        )

    @property
    def bars(self) -> tuple[Bar, ...]:
        least = SHARE_MIN * CORE_PER_S
        return (
            at_least(f"calls/s with {self.agents:,} agents", self.calls_per_s, least, "/s", ",.1f"),
            none("calls that failed", self.failures),
            Bar(
                what="server's memory with all calls open",
                bar=f"< {RSS_MB_MAX:g} MB",
                measured=f"{self.rss_mb:,.0f} MB",
                is_met=self.rss_mb < RSS_MB_MAX,
            ),
        )


class _Tally:
    """What was answered since `counts` was set."""

    def __init__(self) -> None:
        self.counts = False
        self.is_over = False
        self.first = 0  # agents that have had an answer
        self.failures = 0
        self.waits_s: list[float] = []


async def measure(seconds: float, tell: Tell, agents: int = AGENTS) -> Agents:
    """The core alone, then the same core behind a server."""
    tell("load: the core alone")
    alone = await _alone(seconds / 2)
    serve = Serve(answer_s=ANSWER_S, lanes=LANES, agents=agents)
    async with serving(serve) as place:
        tell(f"load: {agents:,} agents")
        lines = await opened(place, agents)
        tally, clock = _Tally(), WallClock()
        tasks = [
            asyncio.ensure_future(_agent(line, number, tally)) for number, line in enumerate(lines)
        ]
        while tally.first < agents:
            await clock.sleep(LOOK_S)
        tally.counts, began, most = True, clock.now(), 0
        while (took := clock.now() - began) < seconds:
            await clock.sleep(LOOK_S)
            most = max(most, resident_bytes(place.pid))
        tally.is_over = True
        for line in lines:
            line.close()
        await asyncio.wait(tasks)
    return Agents(
        agents=agents,
        calls_per_s=len(tally.waits_s) / took,
        core_calls_per_s=alone,
        failures=tally.failures,
        rss_mb=most / 1e6,
        wait_p50_s=percentile(tally.waits_s, 50),
        wait_p99_s=percentile(tally.waits_s, 99),
    )


async def opened(place: Place, count: int) -> list[Line]:
    """Connections, some at a time: a listener's queue is short."""
    lines: list[Line] = []
    while len(lines) < count:
        some = min(OPENED_AT_ONCE, count - len(lines))
        lines += await asyncio.gather(*(Line.open(place) for _ in range(some)))
    return lines


async def _agent(line: Line, number: int, tally: _Tally) -> None:
    asked = request(token(number), *CHAT)
    clock = WallClock()
    has_answer = False
    while not tally.is_over:
        began = clock.now()
        try:
            status = (await line.ask(asked)).status
        except CoreFailed:
            status = 0
        if tally.is_over:
            return
        tally.failures += status != 200
        tally.first += not has_answer
        has_answer = True
        if tally.counts:
            tally.waits_s.append(clock.now() - began)


async def _alone(seconds: float) -> float:
    """Calls a second of the core itself, whose lanes are filled the moment they are free."""
    core, clock = PatientCore(ANSWER_S, LANES), WallClock()
    decoding, nothing = Decoding(max_tokens=8, seed=0), Progress(snapshot=None, produced=())
    done = 0

    def start(number: int) -> None:
        core.start(Generation(id=str(number), prompt=(1,), decoding=decoding), nothing)

    for lane in range(LANES):
        start(lane)
    began = clock.now()
    async for batch in core.events():
        for event in batch:
            if isinstance(event, Finished):
                done += 1
                start(LANES + done)
        if clock.now() - began >= seconds:
            break
    took = clock.now() - began
    await core.close()
    return done / took
