"""Processes: spawn, end, wait, pause, kill, and messages."""

import asyncio
import sys
from typing import Any

import pytest

from aios.config import Limits
from aios.errors import (
    Busy,
    Cancelled,
    DeadlineExceeded,
    Denied,
    InvalidArgument,
    NotFound,
    WrongState,
)
from aios.kernel.process import TRANSITIONS
from aios.syscalls import (
    Exit,
    Inspect,
    Kill,
    List,
    Pause,
    ProcessState,
    Receive,
    Resume,
    Send,
    Spawn,
    Wait,
    WhoAmI,
)
from aios.testing.script import Script
from tests.kernel.house import ask, house, lived


async def double(transport: Any, token: str, argument: Any) -> Any:
    await transport.call(token, WhoAmI())
    return argument * 2


async def stumble(transport: Any, token: str, argument: Any) -> Any:
    raise RuntimeError("over a stone")


async def leave(transport: Any, token: str, argument: Any) -> Any:
    sys.exit("enough")


async def give_up(transport: Any, token: str, argument: Any) -> Any:
    raise asyncio.CancelledError


async def talk(transport: Any, token: str, argument: Any) -> Any:
    return (await transport.call(token, ask())).text


PROGRAMS = {
    "double": double, "stumble": stumble, "leave": leave, "give_up": give_up, "talk": talk,
}  # fmt: skip


def test_a_hosted_program_runs_as_a_process_and_wait_returns_its_result() -> None:
    async def main() -> None:
        async with house(programs=PROGRAMS) as home:
            child = await home.spawn("d", program="double", argument=21)
            ended = await home.kernel.call(home.kernel.token, Wait(pid=child.pid))
            assert (ended.state, ended.result) == (ProcessState.EXITED, 42)

    lived(main)


def test_a_program_s_fault_ends_it_as_failed_and_nobody_else() -> None:
    async def main() -> None:
        async with house(programs=PROGRAMS) as home:
            bad = await home.spawn("s", program="stumble")
            good = await home.spawn("d", program="double", argument=1)
            ended = await home.kernel.call(home.kernel.token, Wait(pid=bad.pid))
            assert ended.state is ProcessState.FAILED
            assert "over a stone" in ended.error
            assert (await home.kernel.call(home.kernel.token, Wait(pid=good.pid))).result == 2

    lived(main)


@pytest.mark.parametrize(("program", "error"), [("leave", "enough"), ("give_up", "cancelled")])
def test_a_program_that_exits_or_cancels_itself_ends_alone(program: str, error: str) -> None:
    async def main() -> None:
        async with house(programs=PROGRAMS) as home:
            bad = await home.spawn("x", program=program)
            good = await home.spawn("d", program="double", argument=1)
            ended = await home.kernel.call(home.kernel.token, Wait(pid=bad.pid))
            assert ended.state is ProcessState.FAILED
            assert error in ended.error
            assert (await home.kernel.call(home.kernel.token, Wait(pid=good.pid))).result == 2

    lived(main)


def test_an_unknown_program_is_refused_with_those_there_are() -> None:
    async def main() -> None:
        async with house(programs=PROGRAMS) as home:
            with pytest.raises(NotFound, match="double"):
                await home.spawn("x", program="triple")

    lived(main)


def test_an_outside_agent_exits_by_itself() -> None:
    async def main() -> None:
        async with house() as home:
            agent = await home.spawn()
            await home.kernel.call(agent.token, Exit(result={"ok": True}))
            ended = await home.kernel.call(home.kernel.token, Wait(pid=agent.pid))
            assert ended.result == {"ok": True}
            with pytest.raises(Denied):
                await home.kernel.call(agent.token, WhoAmI())

    lived(main)


def test_kill_ends_a_process_its_children_and_their_calls() -> None:
    async def main() -> None:
        async with house(Script(answer_tokens=(60, 60)), programs=PROGRAMS) as home:
            parent = await home.spawn("parent")
            child = await home.kernel.call(parent.token, Spawn(name="child"))
            hosted = await home.kernel.call(parent.token, Spawn(name="t", program="talk"))
            call = asyncio.ensure_future(home.kernel.call(child.token, ask()))
            mail = asyncio.ensure_future(home.kernel.call(parent.token, Receive()))
            await asyncio.sleep(0.1)
            await home.kernel.call(home.kernel.token, Kill(pid=parent.pid))
            for work in (call, mail):
                with pytest.raises(Cancelled):
                    await work
            for pid in (parent.pid, child.pid, hosted.pid):
                ended = await home.kernel.call(home.kernel.token, Wait(pid=pid))
                assert ended.state is ProcessState.KILLED
            assert home.kernel.gate.live == 0

    lived(main)


def test_children_of_an_ended_process_go_to_the_first_one() -> None:
    async def main() -> None:
        async with house() as home:
            parent = await home.spawn("parent")
            child = await home.kernel.call(parent.token, Spawn(name="child"))
            await home.kernel.call(parent.token, Exit())
            seen = await home.kernel.call(home.kernel.token, Inspect(pid=child.pid))
            assert seen.parent == 1

    lived(main)


def test_a_process_acts_on_its_own_tree_only() -> None:
    async def main() -> None:
        async with house() as home:
            one, two = await home.spawn("one"), await home.spawn("two")
            child = await home.kernel.call(one.token, Spawn(name="child"))
            await home.kernel.call(one.token, Pause(pid=child.pid))
            for call in (
                Kill(pid=child.pid),
                Pause(pid=one.pid),
                Inspect(pid=1),
                Wait(pid=one.pid),
            ):
                with pytest.raises(NotFound, match="no process"):
                    await home.kernel.call(two.token, call)
            rows = await home.kernel.call(two.token, List())
            assert [row.name for row in rows.processes] == ["two"]
            rows = await home.kernel.call(home.kernel.token, List())
            assert [row.name for row in rows.processes] == ["init", "one", "two", "child"]

    lived(main)


def test_a_paused_process_s_new_calls_wait_for_its_resume() -> None:
    async def main() -> None:
        async with house() as home:
            agent = await home.spawn()
            await home.kernel.call(home.kernel.token, Pause(pid=agent.pid))
            call = asyncio.ensure_future(home.kernel.call(agent.token, WhoAmI()))
            await asyncio.sleep(10)
            assert not call.done()
            await home.kernel.call(home.kernel.token, Resume(pid=agent.pid))
            assert (await call).state is ProcessState.RUNNING

    lived(main)


def test_illegal_transitions_are_refused_with_the_state() -> None:
    async def main() -> None:
        async with house() as home:
            agent = await home.spawn()
            with pytest.raises(WrongState, match="running"):
                await home.kernel.call(home.kernel.token, Resume(pid=agent.pid))
            await home.kernel.call(home.kernel.token, Kill(pid=agent.pid))
            for call in (Pause(pid=agent.pid), Resume(pid=agent.pid), Kill(pid=agent.pid)):
                with pytest.raises(WrongState, match="killed"):
                    await home.kernel.call(home.kernel.token, call)

    lived(main)


def test_every_state_has_its_row_of_transitions_and_final_ones_lead_nowhere() -> None:
    assert set(TRANSITIONS) == set(ProcessState)
    assert {state for state, to in TRANSITIONS.items() if not to} == {
        ProcessState.EXITED,
        ProcessState.FAILED,
        ProcessState.KILLED,
    }


def test_unknown_pids_are_not_found() -> None:
    async def main() -> None:
        async with house() as home:
            for call in (Kill(pid=99), Pause(pid=99), Wait(pid=99), Send(pid=99, body=1)):
                with pytest.raises(NotFound, match="99"):
                    await home.kernel.call(home.kernel.token, call)

    lived(main)


def test_messages_arrive_in_order_and_wake_the_receiver() -> None:
    async def main() -> None:
        async with house() as home:
            one, two = await home.spawn("one"), await home.spawn("two")
            mail = asyncio.ensure_future(home.kernel.call(two.token, Receive()))
            await asyncio.sleep(1)
            for number in range(3):
                await home.kernel.call(one.token, Send(pid=two.pid, body=[number]))
            first = await mail
            rest = [await home.kernel.call(two.token, Receive()) for _ in range(2)]
            assert [(m.sender, m.body) for m in (first, *rest)] == [
                (one.pid, [n]) for n in range(3)
            ]

    lived(main)


def test_two_receivers_of_one_process_get_one_message_each() -> None:
    async def main() -> None:
        async with house() as home:
            agent = await home.spawn()
            mails = [
                asyncio.ensure_future(home.kernel.call(agent.token, Receive())) for _ in range(2)
            ]
            await asyncio.sleep(1)
            for body in "ab":
                await home.kernel.call(home.kernel.token, Send(pid=agent.pid, body=body))
            assert sorted(mail.body for mail in await asyncio.gather(*mails)) == ["a", "b"]

    lived(main)


def test_waiting_has_limits_and_mailboxes_have_bounds() -> None:
    async def main() -> None:
        limits = Limits(mail_max=2, mail_bytes_max=100, drain_s=1.0)
        async with house(limits=limits) as home:
            agent = await home.spawn()
            with pytest.raises(DeadlineExceeded, match="nothing came"):
                await home.kernel.call(agent.token, Receive(timeout_s=0.5))
            with pytest.raises(DeadlineExceeded):
                await home.kernel.call(home.kernel.token, Wait(pid=agent.pid, timeout_s=0.5))
            with pytest.raises(InvalidArgument, match="at most 100"):
                await home.kernel.call(home.kernel.token, Send(pid=agent.pid, body="x" * 200))
            for _ in range(2):
                await home.kernel.call(home.kernel.token, Send(pid=agent.pid, body="x"))
            with pytest.raises(Busy, match="2 messages"):
                await home.kernel.call(home.kernel.token, Send(pid=agent.pid, body="x"))

    lived(main)


@pytest.mark.parametrize("name", ["init", "travel/flights", "/init", "init/", "", "a\n/b"])
def test_no_process_takes_a_name_that_makes_it_another_agent(name: str) -> None:
    async def main() -> None:
        async with house() as home:
            with pytest.raises(InvalidArgument, match="name"):
                await home.spawn(name)
            assert len((await home.kernel.call(home.kernel.token, List())).processes) == 1

    lived(main)


def test_processes_of_one_path_of_names_are_one_agent_and_others_are_not() -> None:
    async def main() -> None:
        async with house() as home:

            async def agent_of(token: str) -> str:
                return (await home.kernel.call(token, WhoAmI())).agent

            first = await home.spawn("travel")
            beside = await home.spawn("travel")
            assert await agent_of(first.token) == await agent_of(beside.token) == "travel"
            below = await home.kernel.call(first.token, Spawn(name="init"))
            assert await agent_of(below.token) == "travel/init"
            await home.kernel.call(home.kernel.token, Kill(pid=first.pid))
            assert await agent_of((await home.spawn("travel")).token) == "travel"

    lived(main)


def test_the_process_table_is_bounded() -> None:
    async def main() -> None:
        async with house(limits=Limits(processes_max=2, drain_s=1.0)) as home:
            await home.spawn()
            with pytest.raises(Busy, match="2 processes"):
                await home.spawn()

    lived(main)


def test_a_process_shows_what_it_waits_for_and_what_it_used() -> None:
    async def main() -> None:
        async with house() as home:
            agent = await home.spawn()
            reply = await home.kernel.call(agent.token, ask())
            waits = asyncio.ensure_future(home.kernel.call(agent.token, Receive(timeout_s=5)))
            await asyncio.sleep(1)
            row = await home.kernel.call(home.kernel.token, Inspect(pid=agent.pid))
            assert row.waiting_for == f"mail for {agent.pid}"
            assert (row.calls, row.live_calls) == (2, 1)
            assert row.prompt_tokens == 10
            assert row.completion_tokens == reply.usage.completion_tokens
            with pytest.raises(DeadlineExceeded):
                await waits

    lived(main)


def test_a_receiver_whose_process_is_killed_right_after_a_send_gets_its_one_error() -> None:
    async def main() -> None:
        async with house() as home:
            agent = await home.spawn()
            mail = asyncio.ensure_future(home.kernel.call(agent.token, Receive()))
            await asyncio.sleep(1)
            await home.kernel.call(home.kernel.token, Send(pid=agent.pid, body=1))
            await home.kernel.call(home.kernel.token, Kill(pid=agent.pid))
            with pytest.raises(Cancelled):
                await mail
            assert home.kernel.gate.live == 0

    lived(main)


def test_a_message_whose_receiver_goes_away_wakes_the_next_one() -> None:
    async def main() -> None:
        async with house() as home:
            agent = await home.spawn()
            first, second = (
                asyncio.ensure_future(home.kernel.call(agent.token, Receive())) for _ in range(2)
            )
            await asyncio.sleep(1)
            await home.kernel.call(home.kernel.token, Send(pid=agent.pid, body="x"))
            first.cancel()
            assert (await second).body == "x"
            await asyncio.wait([first])

    lived(main)
