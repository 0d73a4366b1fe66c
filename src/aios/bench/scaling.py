"""How time and memory grow with the number of agents, and whether a call was lost or doubled.

Agents are hosted processes, each with its own pid, each making three LLM calls to a core without
latency whose every answer is known beforehand. A reply counts only where its checksum is that of
the answer to the very call it came for. Each sample is taken in a fresh Python process.
"""

import asyncio
import zlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from statistics import median
from typing import Any

import msgspec

from aios.bench.machine import resident_bytes
from aios.bench.rig import apart, scripted_kernel
from aios.bench.stats import r_squared
from aios.bench.table import Bar, Options, Report, Table, Tell, at_least, at_most
from aios.clock import WallClock
from aios.cores.base import Core
from aios.errors import AiosError
from aios.kernel import Kernel
from aios.syscalls import Choice, Decoding, Generate, Receive, Spawn, Wait
from aios.telemetry.events import Ended, Event
from aios.testing import INSTANT
from aios.testing.answers import invented

QUICK_ROWS = (250, 500, 1_000, 2_000, 10_000)
FULL_ROWS = (*QUICK_ROWS, 100_000)
CALLS = 3  # of each agent
R_SQUARED_MIN = 0.99
BYTES_PER_AGENT_MAX = 10_000
WARM_UP = 50
DEADLINE_S = 600.0
SAMPLE_LIMIT_S = 900.0
TOKENS_MAX = 4


class Tally(msgspec.Struct, frozen=True, kw_only=True):
    """Calls with the right reply and without it, and replies or ends beyond one of each."""

    completed: int
    lost: int
    doubled: int


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """One timed run, from before the first spawn until the last agent has ended."""

    seconds: float
    tally: Tally


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """Medians over the repeats; `completed` is of one run, `lost` and `doubled` of all."""

    agents: int
    seconds: float
    bytes_per_agent: float
    completed: int
    lost: int
    doubled: int


class Scaling(msgspec.Struct, frozen=True, kw_only=True):
    rows: tuple[Row, ...]
    linear_r2: float


def run(options: Options, tell: Tell) -> Report:
    """Measure rows of up to 10,000 agents, or 100,000."""
    if options.is_quick:
        return measure(QUICK_ROWS, 3, options.seed, tell)
    return measure(FULL_ROWS, 5, options.seed, tell)


def measure(sizes: Sequence[int], repeats: int, seed: int, tell: Tell) -> Report:
    """Every row several times, going round the rows so that a busy minute hits them all."""
    timed: dict[int, list[Sample]] = {agents: [] for agents in sizes}
    held: dict[int, list[float]] = {agents: [] for agents in sizes}
    for turn in range(repeats):
        for agents in sizes:
            tell(f"scaling: {agents:,} agents, {turn + 1} of {repeats}")
            timed[agents].append(apart(timed_sample, agents, seed + turn, limit_s=SAMPLE_LIMIT_S))
            held[agents].append(apart(idle_bytes, agents, seed + turn, limit_s=SAMPLE_LIMIT_S))
    return report(tuple(row(agents, timed[agents], held[agents]) for agents in sizes), timed)


def row(agents: int, samples: list[Sample], bytes_per_agent: list[float]) -> Row:
    """One line of the result."""
    return Row(
        agents=agents,
        seconds=median(sample.seconds for sample in samples),
        bytes_per_agent=median(bytes_per_agent),
        completed=min(sample.tally.completed for sample in samples),
        lost=sum(sample.tally.lost for sample in samples),
        doubled=sum(sample.tally.doubled for sample in samples),
    )


def tally(
    asked: Mapping[str, int], replies: Iterable[tuple[str, int]], ends: Iterable[str]
) -> Tally:
    """Compare the replies' checksums with those that were asked for, call by call.

    `ends` are the generations that the kernel reported as done; more of one, or more of them than
    calls, is work that was done twice.
    """
    right = Counter(call for call, checksum in replies if asked.get(call) == checksum)
    ended = Counter(ends)
    completed = sum(right[call] > 0 for call in asked)
    repeated = sum(times - 1 for times in ended.values())
    return Tally(
        completed=completed,
        lost=len(asked) - completed,
        doubled=sum(times - 1 for times in right.values())
        + repeated
        + max(0, len(ended) - len(asked)),
    )


class Agents:
    """Agents that make their calls, and the ledger of what came back."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self.replies: list[
            tuple[str, int]
        ] = []  # the call that was answered, the answer's checksum
        self.ends: list[str] = []  # generations that the kernel says are done

    async def program(self, transport: Any, token: str, agent: int) -> None:
        """One agent: its calls one after the other; one that fails leaves no reply."""
        for number in range(CALLS):
            call = question(agent, number, self._seed)
            try:
                reply = await transport.call(token, call)
            except AiosError:
                continue
            self.replies.append((call.call_id, checksum(reply.choices[0])))

    def listen(self, event: Event) -> None:
        if isinstance(event, Ended) and event.outcome == "done":
            self.ends.append(event.generation)

    def tally(self, agents: int) -> Tally:
        calls = (question(agent, n, self._seed) for agent in range(agents) for n in range(CALLS))
        return tally({call.call_id: _expected(call) for call in calls}, self.replies, self.ends)


def question(agent: int, number: int, seed: int) -> Generate:
    """A call that no other agent makes and that no other has."""
    return Generate(
        token_ids=(agent >> 16, agent & 0xFFFF, number + 1),
        decoding=Decoding(max_tokens=TOKENS_MAX, seed=seed),
        deadline_s=DEADLINE_S,
        call_id=f"{agent}.{number}",
    )


def checksum(choice: Choice) -> int:
    """Of everything that the answer says."""
    return zlib.crc32(repr((choice.token_ids, choice.message.content)).encode())


async def timed(agents: int, seed: int, core: Core | None = None) -> Sample:
    """Spawn the agents and wait for every one of them."""
    clock = WallClock()
    crowd = Agents(seed)
    async with scripted_kernel(seed, {"agent": crowd.program}, core) as kernel:
        kernel.bus.listen(crowd.listen)
        began = clock.now()
        pids = [await _spawn(kernel, "agent", number) for number in range(agents)]
        for pid in pids:
            await kernel.call(kernel.token, Wait(pid=pid))
        took = clock.now() - began
    assert len(set(pids)) == agents, "every agent has its own pid"
    return Sample(seconds=took, tally=crowd.tally(agents))


def timed_sample(agents: int, seed: int) -> Sample:
    """A timed run with an event loop of its own."""
    return asyncio.run(timed(agents, seed))


def idle_bytes(agents: int, seed: int) -> float:
    """Growth of this process by each agent that was spawned and waits for a message."""
    return asyncio.run(_idle(agents, seed))


async def _idle(agents: int, seed: int) -> float:
    async with scripted_kernel(seed, {"agent": _receiver}) as kernel:
        await _settled(kernel, WARM_UP)
        before = resident_bytes()
        await _settled(kernel, agents)
        return (resident_bytes() - before) / agents


async def _settled(kernel: Kernel, agents: int) -> None:
    """Spawn that many, until all of them wait."""
    for number in range(agents):
        await _spawn(kernel, "agent", number)
    await asyncio.sleep(0)  # Each new task runs once, up to its wait.
    assert len(kernel.waits) == len(kernel.table) - 1, "everybody but the first process waits"


async def _receiver(transport: Any, token: str, agent: int) -> None:
    await transport.call(token, Receive())


async def _spawn(kernel: Kernel, program: str, number: int) -> int:
    call = Spawn(name=f"agent {number}", program=program, argument=number)
    return (await kernel.call(kernel.token, call)).pid


def _expected(call: Generate) -> int:
    spoken = invented(call.token_ids, call.decoding, INSTANT.answer_tokens, TOKENS_MAX)
    return checksum(spoken[0].choice(0))


def report(rows: tuple[Row, ...], timed: Mapping[int, list[Sample]]) -> Report:
    """The result with its table and bars."""
    result = Scaling(
        rows=rows, linear_r2=r_squared([one.agents for one in rows], [one.seconds for one in rows])
    )
    return Report(
        result=result,
        tables=(_table(rows),),
        bars=_bars(result),
        more={"seconds": {str(size): [one.seconds for one in timed[size]] for size in timed}},
    )


def _table(rows: tuple[Row, ...]) -> Table:
    columns = ("agents", "seconds", "us/agent", "bytes/idle agent", "completed", "lost", "doubled")
    cells = tuple(
        (
            f"{one.agents:,}",
            f"{one.seconds:.3f}",
            f"{one.seconds / one.agents * 1e6:.0f}",
            f"{one.bytes_per_agent:,.0f}",
            f"{one.completed:,}",
            str(one.lost),
            str(one.doubled),
        )
        for one in rows
    )
    return Table(title=f"{CALLS} LLM calls per agent", columns=columns, rows=cells)


def _bars(found: Scaling) -> tuple[Bar, ...]:
    size = max(one.bytes_per_agent for one in found.rows)
    lost = sum(one.lost for one in found.rows)
    doubled = sum(one.doubled for one in found.rows)
    return (
        at_least("time is linear in agents, R2", found.linear_r2, R_SQUARED_MIN, form=".5f"),
        at_most("memory of an idle agent", size, BYTES_PER_AGENT_MAX, " bytes", ",.0f"),
        Bar(
            what="calls lost / doubled",
            bar="0 / 0",
            measured=f"{lost} / {doubled}",
            is_met=lost == doubled == 0,
            is_promise=True,
        ),
    )
