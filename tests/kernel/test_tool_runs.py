"""A tool's run that a crash, a full disk or a vanished caller cuts short is never repeated in
silence: it is done once, or nobody knows and that is said."""

import asyncio
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from aios.errors import AiosError, InvalidArgument, NoSpace, OutcomeUnknown
from aios.kernel.hosting import Program
from aios.kernel.tools.servers import ToolServers
from aios.sdk import Agent, Client, hosted, tool
from aios.syscalls import Generate, Message, Spawn, ToolCall, Wait
from aios.syscalls.tool import CallTool
from aios.testing.crash import Severable
from aios.testing.journal import InlineJournal
from aios.tools.functions import Functions
from tests.kernel.house import House, house, lived, soon
from tests.kernel.tool_victim import kernel_over

CUTS_MAX = 60  # posts, one after another, before which the journal is cut


@dataclass
class World:
    """What no crash undoes."""

    done: Counter[str] = field(default_factory=Counter)

    def servers(self, *, repeatable: bool = False) -> ToolServers:
        @tool(repeatable=repeatable)
        async def order(what: str, seconds: float = 0.05) -> str:
            self.done[what] += 1
            await asyncio.sleep(seconds)
            return f"ordered {what}"

        return ToolServers([Functions([order])])


def client_of(home: House) -> Client:
    return Client(home.kernel, home.kernel.token)


def order(what: str) -> CallTool:
    return CallTool(name="local/order", arguments=f'{{"what": "{what}"}}')


def cut_before(number: int, inner: InlineJournal) -> Severable:
    journal = Severable(inner, lambda posts: journal.cut() if posts == number else None)
    return journal


async def lives(work: Any, journal: Severable) -> Any:
    """What `work` gives, or None where the journal was cut first."""
    task = asyncio.ensure_future(work)
    while not task.done() and not journal.is_cut:
        await asyncio.wait([task], timeout=0.005)
    if not journal.is_cut:
        return await task
    task.cancel()
    await asyncio.wait([task])
    return None


@pytest.mark.parametrize("repeatable", [False, True])
def test_a_call_with_a_key_is_made_once_wherever_its_kernel_is_killed(repeatable: bool) -> None:
    async def main() -> None:
        outcomes = set()
        for number in range(1, CUTS_MAX):
            world, inner = World(), InlineJournal()
            journal = cut_before(number, inner)

            async def ask(journal: Severable, boot: int, world: World = world) -> str:
                servers = world.servers(repeatable=repeatable)
                async with house(journal=journal, boot=boot, tools=servers) as home:
                    try:
                        result = await client_of(home).tools.call(
                            "local/order", {"what": "a"}, key="k"
                        )
                    except OutcomeUnknown:
                        return "unknown"
                    assert home.kernel.tools.unsettled == 0
                    return result.text

            if await lives(ask(journal, 1), journal) is not None:
                break
            said = await ask(Severable(inner), 2)
            assert await ask(Severable(inner), 3) == said, "and whoever asks again is told the same"
            outcomes.add((said, world.done["a"]))
        allowed = {("ordered a", 1), ("ordered a", 2)} if repeatable else {
            ("ordered a", 1), ("unknown", 0), ("unknown", 1),
        }  # fmt: skip
        assert outcomes <= allowed
        assert repeatable or ("unknown", 1) in outcomes

    lived(main)


def test_of_a_batch_every_part_is_done_once_or_unknown_wherever_its_kernel_is_killed() -> None:
    async def main() -> None:
        seen = set()
        calls = [order("a"), order("b"), CallTool(name="local/order", arguments="{}"), order("c")]
        for number in range(1, CUTS_MAX):
            world, inner = World(), InlineJournal()
            journal = cut_before(number, inner)

            async def ask(journal: Severable, boot: int, world: World = world) -> list[str]:
                async with house(journal=journal, boot=boot, tools=world.servers()) as home:
                    return [one.text for one in await client_of(home).tools.batch(calls, key="k")]

            if await lives(ask(journal, 1), journal) is not None:
                break
            said = await ask(Severable(inner), 2)
            for what, text in zip(("a", "b", "", "c"), said, strict=True):
                if what:
                    seen.add((text.partition(":")[0], world.done[what]))
        assert {("ordered a", 1), ("outcome_unknown", 1)} <= seen
        assert not any(times > 1 for _, times in seen)

    lived(main)


def test_a_caller_who_goes_away_and_comes_back_is_told_that_nobody_knows() -> None:
    async def main() -> None:
        world = World()
        async with house(journal=InlineJournal(), tools=world.servers()) as home:
            client = client_of(home)
            arguments = {"what": "a", "seconds": 10}
            task = asyncio.ensure_future(client.tools.call("local/order", arguments, key="k"))
            await soon(lambda: world.done["a"] == 1)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            with pytest.raises(OutcomeUnknown, match="local/order had begun"):
                await client.tools.call("local/order", arguments, key="k")
            with pytest.raises(InvalidArgument, match="another call"):
                await client.tools.call("local/order", {"what": "b"}, key="k")
            assert world.done == {"a": 1}
            assert (await client.tools.call("local/order", {"what": "a"}, key="l")).text

    lived(main)


def test_what_a_tool_gave_is_not_lost_to_a_full_disk() -> None:
    async def main() -> None:
        world, journal = World(), InlineJournal()
        async with house(journal=journal, tools=world.servers()) as home:
            client = client_of(home)
            task = asyncio.ensure_future(client.tools.call("local/order", {"what": "a"}, key="k"))
            await soon(lambda: world.done["a"] == 1)
            journal.fail_next(NoSpace("full"))
            with pytest.raises(NoSpace):
                await task
            assert (await client.tools.call("local/order", {"what": "a"}, key="k")).text
            assert world.done == {"a": 1}
            assert home.kernel.tools.unsettled == 0

    lived(main)


def test_without_room_to_write_that_it_begins_a_tool_does_not_begin() -> None:
    async def main() -> None:
        world, journal = World(), InlineJournal()
        async with house(journal=journal, tools=world.servers()) as home:
            journal.fail_next(NoSpace("full"))
            with pytest.raises(NoSpace):
                await client_of(home).tools.call("local/order", {"what": "a"}, key="k")
            assert world.done == {}
            assert (await client_of(home).tools.call("local/order", {"what": "a"}, key="k")).text

    lived(main)


def shopper(world: World) -> Program:
    """A durable agent that orders three things in one turn: two of its own tools, one kernel's."""

    @tool(writes="{what}")
    async def fetch(what: str) -> str:
        world.done[what] += 1
        await asyncio.sleep(0.03 if what == "x" else 0.01)
        return f"fetched {what}"

    agent = Agent("shopper", tools=[fetch, "local/order"], temperature=0.0)
    turn = Message(
        "assistant",
        tool_calls=(
            ToolCall("1", "fetch", '{"what": "x"}'),
            ToolCall("2", "local/order", '{"what": "k"}'),
            ToolCall("3", "fetch", '{"what": "y"}'),
            ToolCall("4", "fetch", '{"what": "x"}'),
        ),
    )

    async def shop(client: Client, argument: Any) -> list[str | None]:
        await client.call(Generate(prompt="what shall I buy?"))
        assert [one.name for one in await agent.toolbox.specs(client)] == ["fetch", "local/order"]
        said = await agent.toolbox.run_all(turn.tool_calls, client)
        await client.call(Generate(prompt="what have I bought?"))
        return [one.content for one in said]

    return hosted(shop)


def test_a_durable_agent_whose_tools_run_side_by_side_ends_the_same_wherever_it_is_killed() -> None:
    async def main() -> None:
        ran = 0
        for number in range(1, CUTS_MAX):
            world, inner = World(), InlineJournal()

            async def live(journal: Severable, boot: int, world: World = world) -> Any:
                programs: Mapping[str, Program] = {"shop": shopper(world)}
                async with house(
                    journal=journal, boot=boot, tools=world.servers(), programs=programs
                ) as home:
                    spawn = Spawn(name="shop", program="shop", durable=True)
                    child = await home.kernel.call(home.kernel.token, spawn, key="start")
                    return await home.kernel.call(home.kernel.token, Wait(pid=child.pid))

            journal = cut_before(number, inner)
            if await lives(live(journal, 1), journal) is not None:
                break
            how = await live(Severable(inner), 2)
            assert not how.error
            texts = ["fetched x", "ordered k", "fetched y", "fetched x"]
            for said, text in zip(how.result, texts, strict=True):
                assert said == text or "unknown" in said
            assert world.done["k"] <= 1
            assert world.done["y"] <= 1
            assert world.done["x"] <= 2
            ran += 1
        assert ran > 10

    lived(main)


def test_a_real_kill_leaves_a_call_that_is_not_made_again(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.kernel.tool_victim", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "begun\n"
        os.kill(child.pid, signal.SIGKILL)

    async def main() -> None:
        async with kernel_over(tmp_path) as kernel:
            client = Client(kernel, kernel.token)
            with pytest.raises(OutcomeUnknown):
                await client.tools.call("local/leave_a_line", key="k")
            again: AiosError | None = None
            try:
                await client.tools.call("local/leave_a_line", key="k")
            except AiosError as error:
                again = error
            assert isinstance(again, OutcomeUnknown)

    asyncio.run(main())
    assert (tmp_path / "lines").read_text() == "a line\n"
