"""A human is asked of what may cost more than the policy lets pass: before it costs anything."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from aios.access.policy import Line, Over, Policy
from aios.errors import Cancelled, Denied
from aios.kernel.kernel import Kernel
from aios.kernel.tools.servers import ToolServers
from aios.sdk import tool
from aios.sdk.client import Client
from aios.syscalls.approval import Answer
from aios.syscalls.tool import CallTool
from aios.testing.journal import InlineJournal
from aios.tools.functions import Functions
from tests.kernel.guard.fenced import agent, fenced, until
from tests.kernel.guard.yes_house import shop
from tests.kernel.house import lived


def asks(name: str = "dear", *, agents: tuple[str, ...] = ("*",), **over: float) -> Policy:
    return Policy(ask=(Line(name, agents=agents, over=Over(**over)),))


@pytest.fixture
def journal() -> Iterator[InlineJournal]:
    opened = InlineJournal()
    yield opened
    opened.close()


def selling(sold: list[str]) -> ToolServers:
    @tool(price=0.3)
    async def sell(what: str) -> str:
        sold.append(what)
        return "sold"

    return ToolServers([Functions([sell])])


def sell(what: str) -> CallTool:
    return CallTool(name="local/sell", arguments=f'{{"what": "{what}"}}')


def test_a_batch_that_costs_too_much_together_is_asked_and_single_ones_are_not(
    tmp_path: Path,
) -> None:
    async def main() -> None:
        sold: list[str] = []
        async with shop(tmp_path, selling(sold), asks(money=0.5)) as (human, ada):
            await ada.call(sell("a"))
            buying = asyncio.ensure_future(ada.tools.batch([sell("b"), sell("c")]))
            (one,) = await human.asked()
            assert "ask line 'dear': it may cost 0.6 money, more than 0.5" in one.reason
            assert sold == ["a"]
            await human.says_yes()
            await buying
            assert sold == ["a", "b", "c"]
            again = asyncio.ensure_future(ada.tools.batch([sell("b"), sell("c")]))
            assert len(await human.asked()) == 1  # The yes was to one purchase.
            again.cancel()

    asyncio.run(main())


def test_a_single_tool_is_known_by_its_verb_in_a_batch_too(tmp_path: Path) -> None:
    async def main() -> None:
        policy = Policy(ask=(Line("dear", verbs=("tool.call",), over=Over(money=0.2)),))
        async with shop(tmp_path, selling([]), policy) as (human, ada):
            buying = asyncio.ensure_future(ada.tools.batch([sell("b")]))
            assert len(await human.asked()) == 1
            buying.cancel()

    asyncio.run(main())


def test_exactly_the_amount_and_other_agents_and_the_first_process_are_not_asked(
    tmp_path: Path,
) -> None:
    async def main() -> None:
        policy = asks(agents=("ada",), money=0.3, bytes=4)
        async with shop(tmp_path, selling([]), policy) as (human, ada):
            eve = human.client.of(await human.client.spawn("eve"))
            await ada.call(sell("a"))
            await ada.files.write("a", b"1234")
            await eve.call(sell("a"))
            await eve.files.write("a", b"12345")
            await human.client.files.write("a", b"12345")
            writing = asyncio.ensure_future(ada.files.write("a", b"12345"))
            assert "5 bytes, more than 4" in (await human.asked())[0].reason
            writing.cancel()

    asyncio.run(main())


def first(kernel: Kernel) -> Client:
    return Client(kernel, kernel.token)


async def answered(kernel: Kernel, *, yes: bool) -> None:
    human = first(kernel)
    async with asyncio.timeout(100):
        while not (found := (await human.approvals.list()).approvals):  # noqa: ASYNC110 - virtual
            await asyncio.sleep(0.01)
    await human.approvals.answer(found[0].id, found[0].digest, yes)


async def answers(kernel: Kernel) -> list[Answer]:
    return [one.answer for one in (await first(kernel).approvals.list(all=True)).approvals]


def test_a_generation_is_asked_once_its_prompt_is_known_and_its_time_begins_with_the_yes(
    journal: InlineJournal,
) -> None:
    async def body() -> None:
        async with fenced(journal, asks(tokens=30)) as kernel:
            ada = await agent(kernel)
            await ada.chat("a b c", max_tokens=20)
            asking: Any = asyncio.ensure_future(ada.chat("a b c", max_tokens=40, deadline_s=50))
            await asyncio.sleep(60)
            assert "approval 1" in (await ada.whoami()).waiting_for
            assert not kernel.loops[0].live
            await answered(kernel, yes=True)
            assert (await asking).usage.completion_tokens
            assert await answers(kernel) == [Answer.USED]

    lived(body)


def test_after_a_no_nothing_is_generated(journal: InlineJournal) -> None:
    async def body() -> None:
        async with fenced(journal, asks(tokens=30)) as kernel:
            ada = await agent(kernel)
            asking: Any = asyncio.ensure_future(ada.chat("a b c", max_tokens=40, key="one"))
            await answered(kernel, yes=False)
            with pytest.raises(Denied, match=r"said no to llm\.generate"):
                await asking
            assert (await ada.whoami()).prompt_tokens == 0

    lived(body)


def test_a_generation_that_began_has_used_its_yes_whatever_it_comes_to(
    journal: InlineJournal,
) -> None:
    async def body() -> None:
        async with fenced(journal, asks(tokens=30)) as kernel:
            ada = await agent(kernel)
            asking: Any = asyncio.ensure_future(ada.chat("a b c", max_tokens=90, call_id="x"))
            await answered(kernel, yes=True)
            await until(lambda: kernel.loops[0].live)
            await ada.cancel("x")
            with pytest.raises(Cancelled):
                await asking
            assert await answers(kernel) == [Answer.USED]

    lived(body)


def test_a_generation_that_is_cancelled_takes_its_question_along(journal: InlineJournal) -> None:
    async def body() -> None:
        async with fenced(journal, asks(tokens=30)) as kernel:
            ada = await agent(kernel)
            asking: Any = asyncio.ensure_future(ada.chat("a b c", max_tokens=90, call_id="x"))
            await until(lambda: kernel.waits.of(2))
            await asyncio.sleep(1)
            await ada.cancel("x")
            with pytest.raises(Cancelled):
                await asking
            await asyncio.sleep(1)
            assert await answers(kernel) == [Answer.GONE]

    lived(body)
