"""Durable programs and rights: what was answered stays answered, what is new is judged."""

import asyncio
from typing import Any

from aios.access.policy import Line, Policy
from aios.errors import Denied
from aios.sdk import Client
from aios.sdk.program import hosted
from aios.syscalls import Attempt, Inspect, Report, Send, Wait
from aios.testing.journal import InlineJournal
from tests.kernel.house import House, house, lived

NO_PAY = Policy(deny=(Line("nobody pays", verbs=("process.attempt",), object="pay"),))
NO_NAMES = Policy(deny=(Line("nobody asks who it is", verbs=("process.whoami",)),))


async def curious(client: Client, argument: Any) -> list[str]:
    """Asks who it is, waits for a word, asks again."""
    told = [(await client.whoami()).name]
    await client.receive()
    try:
        told.append((await client.whoami()).name)
    except Denied:
        told.append("denied")
    return told


async def waits(home: House, pid: int) -> None:
    async def is_waiting() -> bool:
        info = await home.kernel.call(home.kernel.token, Inspect(pid=pid))
        return info.waiting_for.startswith("mail")

    async with asyncio.timeout(100):
        while not await is_waiting():  # noqa: ASYNC110 - virtual time costs nothing
            await asyncio.sleep(0.01)


def test_a_replayed_answer_is_not_judged_again_and_the_next_call_is() -> None:
    async def main() -> None:
        journal, programs = InlineJournal(), {"curious": hosted(curious)}
        async with house(journal=journal, programs=programs) as home:
            agent = await home.spawn("ada", program="curious", durable=True)
            await waits(home, agent.pid)
        async with house(journal=journal, programs=programs, boot=2) as home:
            home.kernel.guard.reload(NO_NAMES)
            await waits(home, agent.pid)
            await home.kernel.call(home.kernel.token, Send(pid=agent.pid, body="go on"))
            ended = await home.kernel.call(home.kernel.token, Wait(pid=agent.pid))
            assert ended.result == ["ada", "denied"]

    lived(main)


async def buys(client: Client, argument: Any) -> list[str]:
    """Brackets runs of its own tools, as a toolbox does."""
    looked = await client.call(Attempt(tool="look", arguments="{}"))
    await client.receive()
    await client.call(Report(attempt=looked.id, result="seen"))
    try:
        await client.call(Attempt(tool="pay", arguments="{}"))
    except Denied:
        return [looked.outcome, "denied"]
    return [looked.outcome, "paid"]


def test_the_guard_judges_a_durable_programs_own_tools_before_they_run_and_no_report() -> None:
    async def main() -> None:
        journal, programs = InlineJournal(), {"buys": hosted(buys)}
        async with house(journal=journal, programs=programs) as home:
            agent = await home.spawn("ada", program="buys", durable=True)
            await waits(home, agent.pid)
        nothing = Policy(deny=(*NO_PAY.deny, Line("nobody tells", verbs=("process.report",))))
        async with house(journal=journal, programs=programs, boot=2) as home:
            home.kernel.guard.reload(nothing)
            await waits(home, agent.pid)
            await home.kernel.call(home.kernel.token, Send(pid=agent.pid, body="go on"))
            ended = await home.kernel.call(home.kernel.token, Wait(pid=agent.pid))
            assert ended.result == ["unknown", "denied"]

    lived(main)
