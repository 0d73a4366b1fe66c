"""A kernel over a scripted core in virtual time, for the tests of this folder."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aios.config import Limits
from aios.journal.base import Journal
from aios.kernel.environment import Environment
from aios.kernel.hosting import Program
from aios.kernel.invariants import violations
from aios.kernel.kernel import Kernel
from aios.kernel.tools.servers import ToolServers
from aios.scheduler import make
from aios.syscalls import Decoding, Generate, Spawn, Spawned
from aios.telemetry.events import Event
from aios.testing.answers import invented, tokens_of
from aios.testing.cores import ScriptedCore
from aios.testing.loop import VirtualClock, run
from aios.testing.script import NO_FAULTS, Faults, Script
from aios.testing.store import ScriptedStore


@dataclass(frozen=True, kw_only=True)
class House:
    """What a test may look at."""

    kernel: Kernel
    core: ScriptedCore
    script: Script
    store: ScriptedStore
    events: list[Event]

    async def spawn(self, name: str = "agent", **options: object) -> Spawned:
        return await self.kernel.call(self.kernel.token, Spawn(name=name, **options))  # type: ignore[arg-type]

    def undisturbed(self, call: Generate) -> tuple[int, ...]:
        """The token ids of the first answer of a core that nobody disturbs."""
        most = call.decoding.max_tokens or 0
        return invented(tokens_of(call), call.decoding, self.script.answer_tokens, most)[
            0
        ].token_ids


@asynccontextmanager
async def house(
    script: Script | None = None,
    *,
    policy: str = "rr",
    limits: Limits | None = None,
    faults: Faults = NO_FAULTS,
    store: ScriptedStore | None = None,
    journal: Journal | None = None,
    programs: Mapping[str, Program] | None = None,
    boot: int = 1,
    tools: ToolServers | None = None,
) -> AsyncIterator[House]:
    """An open kernel; its invariants are checked at the end."""
    script = script or Script()
    store = store or ScriptedStore()
    core = ScriptedCore(
        script, clock=VirtualClock(), rng=random.Random(1), store=store, faults=faults
    )
    environment = Environment(
        clock=VirtualClock(),
        random=random.Random(boot),
        limits=limits or Limits(drain_s=5.0),
        journal=journal,
    )
    kernel = Kernel(
        [core], lambda: make(policy), programs=programs, environment=environment, tools=tools
    )
    seen: list[Event] = []
    kernel.bus.listen(seen.append)
    async with kernel:
        yield House(kernel=kernel, core=core, script=script, store=store, events=seen)
        assert violations(kernel) == []


def lived(main: Callable[[], Awaitable[None]]) -> None:
    """Run a test's body in virtual time."""

    async def body(_: random.Random) -> None:
        await main()

    run(body)


def words(count: int) -> str:
    return " ".join(f"word{number}" for number in range(count))


def ask(count: int = 10, *, tokens: int = 40, call_id: str = "", **options: object) -> Generate:
    """A call with a prompt of that many tokens."""
    return Generate(
        prompt=words(count),
        call_id=call_id,
        decoding=Decoding(max_tokens=tokens, seed=7),
        **options,  # type: ignore[arg-type]
    )


async def soon(predicate: Callable[[], bool], limit_s: float = 100.0) -> None:
    """Wait in virtual time until something is so."""
    async with asyncio.timeout(limit_s):
        while not predicate():  # noqa: ASYNC110 - virtual time costs nothing
            await asyncio.sleep(0.01)
