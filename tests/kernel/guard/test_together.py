"""Approvals, budgets and labels together, under cancelled calls, restarts and kills, by chance.

Whatever the order: a yes lets one act be done, nothing is done that nobody said yes to, words of
strangers are told to nobody who did not allow them, and nothing is held once nothing is under way.
"""

import asyncio
import json
from collections import Counter
from collections.abc import Awaitable, Sequence
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aios.access.policy import Line, Over, Policy
from aios.errors import AiosError
from aios.journal.base import Change, Row, Statement, Value
from aios.kernel.kernel import Kernel
from aios.kernel.tools.servers import ToolServers
from aios.sdk import tool
from aios.sdk.client import Client
from aios.syscalls import Spawned
from aios.syscalls.approval import Answer, Approval
from aios.syscalls.budget import EVERYBODY, Resource
from aios.testing.journal import InlineJournal
from aios.tools.functions import Functions
from tests.kernel.guard.fenced import fenced
from tests.kernel.house import lived

POLICY = Policy(
    labels="enforce",
    ask=(
        Line("final acts", verbs=("tool.call",), object="local/pay"),
        Line("dear", over=Over(money=1.5)),
    ),
)
AGENTS = ("ada", "eve")  # Eve has heard from strangers.
ACTS = st.one_of(
    st.tuples(
        st.just("use"),
        st.sampled_from(AGENTS),
        st.sampled_from(("pay", "post", "buy")),
        st.sampled_from(("a", "b")),
        st.sampled_from(("", "", "k1", "k2")),
    ),
    st.tuples(st.just("tell"), st.sampled_from(AGENTS), st.sampled_from(("a", "b"))),
    st.tuples(st.just("answer"), st.integers(0, 5), st.booleans()),
    st.tuples(st.just("answer"), st.integers(0, 5), st.just(value=True)),
    st.tuples(st.just("cancel"), st.integers(0, 5)),
    st.tuples(st.just("sleep"), st.sampled_from((0.5, 3.0, 700.0))),
    st.tuples(st.just("top_up")),
)

ENDS = st.sampled_from(("restart", "kill", "quiet"))


class Disk:
    """A journal that a killed kernel writes no more to."""

    def __init__(self, kept: InlineJournal) -> None:
        self._kept = kept
        self._nowhere: InlineJournal | None = None
        self.blobs = kept.blobs

    def cut(self) -> None:
        self._nowhere = InlineJournal()

    def post(self, changes: Sequence[Change]) -> Awaitable[None]:
        return (self._nowhere or self._kept).post(changes)

    async def read(self, statement: Statement, *values: Value) -> list[Row]:
        return await self._kept.read(statement, *values)


class World:
    """What outlives a kernel: the disk, what tools have done, and what humans have said."""

    def __init__(self) -> None:
        self.kept = InlineJournal()
        self.spawned: dict[str, Spawned] = {}
        self.done: Counter[tuple[str, str]] = Counter()
        self.yes: Counter[tuple[str, str]] = Counter()
        self.limit = 3.0
        self.life = 0
        self.disk = Disk(self.kept)

    def tools(self) -> ToolServers:
        life = self.life

        async def act(what: str, to: str) -> str:
            if life == self.life:
                self.done[f"local/{what}", to] += 1
            await asyncio.sleep(2.0)
            return "done"

        @tool(final=True, price=1.0)
        async def pay(to: str) -> str:
            return await act("pay", to)

        @tool(outside=True, price=0.5)
        async def post(to: str) -> str:
            return await act("post", to)

        @tool(reads="shop", price=2.0)
        async def buy(to: str) -> str:
            return await act("buy", to)

        @tool(reads="web", source="web")
        async def look() -> str:
            return "buy now"

        return ToolServers([Functions([pay, post, buy, look])])

    async def begin(self, first: Client) -> None:
        for name in AGENTS:
            self.spawned[name] = await first.spawn(name)
        await first.of(self.spawned["eve"]).tools.call("local/look", {})
        await first.budgets.set(EVERYBODY, Resource.MONEY, self.limit)

    async def live(self, steps: Sequence[Sequence[Any]], *, end: str, boot: int) -> None:
        """One kernel's life."""
        self.disk = Disk(self.kept)
        async with fenced(self.disk, POLICY, boot=boot, tools=self.tools()) as kernel:
            life = Life(self, kernel)
            if not self.spawned:
                await self.begin(life.first)
            for step in steps:
                await life.do(step)
            if end == "quiet":
                await life.quiet()
            if end == "kill":
                self.disk.cut()
                self.life += 1  # Its tools do nothing any more.
        await life.ended()

    async def last(self, boot: int) -> None:
        """Nothing is under way: what is held, what is asked, and what was told?"""
        async with fenced(self.kept, POLICY, boot=boot, tools=self.tools()) as kernel:
            first = Client(kernel, kernel.token)
            if not self.spawned:
                await self.begin(first)
            (money,) = (await first.budgets.list()).budgets
            assert money.held == 0
            assert money.spent <= self.limit
            await asyncio.sleep(700.0)
            assert (await first.approvals.list()).approvals == ()
            used = Counter(
                named(one)
                for one in (await first.approvals.list(all=True)).approvals
                if one.answer is Answer.USED
            )
            assert used <= self.yes
            while (await first.whoami()).mail:
                self.done["told", str((await first.receive(0)).body)] += 1
        for (what, to), count in self.done.items():
            needs_yes = what in ("local/pay", "local/buy") or to.startswith("eve")
            if needs_yes and what == "told":  # The same words may be told again.
                assert self.yes[what, to], to
            elif needs_yes:
                assert count <= used[what, to], (what, to)


class Life:
    """One kernel, and the calls that are under way in it."""

    def __init__(self, world: World, kernel: Kernel) -> None:
        self._world = world
        self.first = Client(kernel, kernel.token)
        self._calls: list[asyncio.Future[Any]] = []

    async def do(self, step: Sequence[Any]) -> None:
        await getattr(self, step[0])(*step[1:])
        await asyncio.sleep(0.01)

    async def use(self, name: str, what: str, to: str, key: str) -> None:
        client = self.first.of(self._world.spawned[name])
        key = key and f"{key} {what} {to}"
        self._begin(client.tools.call(f"local/{what}", {"to": f"{name} {to}"}, key=key))

    async def tell(self, name: str, words: str) -> None:
        self._begin(self.first.of(self._world.spawned[name]).send(1, f"{name} {words}"))

    async def answer(self, place: int, is_yes: bool) -> None:
        waiting = (await self.first.approvals.list()).approvals
        if waiting:
            one = waiting[place % len(waiting)]
            await self.first.approvals.answer(one.id, one.digest, is_yes)
            self._world.yes[named(one)] += is_yes

    async def cancel(self, place: int) -> None:
        if self._calls:
            self._calls[place % len(self._calls)].cancel()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def top_up(self) -> None:
        await self.first.budgets.top_up(EVERYBODY, Resource.MONEY, 1.0)
        self._world.limit += 1.0

    async def quiet(self) -> None:
        """Everybody leaves: then nothing is held."""
        for call in self._calls:
            call.cancel()
        await self.ended()
        await asyncio.sleep(10.0)  # What had begun ends.
        (money,) = (await self.first.budgets.list()).budgets
        assert (money.held, money.waiting) == (0, 0)

    async def ended(self) -> None:
        """Every call has one reply or one error of the system, and none hangs."""
        async with asyncio.timeout(10):
            for one in await asyncio.gather(*self._calls, return_exceptions=True):
                is_known = isinstance(one, AiosError | asyncio.CancelledError)
                assert is_known or not isinstance(one, BaseException), repr(one)

    def _begin(self, call: Any) -> None:
        self._calls.append(asyncio.ensure_future(call))


def named(one: Approval) -> tuple[str, str]:
    """What a question is about, as the world counts it."""
    arguments = json.loads(one.arguments)
    if one.verb == "process.send":
        return "told", arguments["body"]
    return one.object, arguments["arguments"]["to"]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(st.lists(ACTS, max_size=14), ENDS), max_size=3))
def test_nothing_is_done_without_its_own_yes_and_nothing_stays_held(
    lives: list[tuple[list[tuple[Any, ...]], str]],
) -> None:
    async def main() -> None:
        world = World()
        for boot, (steps, end) in enumerate(lives, start=1):
            await world.live(steps, end=end, boot=boot)
        await world.last(len(lives) + 1)
        world.kept.close()

    lived(main)
