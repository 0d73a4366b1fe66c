"""What is remembered of a process's LLM calls, and who may read it."""

import asyncio

import pytest

from aios.errors import AiosError, Cancelled
from aios.kernel import call_book
from aios.syscalls import Calls, Cancel, Decoding, Generate, Message
from aios.syscalls.codec import encode
from aios.testing.script import Script
from tests.kernel.house import house, lived


def test_a_call_under_way_is_told_with_what_it_has_said_so_far() -> None:
    async def main() -> None:
        async with house(Script(answer_tokens=(500, 500))) as home:
            agent = await home.spawn()
            call = Generate(messages=(Message("user", "tell me"),), call_id="long")
            task = asyncio.ensure_future(home.kernel.call(agent.token, call))
            await asyncio.sleep(2.0)
            (one,) = (await home.kernel.call(home.kernel.token, Calls(pid=agent.pid))).calls
            assert (one.state, one.asked, one.call_id) == ("running", "tell me", "long")
            assert 0 < one.completion_tokens < 500
            assert one.answer
            await home.kernel.call(agent.token, Cancel(call_id="long"))
            with pytest.raises(Cancelled):
                await task
            (one,) = (await home.kernel.call(home.kernel.token, Calls(pid=agent.pid))).calls
            assert (one.state, one.problem) == ("cancelled", "long was cancelled")

    lived(main)


def test_the_newest_call_tells_the_conversation_and_the_last_ones_their_figures() -> None:
    async def main() -> None:
        async with house() as home:
            agent = await home.spawn()
            for number in range(call_book.CALLS_MAX + 5):
                said = (Message("system", "be brief"), Message("user", f"question {number}"))
                await home.kernel.call(agent.token, Generate(messages=said))
            told = await home.kernel.call(home.kernel.token, Calls(pid=agent.pid))
            assert len(told.calls) == call_book.CALLS_MAX
            assert [one.content for one in told.messages] == ["be brief", "question 24"]
            assert told.calls[0].asked == "question 24"
            assert {one.state for one in told.calls} == {"done"}
            assert told.calls[0].at_s < told.calls[-1].at_s

    lived(main)


def test_what_is_long_is_shortened_and_old_processes_are_forgotten(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(call_book, "TOTAL_MAX", 20_000)

    async def main() -> None:
        async with house(Script(context_tokens=1 << 20, kv_tokens=1 << 20)) as home:
            agents = [await home.spawn(f"a{number}") for number in range(6)]
            for agent in agents:
                long = (Message("user", "x" * 50_000),)
                call = Generate(messages=long, decoding=Decoding(max_tokens=4))
                await home.kernel.call(agent.token, call)
            told = [
                await home.kernel.call(home.kernel.token, Calls(pid=agent.pid)) for agent in agents
            ]
            assert [len(one.calls) for one in told] == [0, 0, 0, 0, 1, 1]
            (newest,) = told[-1].calls
            assert len(newest.asked) < call_book.TEXT_MAX + 100
            assert "46,000 characters" in newest.asked

    lived(main)


def test_nobody_reads_the_calls_of_an_agent_that_is_not_its_own() -> None:
    async def main() -> None:
        async with house() as home:
            agent, other = await home.spawn("one"), await home.spawn("other")
            await home.kernel.call(agent.token, Generate(prompt="a secret"))
            with pytest.raises(AiosError) as refused:
                await home.kernel.call(other.token, Calls(pid=agent.pid))
            with pytest.raises(AiosError) as unknown:
                await home.kernel.call(other.token, Calls(pid=10_000))
            assert str(refused.value).replace(str(agent.pid), "N") == str(unknown.value).replace(
                "10000", "N"
            )
            assert (await home.kernel.call(agent.token, Calls(pid=agent.pid))).calls

    lived(main)


@pytest.mark.parametrize(
    "messages",
    [
        (Message("tool", "done", tool_call_id="i" * 60_000),),
        (Message("user", "hi", name="n" * 60_000),),
        (Message("user", ""),) * 400,
    ],
    ids=["ids", "names", "nothing said"],
)
def test_nothing_that_is_remembered_is_without_bound(
    messages: tuple[Message, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(call_book, "TOTAL_MAX", 200_000)

    async def main() -> None:
        async with house() as home:
            kept = 0
            for number in range(40):
                agent = await home.spawn(f"agent-{number}")
                call = Generate(messages=messages, decoding=Decoding(max_tokens=1))
                await home.kernel.call(agent.token, call)
            for number in range(home.kernel.table.find(agent.pid).pid + 1):
                if home.kernel.table.get(number) is not None:
                    told = await home.kernel.call(home.kernel.token, Calls(pid=number))
                    kept += len(encode(told.messages)) + 200 * len(told.messages)
            assert 0 < kept < 2 * 200_000

    lived(main)
