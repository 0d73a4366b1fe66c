"""A key's promise: its call is made once, whoever goes away and whatever was forgotten."""

import asyncio
from collections.abc import Awaitable, Sequence
from typing import Any

import pytest

from aios.config import Limits
from aios.errors import InvalidArgument, NotFound
from aios.journal import statements
from aios.journal.base import Blobs, Change, Row, Statement, Value
from aios.sdk import Client, hosted
from aios.syscalls import Completion, Delta, Receive, Send, Spawned, Stream, Wait, WhoAmI
from aios.telemetry import events
from aios.testing.journal import InlineJournal
from tests.kernel.house import House, ask, house, lived, soon

SLOW_S = 1.0  # from what is in the journal to the word that it is


class SlowJournal:
    """Its words come late. `results` counts posts that remember one."""

    def __init__(self, inner: InlineJournal) -> None:
        self._inner = inner
        self.results = 0

    @property
    def blobs(self) -> Blobs:
        return self._inner.blobs

    def post(self, changes: Sequence[Change]) -> Awaitable[None]:
        self.results += any(change.statement is statements.RESULT_ADD for change in changes)
        return asyncio.ensure_future(self._later(self._inner.post(changes)))

    async def read(self, statement: Statement, *values: Value) -> list[Row]:
        return await self._inner.read(statement, *values)

    async def _later(self, posted: Awaitable[None]) -> None:
        await posted
        await asyncio.sleep(SLOW_S)


async def streamed(home: House, call: Stream, key: str) -> list[Delta | Completion]:
    return [item async for item in home.kernel.stream(home.kernel.token, call, key=key)]


def generations_of(home: House) -> int:
    return sum(isinstance(one, events.Submitted) for one in home.events)


def test_a_stream_cancelled_while_it_commits_has_been_made() -> None:
    async def main() -> None:
        journal = SlowJournal(InlineJournal())
        call = Stream(generate=ask())
        async with house(journal=journal) as home:
            reader = asyncio.ensure_future(streamed(home, call, "k"))
            await soon(lambda: journal.results == 1)
            reader.cancel()
            with pytest.raises(asyncio.CancelledError):
                await reader
            again = await streamed(home, call, "k")
            assert isinstance(again[-1], Completion)
            assert generations_of(home) == 1

    lived(main)


def test_a_call_cancelled_while_its_error_is_remembered_has_been_made() -> None:
    async def main() -> None:
        journal = SlowJournal(InlineJournal())
        call = Send(pid=99, body="nobody is there")
        async with house(journal=journal) as home:
            task = asyncio.ensure_future(home.kernel.call(home.kernel.token, call, key="k"))
            await soon(lambda: journal.results == 1)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            with pytest.raises(NotFound):
                await home.kernel.call(home.kernel.token, call, key="k")
            assert journal.results == 1

    lived(main)


async def sent(home: House, receiver: Spawned, keys: range) -> None:
    for key in keys:
        call = Send(pid=receiver.pid, body=key)
        await home.kernel.call(home.kernel.token, call, key=f"send {key}")


def test_a_result_that_came_late_is_forgotten_after_those_that_came_before_it() -> None:
    async def main() -> None:
        limits = Limits(results_max=200, mail_max=1000)
        async with house(limits=limits, journal=InlineJournal()) as home:
            slow, other = await home.spawn("slow"), await home.spawn("other")
            late = asyncio.ensure_future(home.kernel.call(slow.token, Receive(), key="late"))
            await sent(home, other, range(600))
            await home.kernel.call(home.kernel.token, Send(pid=slow.pid, body="one"))
            first = await late
            await sent(home, other, range(600, 750))
            await home.kernel.call(home.kernel.token, Send(pid=slow.pid, body="two"))
            assert await home.kernel.call(slow.token, Receive(), key="late") == first

    lived(main)


def test_a_result_s_age_is_counted_from_its_coming() -> None:
    async def main() -> None:
        limits = Limits(results_age_s=100.0)
        async with house(limits=limits, journal=InlineJournal()) as home:
            slow = await home.spawn("slow")
            late = asyncio.ensure_future(home.kernel.call(slow.token, Receive(), key="late"))
            await asyncio.sleep(90.0)
            await home.kernel.call(home.kernel.token, Send(pid=slow.pid, body="one"))
            first = await late
            await home.kernel.call(home.kernel.token, Send(pid=slow.pid, body="two"))
            await asyncio.sleep(90.0)
            assert await home.kernel.call(slow.token, Receive(), key="late") == first
            await asyncio.sleep(20.0)
            again = await home.kernel.call(slow.token, Receive(), key="late")
            assert again.body == "two"

    lived(main)


def test_forgotten_results_leave_the_journal_and_no_others() -> None:
    async def main() -> None:
        journal = InlineJournal()
        async with house(limits=Limits(results_max=50), journal=journal) as home:
            other = await home.spawn("other")
            await sent(home, other, range(600))
        kept = {row[2] for row in await journal.read(statements.RESULTS_INDEX)}
        assert kept >= {f"send {number}" for number in range(550, 600)}
        assert len(kept) < 50 + 256 + 1

    lived(main)


@pytest.mark.parametrize("key", [5, 0, None, b"k", ["k"], "\ud800", "k" * 129])
def test_what_cannot_be_a_key_is_refused(key: Any) -> None:
    async def program(client: Client, argument: object) -> str:
        try:
            await client.call(WhoAmI(), key=key)
        except InvalidArgument as refused:
            return refused.message
        return ""

    async def main() -> None:
        async with house(journal=InlineJournal(), programs={"it": hosted(program)}) as home:
            kernel = home.kernel
            for call in (WhoAmI(), Send(pid=1, body="x"), ask()):
                with pytest.raises(InvalidArgument, match="expected a key"):
                    await kernel.call(kernel.token, call, key=key)
            with pytest.raises(InvalidArgument, match="expected a key"):
                await streamed(home, Stream(generate=ask()), key)
            durable = await home.spawn("durable", program="it", durable=True)
            ended = await kernel.call(kernel.token, Wait(pid=durable.pid))
            assert "expected a key" in str(ended.result)

    lived(main)
