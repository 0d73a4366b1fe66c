"""A server with every room and a human to ask, over a core that says what a test wants, slowly."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import aiohttp

from aios.access.policy import PERSONAL
from aios.clock import LoopClock
from aios.config import Limits
from aios.journal.journal import open_journal
from aios.kernel import Kernel
from aios.kernel.environment import Environment
from aios.kernel.guard.fittings import fittings, vault_of
from aios.kernel.guard.parts import Fence
from aios.kernel.rooms.opening import open_rooms
from aios.kernel.tools.sources import servers_of
from aios.retrieval.ngrams import NgramEmbedder
from aios.scheduler import make
from aios.sdk import tool
from aios.server.app import Application, application
from aios.server.listener import bound, listening
from aios.server.settings import Settings
from aios.syscalls import Generate, Spawn, Spawned, Syscall
from aios.syscalls.approval import Approvals
from aios.testing.cores import ScriptedCore
from aios.testing.script import Script
from aios.testing.store import ScriptedStore

R = TypeVar("R")
SLOW = Script(lanes=2, step_s=0.02, answer_tokens=(200, 400))
QUICK = Script(step_s=0.0)


@tool
def fare(start: str, goal: str) -> str:
    """The cheapest fare between two cities.

    Args:
        start: Where from.
        goal: Where to.
    """
    return f"{start} to {goal}: 89 EUR"


@dataclass(frozen=True, kw_only=True)
class House:
    """What a test may look at and speak through."""

    kernel: Kernel
    url: str
    app: Application

    async def first(self, call: Syscall[R]) -> R:
        """As the first process."""
        return await self.kernel.call(self.kernel.token, call)

    async def spawn(self, name: str, by: str = "", **options: Any) -> Spawned:
        spawn: Syscall[Spawned] = Spawn(name=name, **options)
        return await self.kernel.call(by or self.kernel.token, spawn)

    async def ticket(self, token: str = "") -> str:
        """A link that signs a browser in."""
        headers = {"authorization": f"Bearer {token or self.kernel.token}"}
        async with (
            aiohttp.ClientSession() as http,
            http.post(f"{self.url}/web/tickets", headers=headers) as reply,
        ):
            return f"{self.url}{(await reply.json())['path']}"


@asynccontextmanager
async def house(
    folder: Path,
    *,
    script: Script = SLOW,
    speech: Callable[[Generate], str | None] | None = None,
    settings: Settings | None = None,
) -> AsyncIterator[House]:
    """An open server in a home that is not durable."""
    journal = open_journal(folder / "journal", is_durable=False)
    given = Environment(random=random.Random(1), limits=Limits(drain_s=5.0))
    clock, rng, store = LoopClock(), random.Random(1), ScriptedStore()
    core = ScriptedCore(script, clock=clock, rng=rng, store=store, answer=speech)
    settings = settings or Settings()
    try:
        async with (
            open_rooms(journal, folder, given, NgramEmbedder()) as rooms,
            Kernel(
                [core],
                lambda: make("rr"),
                rooms=rooms.handlers,
                environment=replace(given, journal=journal),
                fence=Fence(policy=PERSONAL, fittings=fittings(folder, vault_of(folder))),
                tools=servers_of([fare], None),
            ) as kernel,
        ):
            app = await application(kernel, settings)
            place = bound("127.0.0.1", 0)
            async with listening(app, place, settings):
                url = f"http://127.0.0.1:{place.getsockname()[1]}"
                yield House(kernel=kernel, url=url, app=app)
                app.close()
    finally:
        await journal.close()


async def pending(house: House, count: int) -> None:
    """Wait until so many questions wait for an answer."""
    async with asyncio.timeout(20):
        while len((await house.first(Approvals())).approvals) < count:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


@dataclass(frozen=True, kw_only=True)
class Reply:
    """An HTTP answer, read."""

    status: int
    text: str
    headers: Any


class Visitor:
    """A browser without a screen: cookies and forms, no scripts."""

    def __init__(self, house: House, http: aiohttp.ClientSession) -> None:
        self._house = house
        self._http = http

    async def get(self, path: str, **headers: str) -> Reply:
        async with self._http.get(
            self._house.url + path, headers=headers, allow_redirects=False
        ) as reply:
            return Reply(status=reply.status, text=await reply.text(), headers=reply.headers)

    async def post(self, path: str, form: dict[str, str], origin: str | None = "") -> Reply:
        """Send a form; the origin is the page's own where none is named, None tells none."""
        headers = {} if origin is None else {"origin": origin or self._house.url}
        async with self._http.post(
            self._house.url + path, data=form, headers=headers, allow_redirects=False
        ) as reply:
            return Reply(status=reply.status, text=await reply.text(), headers=reply.headers)

    async def csrf(self, path: str = "/") -> str:
        """What the forms of a page hold."""
        text = (await self.get(path)).text
        return text.partition('name="csrf" value="')[2].partition('"')[0]


@asynccontextmanager
async def visitor(house: House, token: str | None = "") -> AsyncIterator[Visitor]:
    """Signed in with that token; the first process's where it is empty, nobody where None."""
    jar = aiohttp.CookieJar(unsafe=True)  # takes cookies of an address too
    async with aiohttp.ClientSession(cookie_jar=jar) as http:
        came = Visitor(house, http)
        if token is not None:
            link = await house.ticket(token)
            assert (await came.get(link.removeprefix(house.url))).status == 200
        yield came
