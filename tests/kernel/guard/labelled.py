"""A kernel that follows labels, with every room, made-up tools, and a human as a test has it."""

import asyncio
import json
import random
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec

from aios.access.base import Act
from aios.access.policy import Level, Policy
from aios.clock import LoopClock
from aios.errors import Denied
from aios.journal.base import Work
from aios.journal.journal import open_journal
from aios.kernel.environment import Environment
from aios.kernel.guard.flow_calls import Labels
from aios.kernel.guard.parts import Fence, Parts, Setting
from aios.kernel.kernel import Kernel
from aios.kernel.process import Process
from aios.kernel.rooms.opening import open_rooms
from aios.kernel.tools.servers import ToolServers
from aios.retrieval.ngrams import NgramEmbedder
from aios.scheduler import make
from aios.sdk.client import Client
from aios.syscalls.access import LabelInfo, PlanActs, PlannedAct, ShowLabel, Verdict
from aios.syscalls.base import Syscall
from aios.syscalls.tool import CallTool, Content, Text, ToolResult
from aios.telemetry.events import Event
from aios.testing.homes import scripted
from aios.tools.base import Outside, Terms, Tool, Touch
from aios.tools.naming import info_of

P = ParamSpec("P")
ANYTHING: dict[str, Any] = {"type": "object", "properties": {}}
MAIL, WEB, PAY = ((Touch(one, "read"),) for one in ("mail", "web", "pay"))
TOOLS = {
    "t/think": Terms(declared=True, repeatable=True),
    "t/read_mail": Terms(touches=MAIL, source="mail", readers=("ann", "bob")),
    "t/read_web": Terms(touches=WEB, source="web"),
    "t/salary": Terms(touches=PAY, readers=("ann",)),
    "t/send": Terms(outside=True, recipients=("to",), sensitive=()),
    "t/post": Terms(outside=True, sensitive=("url",)),
    "t/wipe": Terms(final=True),
    "t/calendar": Terms(touches=(Touch("calendar", "write"),), sensitive=()),
    "t/draft": Terms(touches=(Touch("file:drafts", "write"),), inside=True, sensitive=()),
    "t/export": Terms(touches=(Touch("file:drafts", "write"),), sensitive=()),
    "t/inside": Terms(touches=(Touch("calendar", "write"),), inside=True, sensitive=()),
    "t/silent": Terms(sensitive=()),
    "t/once": Terms(declared=True, sensitive=()),
    "t/again": Terms(repeatable=True, sensitive=()),
}


def awaited(test: Callable[P, Coroutine[Any, Any, None]]) -> Callable[P, None]:
    """A test that is a coroutine, in a loop of its own."""

    @wraps(test)
    def run(*given: P.args, **named: P.kwargs) -> None:
        asyncio.run(test(*given, **named))

    return run


class Human:
    """Says yes to what the test says yes to."""

    def __init__(self) -> None:
        self.says: Callable[[Act, Syscall[Any]], bool] = lambda act, call: False
        self.asked: list[Verdict] = []

    async def ask(
        self, process: Process, act: Act, call: Syscall[Any], verdict: Verdict, work: Work
    ) -> "Human":
        self.asked.append(verdict)
        if not self.says(act, call):
            raise Denied(f"the human says no: {verdict.reason}")
        return self

    def settle(self, reply: object) -> None:
        return


class Noted:
    """The audit of a test."""

    def __init__(self) -> None:
        self.verdicts: list[Verdict] = []

    def note(self, process: Process, act: Act, call: Syscall[Any], verdict: Verdict) -> None:
        self.verdicts.append(verdict)

    def begins(self, act: Act, work: Work) -> None:
        return


@dataclass(frozen=True)
class Lab:
    """What a test may look at."""

    kernel: Kernel
    human: Human
    noted: Noted
    done: list[str]  # tools that ran, in their order
    events: list[Event]
    tokens: dict[str, str]  # of the last process of each agent

    @property
    def first(self) -> Client:
        return Client(self.kernel, self.kernel.token)

    async def agent(self, name: str = "ada", **options: Any) -> Client:
        spawned = await self.first.spawn(name, **options)
        self.tokens[name] = spawned.token
        return self.first.of(spawned)


async def use(client: Client, name: str, **arguments: Any) -> ToolResult:
    return await client.call(CallTool(name=f"t/{name}", arguments=json.dumps(arguments)))


async def known(client: Client) -> LabelInfo:
    return await client.call(ShowLabel())


async def sources(client: Client) -> set[str]:
    return set((await known(client)).sources)


async def plan(client: Client, *acts: PlannedAct) -> None:
    await client.call(PlanActs(acts=acts))


def planned(name: str, *open: str, uses: int = 1, **fixed: Any) -> PlannedAct:
    return PlannedAct(tool=f"t/{name}", fixed=fixed, open=open, uses=uses)


class Made:
    """A source of the made-up tools: they do nothing, and fail where they are told to."""

    name = "t"

    def __init__(self) -> None:
        self.done: list[str] = []
        self._tools = tuple(self._made(name, terms) for name, terms in TOOLS.items())

    async def tools(self) -> tuple[Tool, ...]:
        return self._tools

    async def close(self) -> None:
        return

    def _made(self, name: str, terms: Terms) -> Tool:
        async def run(arguments: Mapping[str, Any], outside: Outside) -> tuple[Content, ...]:
            if "fail" in arguments:
                raise Denied("the tool's own words")
            self.done.append(name)
            return (Text("done"),)

        return Tool(info=info_of(name, "", ANYTHING, terms), terms=terms, run=run)


@asynccontextmanager
async def lab(
    folder: Path,
    level: Level = "enforce",
    policy: Policy | None = None,
    *,
    boot: int = 1,
    programs: Mapping[str, Any] | None = None,
) -> AsyncIterator[Lab]:
    """One life of a kernel in a home; the next life of the same home is another one."""
    journal = open_journal(folder / "journal", is_durable=False)
    given = Environment(clock=LoopClock(), random=random.Random(boot))
    human, noted, made = Human(), Noted(), Made()

    def fit(setting: Setting) -> Parts:
        return Parts(asker=human, witness=noted)

    try:
        async with open_rooms(journal, folder, given, NgramEmbedder()) as rooms:
            kernel = Kernel(
                [scripted()],
                lambda: make("rr"),
                rooms=rooms.handlers,
                programs=programs,
                environment=replace(given, journal=journal),
                fence=Fence(policy=policy or Policy(labels=level), fittings=(Labels(), fit)),
                tools=ToolServers((made,)),
            )
            events: list[Event] = []
            rooms.speak(kernel.call_for)
            kernel.bus.listen(events.append)
            async with kernel:
                yield Lab(kernel, human, noted, made.done, events, {})
    finally:
        await journal.close()
