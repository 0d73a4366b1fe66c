"""Cases through a kernel under hostile scheduling, in virtual time under a seed.

All calls of a case are made at once, in batches of random size; a tool waits a random time before
it does its work and after; agents are paused and resumed all the while.
"""

import asyncio
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from aios.bench.traffic_worlds import Case, Offer
from aios.kernel import Kernel
from aios.kernel.environment import Environment
from aios.kernel.tools.servers import ToolServers
from aios.scheduler import RoundRobin
from aios.sdk import Client
from aios.syscalls.tool import CallTool, Content, Text, ToolResult
from aios.testing import INSTANT, ScriptedCore, ScriptedStore
from aios.testing.loop import VirtualClock
from aios.testing.loop import run as in_virtual_time
from aios.tools.base import Outside, Terms, Tool, Touch
from aios.tools.naming import info_of

WAIT_S = 0.5  # at most, before and after a tool's work
PAUSE_S = 0.2
BATCH_MAX = 12


@dataclass(slots=True)
class Done:
    """What came of a run, by case."""

    results: dict[str, list[ToolResult]] = field(default_factory=dict)
    states: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0  # of virtual time
    pauses: int = 0


class Site:
    """A world as a source of tools."""

    def __init__(self, case: Case, rng: random.Random, *, is_declared: bool) -> None:
        self.name = case.id
        self.world = case.world()
        self._rng = rng
        self._tools = tuple(self._tool(one, is_declared) for one in self.world.offers)

    async def tools(self) -> tuple[Tool, ...]:
        return self._tools

    async def close(self) -> None:
        """Nothing is held."""

    def _tool(self, offer: Offer, is_declared: bool) -> Tool:
        reads = tuple(Touch(self._own(one), "read") for one in offer.reads)
        writes = tuple(Touch(self._own(one), "write") for one in offer.writes)
        terms = Terms(touches=(*reads, *writes) if is_declared else ())
        info = info_of(f"{self.name}/{offer.name}", offer.description, offer.parameters, terms)

        async def run(arguments: Mapping[str, Any], outside: Outside) -> tuple[Content, ...]:
            await asyncio.sleep(self._rng.random() * WAIT_S)
            said = self.world.answer(offer.name, arguments)
            await asyncio.sleep(self._rng.random() * WAIT_S)
            return (Text(said),)

        return Tool(info=info, terms=terms, run=run)

    def _own(self, resource: str) -> str:
        """Worlds are apart, so their resources bear different names."""
        return f"{self.name}:{resource}"


def through_kernel(cases: Sequence[Case], seed: int, *, is_declared: bool = True) -> Done:
    """All cases at once; undeclared their tools seem to touch nothing."""
    return in_virtual_time(lambda rng: _run(cases, rng, is_declared=is_declared), seed=seed)


async def _run(cases: Sequence[Case], rng: random.Random, *, is_declared: bool) -> Done:
    done = Done()
    sites = [Site(one, rng, is_declared=is_declared) for one in cases]
    clock = VirtualClock()
    core = ScriptedCore(INSTANT, clock=clock, rng=rng, store=ScriptedStore())
    environment = Environment(clock=clock, random=rng)
    async with Kernel(
        [core], RoundRobin, environment=environment, tools=ToolServers(own=sites)
    ) as kernel:
        first = Client(kernel, kernel.token)
        clients = [first.of(await first.spawn(one.id)) for one in cases]
        playing = [
            asyncio.ensure_future(_play(client, case, rng))
            for client, case in zip(clients, cases, strict=True)
        ]
        disturbing = asyncio.ensure_future(_disturb(first, clients, done, rng))
        results = await asyncio.gather(*playing)
        disturbing.cancel()
        done.results = {case.id: told for case, told in zip(cases, results, strict=True)}
        done.states = {site.name: site.world.state() for site in sites}
        done.seconds = clock.now()
    return done


async def _play(client: Client, case: Case, rng: random.Random) -> list[ToolResult]:
    """The case's calls in batches, one after another as a model's turns are."""
    results: list[ToolResult] = []
    while len(results) < len(case.calls):
        part = case.calls[len(results) : len(results) + rng.randint(1, BATCH_MAX)]
        calls = [
            CallTool(
                name=f"{case.id}/{one.name}", arguments=msgspec.json.encode(one.arguments).decode()
            )
            for one in part
        ]
        results += await client.tools.batch(calls)
    return results


async def _disturb(
    first: Client, clients: Sequence[Client], done: Done, rng: random.Random
) -> None:
    pids = [(await client.whoami()).pid for client in clients]
    while True:
        pid = rng.choice(pids)
        await first.pause(pid)
        await asyncio.sleep(rng.random() * PAUSE_S)
        await first.resume(pid)
        done.pauses += 1
