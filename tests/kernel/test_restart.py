"""What a kernel told is still so after it stopped or was killed: processes, mail, results."""

import asyncio

import pytest

from aios.errors import Busy, Denied, InvalidArgument, NoSpace
from aios.kernel.process import INIT
from aios.syscalls import (
    Exit,
    Kill,
    List,
    Pause,
    ProcessState,
    Receive,
    Send,
    Spawn,
    Wait,
    WhoAmI,
)
from aios.testing.journal import InlineJournal
from tests.kernel.house import ask, house, lived


def test_processes_come_back_with_their_tokens_names_and_states() -> None:
    async def main() -> None:
        journal = InlineJournal()
        async with house(journal=journal) as home:
            travel = await home.spawn("travel", priority=3)
            flights = await home.kernel.call(travel.token, Spawn(name="flights"))
            paused = await home.spawn("paused")
            await home.kernel.call(home.kernel.token, Pause(pid=paused.pid))
        async with house(journal=journal, boot=2) as home:
            me = await home.kernel.call(flights.token, WhoAmI())
            assert (me.pid, me.parent, me.agent) == (flights.pid, travel.pid, "travel/flights")
            shown = (await home.kernel.call(home.kernel.token, List())).processes
            assert [one.name for one in shown] == ["init", "travel", "flights", "paused"]
            assert (shown[1].priority, shown[3].state) == (3, ProcessState.PAUSED)
            fresh = await home.spawn("fresh")
            assert fresh.pid > paused.pid

    lived(main)


def test_the_token_of_the_first_process_stays_the_same() -> None:
    async def main() -> None:
        journal = InlineJournal()
        async with house(journal=journal) as home:
            token = home.kernel.token
        async with house(journal=journal, boot=2) as home:
            assert home.kernel.token == token
            assert (await home.kernel.call(token, WhoAmI())).pid == INIT

    lived(main)


def test_how_a_process_ended_is_still_known() -> None:
    async def main() -> None:
        journal = InlineJournal()
        async with house(journal=journal) as home:
            done, killed = await home.spawn("done"), await home.spawn("killed")
            await home.kernel.call(done.token, Exit(result={"n": 1}))
            await home.kernel.call(home.kernel.token, Kill(pid=killed.pid))
        async with house(journal=journal, boot=2) as home:
            first = await home.kernel.call(home.kernel.token, Wait(pid=done.pid))
            second = await home.kernel.call(home.kernel.token, Wait(pid=killed.pid))
            assert (first.state, first.result) == (ProcessState.EXITED, {"n": 1})
            assert second.state is ProcessState.KILLED
            with pytest.raises(Denied):
                await home.kernel.call(done.token, WhoAmI())

    lived(main)


def test_mail_is_received_once_and_in_order_over_restarts() -> None:
    async def main() -> None:
        journal = InlineJournal()
        heard = []
        async with house(journal=journal) as home:
            agent = await home.spawn()
            for number in range(4):
                await home.kernel.call(home.kernel.token, Send(pid=agent.pid, body=number))
            heard.append(await home.kernel.call(agent.token, Receive()))
        async with house(journal=journal, boot=2) as home:
            await home.kernel.call(home.kernel.token, Send(pid=agent.pid, body=4))
            heard += [await home.kernel.call(agent.token, Receive()) for _ in range(4)]
        assert [mail.body for mail in heard] == [0, 1, 2, 3, 4]

    lived(main)


def test_what_could_not_be_written_has_not_happened() -> None:
    async def main() -> None:
        journal = InlineJournal()
        async with house(journal=journal) as home:
            agent = await home.spawn()
            for call in (
                Spawn(name="child"),
                Send(pid=agent.pid, body=1),
                Pause(pid=agent.pid),
                Kill(pid=agent.pid),
            ):
                journal.fail_next(NoSpace("the disk is full"))
                with pytest.raises(NoSpace):
                    await home.kernel.call(home.kernel.token, call)
            shown = (await home.kernel.call(home.kernel.token, List(ended=True))).processes
            assert [(one.name, one.state.value, one.mail) for one in shown] == [
                ("init", "running", 0),
                ("agent", "running", 0),
            ]

    lived(main)


def test_a_message_whose_taking_could_not_be_written_is_taken_by_the_next() -> None:
    async def main() -> None:
        journal = InlineJournal()
        async with house(journal=journal) as home:
            agent = await home.spawn()
            await home.kernel.call(home.kernel.token, Send(pid=agent.pid, body=1))
            journal.fail_next(NoSpace("the disk is full"))
            with pytest.raises(NoSpace):
                await home.kernel.call(agent.token, Receive())
            assert (await home.kernel.call(agent.token, Receive())).body == 1

    lived(main)


def test_calls_with_one_key_are_one_call_in_flight_afterwards_and_after_a_restart() -> None:
    async def main() -> None:
        journal = InlineJournal()
        async with house(journal=journal) as home:
            call = Spawn(name="only")
            together = await asyncio.gather(
                *(home.kernel.call(home.kernel.token, call, key="k") for _ in range(3))
            )
            later = await home.kernel.call(home.kernel.token, call, key="k")
        async with house(journal=journal, boot=2) as home:
            again = await home.kernel.call(home.kernel.token, call, key="k")
            shown = (await home.kernel.call(home.kernel.token, List())).processes
            assert {one.pid for one in (*together, later, again)} == {later.pid}
            assert len(shown) == 2

    lived(main)


def test_a_key_of_another_call_is_refused() -> None:
    async def main() -> None:
        async with house(journal=InlineJournal()) as home:
            await home.kernel.call(home.kernel.token, Spawn(name="one"), key="k")
            with pytest.raises(InvalidArgument, match="'k' is another call's"):
                await home.kernel.call(home.kernel.token, Spawn(name="two"), key="k")
            agent = await home.spawn()
            await home.kernel.call(agent.token, Spawn(name="two"), key="k")  # Its own key.

    lived(main)


def test_an_error_is_remembered_by_its_key_unless_it_passes() -> None:
    async def main() -> None:
        journal = InlineJournal()
        async with house(journal=journal) as home:
            call = Spawn(name="x", program="none")
            errors = []
            for _ in range(2):
                with pytest.raises(Exception, match="no program 'none'") as caught:
                    await home.kernel.call(home.kernel.token, call, key="bad")
                errors.append(type(caught.value))
            assert errors[0] is errors[1]
            journal.fail_next(Busy("too much to write"))
            with pytest.raises(Busy):
                await home.kernel.call(home.kernel.token, Spawn(name="y"), key="good")
            assert (await home.kernel.call(home.kernel.token, Spawn(name="y"), key="good")).pid

    lived(main)


def test_keys_work_without_a_journal() -> None:
    async def main() -> None:
        async with house() as home:
            first = await home.kernel.call(home.kernel.token, ask(), key="k")
            second = await home.kernel.call(home.kernel.token, ask(), key="k")
            assert first == second

    lived(main)
