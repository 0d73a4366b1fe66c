"""What tools keep between calls, in a kernel with all its fittings: no label is lost in them."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Literal

import pytest

from aios.access.policy import Policy
from aios.clock import LoopClock
from aios.config import Limits
from aios.errors import Busy, Denied
from aios.journal import statements
from aios.journal.base import Blobs, Change, Journal, Row, Statement, Value
from aios.journal.journal import open_journal
from aios.kernel.environment import Environment
from aios.kernel.guard.fittings import fittings, vault_of
from aios.kernel.guard.parts import Fence
from aios.kernel.kernel import Kernel
from aios.kernel.rooms.opening import open_rooms
from aios.kernel.tools.servers import ToolServers
from aios.retrieval.ngrams import NgramEmbedder
from aios.sandbox.base import Bounds, Outcome, Whose
from aios.scheduler import make
from aios.sdk.client import Client
from aios.syscalls import file
from aios.syscalls.tool import CallTool, CallTools, Content, Text, ToolResult
from aios.testing.homes import scripted
from aios.tools.base import Keeping, Outside, Source, Terms, Tool
from aios.tools.builtin import python
from aios.tools.mcp.definitions import Trust, terms_of
from aios.tools.naming import info_of
from tests.kernel.guard.labelled import ANYTHING, Made, awaited, known, sources, use


class Full:
    """A journal whose queue is full as long as a test says so."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self.is_full = False

    @property
    def blobs(self) -> Blobs:
        return self._journal.blobs

    def post(self, changes: Sequence[Change]) -> Awaitable[None]:
        if self.is_full:
            raise Busy("no room")
        return self._journal.post(changes)

    async def read(self, statement: Statement, *values: Value) -> list[Row]:
        return await self._journal.read(statement, *values)

    async def close(self) -> None:
        return


class Kernels:
    """What a test has of one life of a kernel."""

    def __init__(self, kernel: Kernel, journal: Full) -> None:
        self.kernel = kernel
        self.journal = journal
        self.first = Client(kernel, kernel.token)

    async def agent(self, name: str = "ada") -> Client:
        return self.first.of(await self.first.spawn(name))

    async def kept(self) -> set[tuple[Value, ...]]:
        return {row[:3] for row in await self.journal.read(statements.LABELS_ALL)}


@asynccontextmanager
async def fitted(folder: Path, *more: Source) -> AsyncIterator[Kernels]:
    disk = open_journal(folder / "journal", is_durable=False)
    journal = Full(disk)
    given = Environment(clock=LoopClock(), limits=Limits(approval_s=0.0))
    try:
        async with open_rooms(journal, folder, given, NgramEmbedder()) as rooms:
            kernel = Kernel(
                [scripted()],
                lambda: make("rr"),
                rooms=rooms.handlers,
                environment=Environment(journal=journal, limits=given.limits),
                fence=Fence(
                    policy=Policy(labels="enforce"), fittings=fittings(folder, vault_of(folder))
                ),
                tools=ToolServers((Made(), *more)),
            )
            async with kernel:
                yield Kernels(kernel, journal)
    finally:
        await disk.close()


class Conversation:
    """Variables in this very process."""

    def __init__(self) -> None:
        self.is_over = False
        self._told = ""

    async def run(self, code: str, wall_s: float | None = None) -> Outcome:
        verb, _, words = code.partition(" ")
        if verb == "keep":
            self._told = words
        self.is_over = verb == "end"
        out = b"" if verb == "keep" else self._told.encode()
        return Outcome(ended="exited", code=0, stdout=out, stderr=b"", tier="none", wall_s=0.0)

    async def close(self) -> None:
        self.is_over = True


class Host:
    """Keeps what it opened."""

    def __init__(self) -> None:
        self.opened: list[Conversation] = []

    async def session(self, bounds: Bounds, idle_s: float, whose: Whose) -> Conversation:
        self.opened.append(Conversation())
        return self.opened[-1]


class Given:
    """A server of given tools."""

    def __init__(self, name: str, *tools: Tool) -> None:
        self.name = name
        self._tools = tools

    async def tools(self) -> tuple[Tool, ...]:
        return self._tools

    async def close(self) -> None:
        return


def interpreter() -> tuple[Host, Given]:
    host = Host()
    return host, Given("aios", *python.tools(python.Sessions(host)))  # type: ignore[arg-type]  # only its sessions


def box(terms: Terms) -> Given:
    """What one puts in it, another takes out."""
    held: list[str] = []

    async def put(arguments: Mapping[str, Any], outside: Outside) -> tuple[Content, ...]:
        held.append(arguments["words"])
        if "fail" in arguments:
            raise Denied("it is in the box already")
        return (Text("done"),)

    async def get(arguments: Mapping[str, Any], outside: Outside) -> tuple[Content, ...]:
        return (Text(str(held)),)

    return Given("box", *(
        Tool(info=info_of(f"box/{name}", "", ANYTHING, terms), terms=terms, run=run)
        for name, run in (("put", put), ("get", get))
    ))  # fmt: skip


async def call(client: Client, name: str, **arguments: Any) -> ToolResult:
    return await client.call(CallTool(name=name, arguments=json.dumps(arguments)))


@awaited
async def test_variables_of_a_session_bear_the_label_of_who_left_them(tmp_path: Path) -> None:
    _, aios = interpreter()
    async with fitted(tmp_path, aios) as here:
        ada, clean, bob = await here.agent(), await here.agent(), await here.agent("bob")
        await use(ada, "read_web")
        await use(ada, "salary")
        await call(ada, "aios/python", code="keep the salary is 9000")
        await call(bob, "aios/python", code="show")
        assert await sources(bob) == set()
        assert (await call(clean, "aios/python", code="show")).text.strip().startswith("the salary")
        label = await known(clean)
        assert (label.sources, label.readers) == (("web",), ("ann",))
        with pytest.raises(Denied):
            await use(clean, "post", url="x.org")


@pytest.mark.parametrize("way", ["ended by a call", "over by itself", "another kernel"])
@awaited
async def test_a_session_that_is_new_bears_nothing_of_the_one_before(
    tmp_path: Path, way: str
) -> None:
    host, aios = interpreter()
    async with fitted(tmp_path, aios) as here:
        ada, clean = await here.agent(), await here.agent()
        await use(ada, "read_web")
        await call(ada, "aios/python", code="keep words" if way != "ended by a call" else "end")
        if way == "over by itself":
            host.opened[0].is_over = True
        if way != "another kernel":
            await call(clean, "aios/python", code="show")
            assert await sources(clean) == set()
            assert ("tool-state", "ada", "aios") not in await here.kept()
    if way == "another kernel":
        async with fitted(tmp_path, interpreter()[1]) as here:
            clean = await here.agent()
            await call(clean, "aios/python", code="show")
            assert await sources(clean) == set()


@awaited
async def test_a_server_that_remembers_tells_all_agents_in_all_lives(tmp_path: Path) -> None:
    terms = terms_of("box", None, Trust(is_shut_in=True))
    async with fitted(tmp_path, box(terms)) as here:
        ada, bob = await here.agent(), await here.agent("bob")
        await use(ada, "salary")
        await call(ada, "box/put", words="9000")
        await call(bob, "box/get")
        assert (await known(bob)).readers == ("ann",)
        with pytest.raises(Denied):
            await use(bob, "post", url="x.org")
    async with fitted(tmp_path, box(terms)) as here:
        bob = await here.agent("bob")
        await call(bob, "box/get")
        assert (await known(bob)).readers == ("ann",)


@pytest.mark.parametrize(("is_stateless", "readers"), [(True, None), (False, ("ann",))])
@awaited
async def test_the_operator_may_say_that_a_server_keeps_nothing(
    tmp_path: Path, is_stateless: bool, readers: tuple[str, ...] | None
) -> None:
    terms = terms_of("box", None, Trust(is_shut_in=True, is_stateless=is_stateless))
    async with fitted(tmp_path, box(terms)) as here:
        ada, bob = await here.agent(), await here.agent("bob")
        await use(ada, "salary")
        await call(ada, "box/put", words="9000")
        await call(bob, "box/get")
        assert (await known(bob)).readers == readers


@pytest.mark.parametrize("by", ["agent", "server"])
@awaited
async def test_what_a_tool_keeps_is_known_as_its_also_by_a_call_that_failed_or_a_batch(
    tmp_path: Path, by: Literal["agent", "server"]
) -> None:
    async with fitted(
        tmp_path, box(Terms(keeps=Keeping(by=by), declared=True, repeatable=True))
    ) as here:
        ada, clean, last = await here.agent(), await here.agent(), await here.agent()
        await use(ada, "read_web")
        with pytest.raises(Denied, match="in the box"):
            await call(ada, "box/put", words="web", fail=True)
        await clean.call(CallTools(calls=(CallTool(name="box/get"), CallTool(name="t/think"))))
        assert await sources(clean) == {"web"}
        with pytest.raises(Denied, match="in the box"):
            await call(last, "box/put", words="x", fail=True)
        assert await sources(last) == {"web"}


@awaited
async def test_what_a_tool_is_given_is_told_before_its_call_has_ended(tmp_path: Path) -> None:
    begun, may_end = asyncio.Event(), asyncio.Event()
    terms = Terms(inside=True, keeps=Keeping(by="server"))

    async def hold(arguments: Mapping[str, Any], outside: Outside) -> tuple[Content, ...]:
        begun.set()
        await may_end.wait()
        return (Text("done"),)

    held = Tool(info=info_of("box/hold", "", ANYTHING, terms), terms=terms, run=hold)
    async with fitted(tmp_path, Given("box", held, *await box(terms).tools())) as here:
        ada, bob = await here.agent(), await here.agent("bob")
        await use(ada, "read_web")
        holding = asyncio.create_task(call(ada, "box/hold"))
        async with asyncio.timeout(30):
            await begun.wait()
        await call(bob, "box/get")
        assert await sources(bob) == {"web"}
        may_end.set()
        await holding


@awaited
async def test_what_a_tool_brings_from_outside_stays_in_what_its_server_keeps(
    tmp_path: Path,
) -> None:
    keeps = Keeping(by="server")
    load, *_ = await box(Terms(inside=True, keeps=keeps, source="feed")).tools()
    _, show = await box(Terms(inside=True, keeps=keeps)).tools()
    async with fitted(tmp_path, Given("box", load, show)) as here:
        ada, bob = await here.agent(), await here.agent("bob")
        await call(ada, "box/put", words="the news")
        await call(bob, "box/get")
        assert await sources(bob) == {"feed"}


@awaited
async def test_a_tool_that_comes_only_while_it_is_called_is_heard(tmp_path: Path) -> None:
    late = box(Terms(source="late"))
    there, late._tools = late._tools, ()
    async with fitted(tmp_path, late) as here:
        ada = await here.agent()
        late._tools = there
        for one in there:
            await here.first.tools.accept(one.info.name, one.info.pin)
        here.kernel.tools._servers.registry.put("box", ())
        await call(ada, "box/get")
        assert await sources(ada) == {"late"}


@awaited
async def test_what_an_error_told_is_kept_as_soon_as_the_journal_has_room(tmp_path: Path) -> None:
    async with fitted(tmp_path) as here:
        ada = await here.agent()
        pid = str((await known(ada)).pid)
        here.journal.is_full = True
        with pytest.raises(Denied, match="own words"):
            await use(ada, "read_web", fail=True)
        assert await sources(ada) == {"web"}
        here.journal.is_full = False
        assert ("process", "", pid) not in await here.kept()
        async with asyncio.timeout(30):
            while ("process", "", pid) not in await here.kept():  # noqa: ASYNC110 - a second, say
                await asyncio.sleep(0.05)


@awaited
async def test_what_an_error_told_goes_with_the_next_commit(tmp_path: Path) -> None:
    async with fitted(tmp_path) as here:
        ada = await here.agent()
        pid = str((await known(ada)).pid)
        here.journal.is_full = True
        with pytest.raises(Denied, match="own words"):
            await use(ada, "read_web", fail=True)
        here.journal.is_full = False
        await ada.call(file.WriteFile(path="a", data=b"x"))
        assert ("process", "", pid) in await here.kept()
