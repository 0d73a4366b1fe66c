"""The whole server on a real loopback socket, over a kernel whose model says what a test wants."""

import asyncio
import dataclasses
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp

from aios.clock import LoopClock
from aios.config import Limits
from aios.journal.base import Journal
from aios.kernel import Kernel
from aios.kernel.dispatch import Kind, RoomHandler
from aios.kernel.environment import Environment
from aios.kernel.invariants import violations
from aios.kernel.rooms.embedding import Embedding
from aios.scheduler import make
from aios.server.app import application
from aios.server.front import Observer
from aios.server.listener import bound, listening
from aios.server.settings import Settings
from aios.syscalls import Embed, Generate, Message, Spawn
from aios.testing.cores import ScriptedCore
from aios.testing.script import Script
from aios.testing.store import ScriptedStore

Speech = Callable[[Generate], str | Message | None]
QUICK = Script(step_s=0.0)
SLOW = Script(step_s=0.02, lanes=2, answer_tokens=(4_000, 4_000), context_tokens=8_000)


@dataclass(frozen=True, kw_only=True)
class House:
    """What a test may look at and speak through."""

    kernel: Kernel
    url: str
    port: int
    token: str  # an agent's
    http: aiohttp.ClientSession  # speaks as that agent

    @property
    def running(self) -> int:
        return sum(len(list(loop.live)) for loop in self.kernel.loops)


@asynccontextmanager
async def house(
    speech: Speech | None = None,
    *,
    script: Script = QUICK,
    settings: Settings | None = None,
    limits: Limits | None = None,
    embed: Embedding | None = None,
    journal: Journal | None = None,
    observe: Callable[[Kernel], Sequence[Observer]] = lambda kernel: (),
    seed: int = 1,
) -> AsyncIterator[House]:
    """An open server; the kernel's invariants are checked at the end."""
    core = ScriptedCore(
        script, clock=LoopClock(), rng=random.Random(1), store=ScriptedStore(), answer=speech
    )
    given = settings or Settings()
    environment = Environment(random=random.Random(seed), limits=limits or Limits(drain_s=5.0))
    environment = dataclasses.replace(environment, journal=journal)
    rooms: dict[Kind, RoomHandler] = {Embed: embed.embed} if embed is not None else {}
    async with Kernel([core], lambda: make("rr"), environment=environment, rooms=rooms) as kernel:
        app = await application(kernel, given, observe(kernel))
        agent = await kernel.call(kernel.token, Spawn(name="agent"))
        place = bound("127.0.0.1", 0)
        port = place.getsockname()[1]
        url = f"http://127.0.0.1:{port}"
        headers = {"authorization": f"Bearer {agent.token}"}
        async with (
            listening(app, place, given),
            aiohttp.ClientSession(base_url=url, headers=headers) as http,
        ):
            yield House(kernel=kernel, url=url, port=port, token=agent.token, http=http)
        assert violations(kernel) == []


def lived(main: Callable[[], Awaitable[None]]) -> None:
    """Run a test's body in real time."""

    async def body() -> None:
        async with asyncio.timeout(30):
            await main()

    asyncio.run(body())


async def soon(predicate: Callable[[], bool], limit_s: float = 5.0) -> float:
    """Wait until something is so; the seconds it took."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    async with asyncio.timeout(limit_s):
        while not predicate():  # noqa: ASYNC110 - the kernel has no event for it
            await asyncio.sleep(0.002)
    return loop.time() - began
