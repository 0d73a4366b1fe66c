"""Durable programs: killed anywhere, run again, and nobody can tell by what they did."""

import asyncio
import itertools
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from aios.errors import NoSpace, WrongState
from aios.kernel.hosting import Program
from aios.kernel.kept import KeptGenerations
from aios.sdk import Client, Tool, Toolbox, hosted, tool
from aios.sdk.toolbox import UNKNOWN
from aios.syscalls import (
    Decoding,
    Exited,
    Generate,
    Inspect,
    Mail,
    Message,
    ProcessState,
    Send,
    Spawn,
    ToolCall,
    Wait,
)
from aios.telemetry import events
from aios.testing.crash import Severable
from aios.testing.journal import InlineJournal
from aios.testing.script import Script
from tests.kernel.house import House, house, lived, soon, words

LONG = Script(answer_tokens=(60, 60), lanes=2)


def question(number: int) -> Generate:
    return Generate(prompt=words(5 + number), decoding=Decoding(max_tokens=20))


@dataclass
class Shop:
    """The world outside, which no crash undoes: what was done there, and a program that does it."""

    done: Counter[str] = field(default_factory=Counter)
    told: dict[str, str] = field(default_factory=dict)
    texts: list[str] = field(default_factory=list)

    def tools(self, *, repeatable: bool) -> Toolbox:
        @tool(inline=True, repeatable=repeatable)
        async def order(what: str) -> str:
            """Order something."""
            self.done[what] += 1
            await asyncio.sleep(0.05)
            return f"ordered {what}"

        assert isinstance(order, Tool)
        return Toolbox([order])

    def program(self, *, repeatable: bool) -> Program:
        tools = self.tools(repeatable=repeatable)

        async def buy(client: Client, what: str) -> str:
            call = ToolCall(id=what, name="order", arguments=f'{{"what": "{what}"}}')
            said: Message = await tools.run(call, client)
            return said.content or ""

        async def branch(client: Client, number: int) -> list[Any]:
            said = await client.call(question(number))
            bought = await buy(client, f"thing {number}")
            again = await client.call(question(number))
            return [said.text, bought, again.text]

        async def shop(client: Client, argument: Any) -> Any:
            moment = await client.now()
            me = await client.whoami()
            child = await client.spawn("helper")
            await client.send(me.pid, "to myself")
            both = await asyncio.gather(*(branch(client, number) for number in range(2)))
            mail = await client.receive()
            await client.of(child).exit("helped")
            helped = await client.wait(child.pid)
            last = await buy(client, "last")
            return [argument, moment.seed, both, mail.body, helped.result, last]

        return hosted(shop)


async def ended(home: House) -> Exited:
    """How the program, process 2, ended."""
    return await home.kernel.call(home.kernel.token, Wait(pid=2, timeout_s=100))


async def start(home: House, program: str = "shop") -> None:
    call = Spawn(name="shop", program=program, argument=[1], durable=True)
    await home.kernel.call(home.kernel.token, call, key="start")


async def until_cut(
    journal: Severable, programs: dict[str, Program], boot: int, script: Script | None = None
) -> Exited | None:
    """Live until the journal is cut; or until the program has ended."""
    found: list[Exited] = []

    async def live() -> None:
        async with house(script, journal=journal, programs=programs, boot=boot) as home:
            await start(home)
            found.append(await ended(home))

    task = asyncio.ensure_future(live())
    while not task.done() and not journal.is_cut:
        await asyncio.wait([task], timeout=0.005)
    if not journal.is_cut:
        await task
        return found[0]
    task.cancel()
    await asyncio.wait([task])
    return None


def cut_at(number: int) -> Callable[[InlineJournal], Severable]:
    """A journal that is cut before its post of that number."""

    def make(inner: InlineJournal) -> Severable:
        journal = Severable(inner, lambda posts: journal.cut() if posts == number else None)
        return journal

    return make


async def crashed(at: int, shop: Shop, *, repeatable: bool) -> tuple[Exited, int] | None:
    """How the program ends where one kernel is killed before a commit; None: it has no such."""
    inner = InlineJournal()
    programs = {"shop": shop.program(repeatable=repeatable)}
    if await until_cut(cut_at(at)(inner), programs, boot=1) is not None:
        return None
    second = Severable(inner)
    how = await until_cut(second, programs, boot=2)
    assert how is not None
    return how, second.posts


@pytest.mark.parametrize("repeatable", [True, False])
def test_a_program_killed_before_any_of_its_commits_ends_as_if_it_had_not_been(
    repeatable: bool,
) -> None:
    async def main() -> None:
        for at in itertools.count(1):
            shop = Shop()
            result = await crashed(at, shop, repeatable=repeatable)
            if result is None:
                assert at > 20
                return
            how, _ = result
            assert how.state is ProcessState.EXITED, (at, how)
            argument, _, both, mail, helped, last = how.result
            assert (argument, mail, helped) == ([1], "to myself", "helped")
            for number, (first, bought, second) in enumerate(both):
                assert first
                assert second
                judge(shop, f"thing {number}", bought, repeatable=repeatable)
            judge(shop, "last", last, repeatable=repeatable)

    lived(main)


def test_a_tool_that_is_made_of_syscalls_does_each_of_them_once() -> None:
    async def main() -> None:
        for at in itertools.count(1):
            inner = InlineJournal()
            programs = {"shop": hosted(messenger)}
            cut = await until_cut(cut_at(at)(inner), programs, boot=1)
            if cut is not None:
                break
            async with house(journal=inner, programs=programs, boot=2) as home:
                await start(home)
                how = await ended(home)
                assert how.result == ["told 1", "told 2"], (at, how)
                keeper = await home.kernel.call(home.kernel.token, Inspect(pid=1))
                assert keeper.mail == 2
        assert at > 8

    lived(main)


async def messenger(client: Client, argument: Any) -> list[str | None]:
    @tool(inline=True, repeatable=True)
    async def tell(what: str) -> str:
        """Tell the first process something."""
        await client.send(1, what)
        return f"told {what}"

    tools = Toolbox([tell])
    calls = [ToolCall(id=one, name="tell", arguments=f'{{"what": "{one}"}}') for one in "12"]
    return [(await tools.run(call, client)).content for call in calls]


def judge(shop: Shop, what: str, said: str, *, repeatable: bool) -> None:
    """A tool is done once; only where nobody can know and it may be repeated, it is done twice."""
    if repeatable:
        assert said == f"ordered {what}"
        assert shop.done[what] in (1, 2)
    else:
        assert said in (f"ordered {what}", UNKNOWN)
        assert shop.done[what] == 1


def test_a_program_killed_again_and_again_still_ends() -> None:
    async def main() -> None:
        for step in (1, 2, 3, 5):
            inner, shop = InlineJournal(), Shop()
            programs = {"shop": shop.program(repeatable=False)}
            how = None
            for boot in range(1, 200):
                journal = cut_at(2 + step)(inner)
                how = await until_cut(journal, programs, boot=boot)
                if how is not None:
                    break
            assert how is not None
            assert how.state is ProcessState.EXITED
            assert set(shop.done.values()) == {1}

    lived(main)


def test_what_a_program_was_told_it_is_told_again() -> None:
    async def main() -> None:
        inner = InlineJournal()
        seen: list[Any] = []

        async def curious(client: Client, argument: Any) -> str:
            moment, me = await client.now(), await client.whoami()
            said = (await client.call(question(1))).text
            seen.append((moment, me, said))
            mail: Mail = await client.receive()
            return str(mail.body)

        programs = {"shop": hosted(curious)}
        for boot in (1, 2):
            async with house(journal=inner, programs=programs, boot=boot) as home:
                await start(home)
                await soon(lambda boot=boot: len(seen) == boot)  # type: ignore[misc]
                await asyncio.sleep(5)
        async with house(journal=inner, programs=programs, boot=3) as home:
            await home.kernel.call(home.kernel.token, Send(pid=2, body="go"))
            assert (await ended(home)).result == "go"
        assert seen == [seen[0]] * 3

    lived(main)


def test_a_generation_in_flight_goes_on_with_its_seed_and_is_joined() -> None:
    async def main() -> None:
        inner = InlineJournal()
        long = Generate(prompt=words(9), decoding=Decoding(max_tokens=60))
        assert long.decoding.seed is None

        async def talk(client: Client, argument: Any) -> list[int]:
            return list((await client.call(long)).choices[0].token_ids)

        programs = {"shop": hosted(talk)}
        journal = Severable(inner)
        task = asyncio.ensure_future(until_cut(journal, programs, 1, LONG))
        await asyncio.sleep(0.9)
        journal.cut()
        await task
        (kept,) = await KeptGenerations(inner).load()
        async with house(LONG, journal=inner, programs=programs, boot=2) as home:
            how = await ended(home)
            submitted = [one for one in home.events if isinstance(one, events.Submitted)]
            assert len(submitted) == 1
            seeded = Generate(prompt=words(9), decoding=kept.decoding)
            assert how.result == list(home.undisturbed(seeded))
            assert tuple(how.result[:32]) == kept.produced[0]

    lived(main)


def test_other_calls_than_the_recorded_are_a_divergence_that_keeps_the_journal() -> None:
    async def main() -> None:
        inner = InlineJournal()

        async def one(client: Client, argument: Any) -> str:
            await client.now()
            await client.call(question(1))
            return str((await client.receive()).body)

        async def other(client: Client, argument: Any) -> str:
            await client.now()
            await client.call(question(2))
            return "other"

        async def less(client: Client, argument: Any) -> str:
            return "less"

        async with house(journal=inner, programs={"shop": hosted(one)}) as home:
            await start(home)
            await asyncio.sleep(5)
        for wrong, says in ((other, "call 1 was llm.generate"), (less, "ended where call 0")):
            async with house(journal=inner, programs={"shop": hosted(wrong)}, boot=2) as home:
                how = await ended(home)
                assert how.state is ProcessState.FAILED
                assert how.error.startswith("diverged: ")
                assert says in how.error
                assert [one for one in home.events if isinstance(one, events.Changed)]
                info = await home.kernel.call(home.kernel.token, Inspect(pid=2))
                assert "code has changed" in info.remark
        async with house(journal=inner, programs={"shop": hosted(one)}, boot=3) as home:
            await home.kernel.call(home.kernel.token, Send(pid=2, body="still here"))
            assert (await ended(home)).result == "still here"

    lived(main)


def test_a_program_that_catches_the_divergence_is_stopped_all_the_same() -> None:
    async def main() -> None:
        inner = InlineJournal()

        async def one(client: Client, argument: Any) -> None:
            await client.now()
            await client.receive()

        async def stubborn(client: Client, argument: Any) -> str:
            for _ in range(3):
                try:
                    await client.whoami()
                except Exception:
                    await asyncio.sleep(0.1)
            return "fine"

        async with house(journal=inner, programs={"shop": hosted(one)}) as home:
            await start(home)
            await asyncio.sleep(1)
        async with house(journal=inner, programs={"shop": hosted(stubborn)}, boot=2) as home:
            assert (await ended(home)).error.startswith("diverged: ")
            await asyncio.sleep(5)
            assert (await ended(home)).error.startswith("diverged: ")

    lived(main)


def test_a_program_that_gives_calls_up_gives_them_up_again() -> None:
    async def main() -> None:
        inner = InlineJournal()

        async def hasty(client: Client, argument: Any) -> str:
            try:
                async with asyncio.timeout(1):
                    await client.receive()
            except TimeoutError:
                await client.now()
            return str((await client.receive()).body)

        programs = {"shop": hosted(hasty)}
        async with house(journal=inner, programs=programs) as home:
            await start(home)
            await asyncio.sleep(3)
        async with house(journal=inner, programs=programs, boot=2) as home:
            await home.kernel.call(home.kernel.token, Send(pid=2, body="late"))
            assert (await ended(home)).result == "late"

    lived(main)


def test_a_full_disk_makes_a_durable_program_wait_and_nothing_else() -> None:
    async def main() -> None:
        inner = InlineJournal()

        async def count(client: Client, argument: Any) -> int:
            pids = [(await client.spawn("child")).pid for _ in range(5)]
            return len(set(pids))

        async with house(journal=inner, programs={"shop": hosted(count)}) as home:
            await start(home)
            for _ in range(3):
                inner.fail_next(NoSpace("the disk is full"))
            assert (await ended(home)).result == 5

    lived(main)


def test_a_program_without_a_journal_cannot_be_durable() -> None:
    async def main() -> None:
        async with house(programs={"shop": Shop().program(repeatable=True)}) as home:
            with pytest.raises(WrongState, match="expected a kernel with a journal"):
                await start(home)

    lived(main)


def test_what_is_not_durable_has_failed_after_a_restart() -> None:
    async def main() -> None:
        inner = InlineJournal()

        async def wait(client: Client, argument: Any) -> None:
            await client.receive()

        programs = {"shop": hosted(wait)}
        journal = Severable(inner)

        async def live() -> None:
            async with house(journal=journal, programs=programs) as home:
                await home.spawn("plain", program="shop")
                await home.kernel.call(home.kernel.token, Wait(pid=2))

        task = asyncio.ensure_future(live())
        await asyncio.sleep(1)
        journal.cut()
        task.cancel()
        await asyncio.wait([task])
        async with house(journal=inner, programs=programs, boot=2) as home:
            how = await ended(home)
            assert (how.state, "the kernel stopped" in how.error) == (ProcessState.FAILED, True)

    lived(main)
