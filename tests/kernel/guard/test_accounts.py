"""Approvals, budgets and audit in a whole kernel: by syscalls alone, over restarts."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from aios.access.policy import OPEN
from aios.errors import (
    Cancelled,
    DeadlineExceeded,
    Denied,
    NotFound,
    QuotaExceeded,
    ShuttingDown,
)
from aios.kernel.kernel import Kernel
from aios.sdk import hosted
from aios.sdk.client import Client
from aios.syscalls import Decoding, Generate
from aios.syscalls.approval import Answer, Approval
from aios.syscalls.budget import Resource
from aios.testing.journal import InlineJournal
from tests.kernel.guard.fenced import agent, fenced, until
from tests.kernel.house import lived

R = Resource


@pytest.fixture
def journal() -> Iterator[InlineJournal]:
    opened = InlineJournal()
    yield opened
    opened.close()


def human(kernel: Kernel) -> Client:
    return Client(kernel, kernel.token)


async def questions(kernel: Kernel, count: int = 1) -> tuple[Approval, ...]:
    """Once there are that many."""
    async with asyncio.timeout(100):
        while len(found := (await human(kernel).approvals.list()).approvals) < count:  # noqa: ASYNC110 - virtual time costs nothing
            await asyncio.sleep(0.01)
    return found


async def say(kernel: Kernel, *, yes: bool) -> Approval:
    (one,) = await questions(kernel)
    return await human(kernel).approvals.answer(one.id, one.digest, yes)


def call() -> Generate:
    return Generate(prompt="a b c", decoding=Decoding(max_tokens=90, seed=3))


def doing(work: Any) -> asyncio.Task[Any]:
    return asyncio.ensure_future(work)


def test_a_final_act_waits_in_ps_for_its_approval_and_is_done_after_a_yes(
    journal: InlineJournal,
) -> None:
    async def body() -> None:
        async with fenced(journal) as kernel:
            travel = await agent(kernel)
            await travel.memory.alloc("plan")
            freeing = doing(travel.memory.free("plan"))
            (one,) = await questions(kernel)
            waiting = [p.waiting_for for p in (await human(kernel).list()).processes]
            assert waiting == ["", f"approval {one.id}"]
            assert "plan is lost for good" in one.consequence
            await say(kernel, yes=True)
            await freeing
            with pytest.raises(NotFound):
                await travel.memory.read("plan")
            assert (await human(kernel).approvals.list(all=True)).approvals[0].answer is Answer.USED

    lived(body)


def test_after_a_no_nothing_is_done(journal: InlineJournal) -> None:
    async def body() -> None:
        async with fenced(journal) as kernel:
            travel = await agent(kernel)
            await travel.memory.alloc("plan")
            freeing = doing(travel.memory.free("plan"))
            await say(kernel, yes=False)
            with pytest.raises(Denied, match="said no"):
                await freeing
            await travel.memory.read("plan")

    lived(body)


def test_without_an_answer_it_is_a_no(journal: InlineJournal) -> None:
    async def body() -> None:
        async with fenced(journal, patience_s=60) as kernel:
            travel = await agent(kernel)
            await travel.memory.alloc("plan")
            with pytest.raises(Denied, match="nobody answered in time"):
                await travel.memory.free("plan")
            await travel.memory.read("plan")

    lived(body)


def test_an_agent_may_not_answer(journal: InlineJournal) -> None:
    async def body() -> None:
        async with fenced(journal) as kernel:
            travel, shop = await agent(kernel), await agent(kernel, "shop")
            await travel.memory.alloc("plan")
            freeing = doing(travel.memory.free("plan"))
            (one,) = await questions(kernel)
            for client in (travel, shop):
                with pytest.raises(Denied):
                    await client.approvals.answer(one.id, one.digest, True)
                with pytest.raises(Denied):
                    await client.approvals.list()
            freeing.cancel()

    lived(body)


def test_an_act_that_failed_after_its_yes_may_be_tried_again_without_another_question(
    journal: InlineJournal,
) -> None:
    async def body() -> None:
        async with fenced(journal) as kernel:
            travel = await agent(kernel)
            freeing = doing(travel.memory.free("plan"))
            await say(kernel, yes=True)
            with pytest.raises(NotFound):
                await freeing
            await travel.memory.alloc("plan")
            await travel.memory.free("plan")
            await travel.memory.alloc("plan")
            again = doing(travel.memory.free("plan"))
            assert len(await questions(kernel)) == 1
            again.cancel()

    lived(body)


def test_a_yes_to_what_there_was_no_budget_for_is_kept(journal: InlineJournal) -> None:
    async def body() -> None:
        async with fenced(journal) as kernel:
            travel = await agent(kernel)
            await travel.memory.alloc("plan")
            freeing = doing(travel.memory.free("plan"))
            await questions(kernel)
            await human(kernel).budgets.set("travel", R.CALLS, 0)
            await say(kernel, yes=True)
            with pytest.raises(QuotaExceeded):
                await freeing
            await human(kernel).budgets.set("travel", R.CALLS, None)
            await travel.memory.free("plan")

    lived(body)


def test_a_durable_agent_that_waited_goes_on_in_the_next_kernel(journal: InlineJournal) -> None:
    async def cleaner(client: Client, argument: Any) -> str:
        await client.memory.alloc("plan")
        await client.memory.free("plan")
        return "cleaned"

    async def body() -> None:
        async with fenced(journal, programs={"cleaner": hosted(cleaner)}) as kernel:
            spawned = await human(kernel).spawn("travel", "cleaner", durable=True)
            await questions(kernel)
        async with fenced(journal, programs={"cleaner": hosted(cleaner)}, boot=2) as kernel:
            (one,) = await questions(kernel)
            assert one.id == 1
            await say(kernel, yes=True)
            ended = await human(kernel).wait(spawned.pid)
            assert ended.result == "cleaned"
            all_of_them = (await human(kernel).approvals.list(all=True)).approvals
            assert [one.answer for one in all_of_them] == [Answer.USED]

    lived(body)


def test_a_budget_of_calls_suspends_an_agent_until_it_is_topped_up(
    journal: InlineJournal,
) -> None:
    async def body() -> None:
        async with fenced(journal, OPEN) as kernel:
            travel = await agent(kernel)
            await human(kernel).budgets.set("travel", R.CALLS, 2)
            for name in ("a", "b"):
                await travel.memory.alloc(name)
            waiting = doing(travel.memory.alloc("c"))
            await asyncio.sleep(500)
            assert (await travel.whoami()).waiting_for == "budget calls of travel"
            (seen,) = (await travel.budgets.list()).budgets
            assert (seen.spent, seen.held, seen.waiting) == (2, 0, 1)
            with pytest.raises(Denied):
                await travel.budgets.top_up("travel", R.CALLS, 10)
            await human(kernel).budgets.top_up("travel", R.CALLS, 1)
            await waiting

    lived(body)


def test_tokens_are_held_before_and_settled_to_what_was_used(journal: InlineJournal) -> None:
    async def body() -> None:
        async with fenced(journal, OPEN) as kernel:
            travel = await agent(kernel)
            await human(kernel).budgets.set("travel", R.TOKENS, 100)
            one = await travel.chat("book a flight", max_tokens=20)
            used = one.usage.prompt_tokens + one.usage.completion_tokens
            line = (await human(kernel).budgets.list()).budgets[0]
            assert (line.spent, line.held) == (used, 0)
            with pytest.raises(QuotaExceeded, match="tokens can never be had"):
                await travel.chat("book a flight", max_tokens=100)

    lived(body)


def test_an_agent_out_of_tokens_holds_no_lane_and_keeps_its_deadline(
    journal: InlineJournal,
) -> None:
    async def body() -> None:
        async with fenced(journal, OPEN) as kernel:
            travel, shop = await agent(kernel), await agent(kernel, "shop")
            await human(kernel).budgets.set("travel", R.TOKENS, 30)
            spent = await travel.chat("a b c", max_tokens=20)
            assert spent.usage.completion_tokens
            waiting = doing(travel.chat("a b c", max_tokens=26, deadline_s=50, call_id="x"))
            await asyncio.sleep(10)
            assert "budget tokens of travel" in (await travel.whoami()).waiting_for
            assert not kernel.loops[0].live
            await shop.chat("a b c", max_tokens=20)
            with pytest.raises(DeadlineExceeded):
                await waiting
            assert (await human(kernel).budgets.list()).budgets[0].held == 0

    lived(body)


def test_a_call_that_waits_for_tokens_can_be_cancelled_by_its_name(
    journal: InlineJournal,
) -> None:
    async def body() -> None:
        async with fenced(journal, OPEN) as kernel:
            travel = await agent(kernel)
            await human(kernel).budgets.set("travel", R.TOKENS, 30)
            await travel.chat("a b c", max_tokens=20)
            waiting = doing(travel.chat("a b c", max_tokens=26, call_id="x"))
            await asyncio.sleep(10)
            await travel.cancel("x")
            with pytest.raises(Cancelled):
                await waiting
            assert (await human(kernel).budgets.list()).budgets[0].held == 0

    lived(body)


def test_a_cancelled_generation_pays_for_what_it_took(journal: InlineJournal) -> None:
    async def body() -> None:
        async with fenced(journal, OPEN) as kernel:
            travel = await agent(kernel)
            await human(kernel).budgets.set("travel", R.TOKENS, 1_000)
            thinking = doing(travel.chat("a b c", max_tokens=90, seed=3))
            await until(lambda: any(live.tokens_out > 3 for live in kernel.loops[0].live))
            thinking.cancel()
            await asyncio.sleep(0.01)
            me = await travel.whoami()
            line = (await human(kernel).budgets.list()).budgets[0]
            assert line.held == 0
            assert line.spent == me.prompt_tokens + me.completion_tokens > 3

    lived(body)


def test_fifty_agents_at_once_never_spend_more_tokens_than_everybody_may(
    journal: InlineJournal,
) -> None:
    async def body() -> None:
        async with fenced(journal, OPEN) as kernel:
            await human(kernel).budgets.set("@all", R.TOKENS, 400)
            clients = [await agent(kernel, f"agent-{number}") for number in range(50)]
            work = [
                doing(client.chat(f"say {number}", max_tokens=30, deadline_s=500))
                for number, client in enumerate(clients)
            ]
            over = []
            while not all(one.done() for one in work):
                line = (await human(kernel).budgets.list()).budgets[0]
                over += [line] if line.held + line.spent > 400 else []
                await asyncio.sleep(0.05)
            done = [one for one in work if one.exception() is None]
            used = sum(
                one.result().usage.prompt_tokens + one.result().usage.completion_tokens
                for one in done
            )
            line = (await human(kernel).budgets.list()).budgets[0]
            assert over == []
            assert len(done) >= 10
            assert (line.spent, line.held) == (used, 0)

    lived(body)


def test_what_was_spent_is_there_in_the_next_kernel(journal: InlineJournal) -> None:
    async def body() -> None:
        async with fenced(journal, OPEN) as kernel:
            travel = await agent(kernel)
            await human(kernel).budgets.set("travel", R.CALLS, 10)
            await travel.memory.alloc("a")
            async with fenced(journal, OPEN, boot=2) as later:  # While the first is still there:
                line = (await human(later).budgets.list()).budgets[0]
                assert line.spent == 1  # it was in the call's own commit, not in the shutdown.

    lived(body)


def test_tokens_are_settled_in_the_commit_of_a_completion_that_is_kept(
    journal: InlineJournal,
) -> None:
    async def body() -> None:
        async with fenced(journal, OPEN) as kernel:
            travel = await agent(kernel)
            await human(kernel).budgets.set("travel", R.TOKENS, 1_000)
            done = await travel.call(call(), key="k")
            async with fenced(journal, OPEN, boot=2) as later:
                line = (await human(later).budgets.list()).budgets[0]
                assert line.spent == done.usage.prompt_tokens + done.usage.completion_tokens

    lived(body)


def test_a_generation_that_goes_on_in_the_next_kernel_is_paid_once(
    journal: InlineJournal,
) -> None:
    async def body() -> None:
        async with fenced(journal, OPEN) as kernel:
            travel = await agent(kernel)
            token = travel._token
            await human(kernel).budgets.set("travel", R.TOKENS, 1_000)
            thinking = doing(travel.call(call(), key="k"))
            await until(lambda: any(live.tokens_out > 3 for live in kernel.loops[0].live))
        with pytest.raises(ShuttingDown):
            await thinking
        async with fenced(journal, OPEN, boot=2) as kernel:
            done = await Client(kernel, token).call(call(), key="k")
            line = (await human(kernel).budgets.list()).budgets[0]
            assert line.held == 0
            assert line.spent == done.usage.prompt_tokens + done.usage.completion_tokens

    lived(body)


def test_every_decision_is_in_the_record_and_the_record_is_whole(journal: InlineJournal) -> None:
    async def body() -> None:
        async with fenced(journal) as kernel:
            travel, shop = await agent(kernel), await agent(kernel, "shop")
            await travel.memory.alloc("plan")
            for _ in range(7):
                await travel.memory.read("plan")
            with pytest.raises(NotFound):
                await shop.memory.read("plan", owner="travel")
            with pytest.raises(Denied):
                await shop.audit.list()
            await human(kernel).budgets.set("travel", R.BYTES, 3)
            with pytest.raises(QuotaExceeded):
                await travel.memory.write("plan", "too long")
            freeing = doing(travel.memory.free("plan"))
            await say(kernel, yes=True)
            await freeing
            records = (await human(kernel).audit.list(limit=1_000)).records
            told = [(one.agent, one.verb, one.object, one.decision, one.count) for one in records]
            assert ("travel", "memory.alloc", "plan", "allow", 1) in told
            assert ("shop", "audit.list", "", "deny", 1) in told
            assert ("travel", "memory.write", "plan", "deny", 1) in told
            assert ("travel", "memory.free", "plan", "ask", 1) in told
            assert ("travel", "memory.free", "plan", "allow", 1) in told
            assert ("init", "approval.answer", "1", "allow", 1) in told
            looks = [
                one.count for one in records if (one.agent, one.verb) == ("travel", "memory.read")
            ]
            assert sum(looks) == 7
            assert (await human(kernel).audit.verify()).is_whole

    lived(body)
