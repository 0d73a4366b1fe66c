"""What HTTP adds: a null syscall's time, and a chat call's beyond the same call in process.

The server has a process of its own. A client sends a request and reads its reply, parsing nothing;
what it costs is in the figures. Chat's added time is measured over a core that takes a known time,
its clients beginning one after another over that time, so that they do not all ask at once; its
rate over a core that takes none.
"""

import asyncio
from random import Random

import msgspec

from aios.bench.far import Place, Serve, serving, token
from aios.bench.line import Line, request
from aios.bench.patient import PatientCore
from aios.bench.rig import scripted_kernel
from aios.bench.stats import Interval, median_interval, percentile
from aios.bench.table import Bar, Table, Tell, at_least, at_most
from aios.clock import WallClock
from aios.server.listener import fast_loop
from aios.syscalls import Decoding, Generate, Message, Spawn

CLIENTS = (1, 10, 100)
CHATTERS = 50
ANSWER_S = 0.1  # what the busy core takes for each answer
LANES = 64
REPEATS = 5
P50_MS_MAX = 2.0
ADDED_P50_MS_MAX = 3.0
CHATS_PER_S_MIN = 1_500.0
NULL = ("/api/syscalls/process.whoami", b"{}")
SAID = Message("user", "What is 12 + 30?")
CHAT = (
    "/v1/chat/completions",
    b'{"model":"gpt-4o-mini","seed":0,"max_tokens":8,'
    b'"messages":[{"role":"user","content":"What is 12 + 30?"}]}',
)


class Http(msgspec.Struct, frozen=True, kw_only=True):
    """`p50_ms` and `p99_ms` of one client; `per_s` the best that 1, 10 or 100 clients sustain."""

    p50_ms: float
    p99_ms: float
    per_s: float


class Chat(msgspec.Struct, frozen=True, kw_only=True):
    """What 50 clients wait longer than in process; `per_s` is of 100 clients, on no core's time."""

    added_p50_ms: float
    added_p99_ms: float
    per_s: float


class Load(msgspec.Struct, frozen=True, kw_only=True):
    """What a number of clients saw: medians over the repeats."""

    what: str
    clients: int
    p50_ms: Interval
    p99_ms: Interval
    per_s: Interval


class Found(msgspec.Struct, frozen=True, kw_only=True):
    http: Http
    chat: Chat
    loads: tuple[Load, ...]


def measure(calls: int, seed: int, tell: Tell) -> Found:
    """Every figure, on the event loop that serves: another one's timers are not as punctual."""
    with asyncio.Runner(loop_factory=fast_loop()) as runner:
        return runner.run(_measured(calls, seed, tell))


def headline(null: list[Load]) -> Http:
    """The documented figures of the null syscall."""
    single = next(load for load in null if load.clients == 1)
    return Http(
        p50_ms=single.p50_ms.median,
        p99_ms=single.p99_ms.median,
        per_s=max(load.per_s.median for load in null),
    )


def table(found: Found) -> Table:
    rows = tuple(
        (load.what, str(load.clients), *map(_shown, (load.p50_ms, load.p99_ms, load.per_s)))
        for load in found.loads
    )
    columns = ("call", "clients", "p50 ms", "p99 ms", "calls/s")
    return Table(title="Over HTTP (median, 95 % interval)", columns=columns, rows=rows)


def bars(found: Found) -> tuple[Bar, ...]:
    http, chat = found.http, found.chat
    return (
        at_most("null syscall, over HTTP, p50", http.p50_ms, P50_MS_MAX, " ms"),
        at_most(
            f"chat, added time, {CHATTERS} clients, p50", chat.added_p50_ms, ADDED_P50_MS_MAX, " ms"
        ),
        at_least(f"chats, {max(CLIENTS)} clients", chat.per_s, CHATS_PER_S_MIN, "/s", ",.0f"),
    )


async def _measured(calls: int, seed: int, tell: Tell) -> Found:
    """`calls` null syscalls for each number of clients, a tenth as many chats."""
    rng = Random(seed)
    async with serving(Serve()) as place:
        tell("overhead: null syscalls over HTTP")
        null = [await _load(place, NULL, clients, calls, rng) for clients in CLIENTS]
        tell("overhead: chats over HTTP")
        chats = await _load(place, CHAT, max(CLIENTS), calls, rng)
    async with serving(Serve(answer_s=ANSWER_S, lanes=LANES)) as place:
        tell("overhead: chats on a busy core")
        busy = await _load(place, CHAT, CHATTERS, max(calls // 10, CHATTERS * 5), rng, ANSWER_S)
    near = await _near(max(calls // 10, CHATTERS * 5))
    return Found(
        http=headline(null),
        chat=Chat(
            added_p50_ms=busy.p50_ms.median - percentile(near, 50) * 1e3,
            added_p99_ms=busy.p99_ms.median - percentile(near, 99) * 1e3,
            per_s=chats.per_s.median,
        ),
        loads=(*null, chats, busy),
    )


async def _load(
    place: Place,
    what: tuple[str, bytes],
    clients: int,
    calls: int,
    rng: Random,
    over_s: float = 0.0,
) -> Load:
    await _round(place, what, clients, max(calls // 10, clients), over_s)
    rounds = [await _round(place, what, clients, calls, over_s) for _ in range(REPEATS)]
    return Load(
        what=what[0],
        clients=clients,
        p50_ms=median_interval([percentile(times, 50) * 1e3 for times, _ in rounds], rng),
        p99_ms=median_interval([percentile(times, 99) * 1e3 for times, _ in rounds], rng),
        per_s=median_interval([len(times) / took for times, took in rounds], rng),
    )


async def _round(
    place: Place, what: tuple[str, bytes], clients: int, calls: int, over_s: float
) -> tuple[list[float], float]:
    """Seconds of each call, and of all together; clients begin one after another over `over_s`."""
    clock = WallClock()
    times: list[float] = []
    asked = request(token(0), *what)
    lines = [await Line.open(place) for _ in range(clients)]

    async def client(number: int, line: Line) -> None:
        await clock.sleep(over_s * number / clients)
        for _ in range(calls // clients):
            began = clock.now()
            await line.expect(asked)
            times.append(clock.now() - began)

    began = clock.now()
    async with asyncio.TaskGroup() as group:
        for number, line in enumerate(lines):
            group.create_task(client(number, line))
    took = clock.now() - began
    for line in lines:
        line.close()
    return times, took


async def _near(calls: int) -> list[float]:
    """Seconds of the same chats by as many clients in process."""
    clock = WallClock()
    times: list[float] = []
    call = Generate(messages=(SAID,), decoding=Decoding(max_tokens=8, seed=0))
    async with scripted_kernel(0, core=PatientCore(ANSWER_S, LANES)) as kernel:

        async def client(number: int) -> None:
            await clock.sleep(ANSWER_S * number / CHATTERS)
            child = await kernel.call(kernel.token, Spawn(name="client"))
            for _ in range(calls // CHATTERS):
                began = clock.now()
                await kernel.call(child.token, call)
                times.append(clock.now() - began)

        async with asyncio.TaskGroup() as group:
            for number in range(CHATTERS):
                group.create_task(client(number))
    return times


def _shown(figure: Interval) -> str:
    digits = 2 if figure.median < 100 else 0
    return f"{figure.median:,.{digits}f} ({figure.low:,.{digits}f} to {figure.high:,.{digits}f})"
