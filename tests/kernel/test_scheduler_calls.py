"""Another policy while calls run: nobody's call is lost, changed, or served by the old one."""

import asyncio

import pytest

from aios.errors import Denied, InvalidArgument, NotFound
from aios.syscalls import Completion, Decoding, Generate, Pause, Resume
from aios.syscalls.scheduling import SetPolicy, ShowScheduler
from aios.telemetry import events
from aios.testing.script import Faults, Script
from tests.kernel.house import House, house, lived

CROWDED = Script(answer_tokens=(150, 150), lanes=2)


def question(number: int) -> Generate:
    return Generate(prompt=f"question {number}", decoding=Decoding(seed=number, max_tokens=150))


async def asked(home: House, count: int) -> list[asyncio.Task[Completion]]:
    """Calls of as many agents, one after another."""
    tasks = []
    for number in range(count):
        agent = await home.spawn(f"a{number}")
        call = question(number)
        tasks.append(asyncio.ensure_future(home.kernel.call(agent.token, call)))
        await asyncio.sleep(0.01)
    return tasks


@pytest.mark.parametrize("to", ["fifo", "rr", "priority"])
@pytest.mark.parametrize("before", ["fifo", "rr", "priority"])
def test_every_call_ends_as_if_nobody_had_changed_the_policy(before: str, to: str) -> None:
    async def main() -> None:
        async with house(CROWDED, policy=before) as home:
            tasks = await asked(home, 6)
            for _ in range(5):
                await asyncio.sleep(1.3)
                await home.kernel.call(home.kernel.token, SetPolicy(policy=to))
                assert {loop.policy.name for loop in home.kernel.loops} == {to}
                before_that = SetPolicy(policy=before)
                await asyncio.sleep(0.7)
                await home.kernel.call(home.kernel.token, before_that)
            for number, completion in enumerate(await asyncio.gather(*tasks)):
                call = question(number)
                assert completion.choices[0].token_ids == home.undisturbed(call)

    lived(main)


def test_first_come_first_served_holds_from_the_moment_it_is_chosen() -> None:
    async def main() -> None:
        async with house(CROWDED, policy="rr") as home:
            tasks = await asked(home, 6)
            await asyncio.sleep(2.0)
            await home.kernel.call(home.kernel.token, SetPolicy(policy="fifo"))
            since = len(home.events)
            await asyncio.gather(*tasks)
            ended = [one.pid for one in home.events[since:] if isinstance(one, events.Ended)]
            assert ended == sorted(ended)
            assert not any(isinstance(one, events.Stopped) for one in home.events[since:]), (
                "nobody is taken off a lane any more"
            )

    lived(main)


def test_a_paused_agents_call_stays_with_it_and_goes_on_under_the_new_policy() -> None:
    async def main() -> None:
        async with house(CROWDED, policy="fifo") as home:
            agent = await home.spawn("sleeper")
            call = question(0)
            task = asyncio.ensure_future(home.kernel.call(agent.token, call))
            await asyncio.sleep(0.5)
            await home.kernel.call(home.kernel.token, Pause(pid=agent.pid))
            await home.kernel.call(home.kernel.token, SetPolicy(policy="rr", slice_tokens=8))
            await asyncio.sleep(60)
            assert not task.done()
            await home.kernel.call(home.kernel.token, Resume(pid=agent.pid))
            assert (await task).choices[0].token_ids == home.undisturbed(call)

    lived(main)


def test_the_policy_can_be_changed_while_the_engine_is_down() -> None:
    async def main() -> None:
        async with house(CROWDED, policy="rr", faults=Faults(crash=0.01, restart_s=3.0)) as home:
            tasks = await asked(home, 4)
            for number in range(40):
                await home.kernel.call(
                    home.kernel.token, SetPolicy(policy=("fifo", "rr", "priority")[number % 3])
                )
                await asyncio.sleep(0.5)
            results = await asyncio.gather(*tasks, return_exceptions=True)
            assert any(isinstance(one, events.CoreDied) for one in home.events)
            assert any(isinstance(one, Completion) for one in results)
            for number, one in enumerate(results):
                if isinstance(one, Completion):
                    call = question(number)
                    assert one.choices[0].token_ids == home.undisturbed(call)

    lived(main)


def test_what_is_no_policy_changes_nothing_and_says_what_was_expected() -> None:
    async def main() -> None:
        async with house(policy="fifo") as home:
            with pytest.raises(NotFound, match="known: fifo, rr, priority"):
                await home.kernel.call(home.kernel.token, SetPolicy(policy="lottery"))
            with pytest.raises(InvalidArgument, match="slice_tokens"):
                await home.kernel.call(home.kernel.token, SetPolicy(policy="fifo", slice_tokens=8))
            shown = await home.kernel.call(home.kernel.token, ShowScheduler())
            assert (shown.policy, shown.slice_tokens) == ("fifo", None)

    lived(main)


def test_waits_are_told_of_each_policy_by_itself_and_everybody_hears_of_the_change() -> None:
    async def main() -> None:
        async with house(CROWDED, policy="fifo") as home:
            await asyncio.gather(*await asked(home, 4))
            await home.kernel.call(home.kernel.token, SetPolicy(policy="rr", slice_tokens=16))
            await asyncio.gather(*await asked(home, 4))
            shown = await home.kernel.call(home.kernel.token, ShowScheduler())
            assert (shown.policy, shown.slice_tokens) == ("rr", 16)
            fifo, turns = shown.waits
            assert (fifo.policy, fifo.calls, fifo.switches) == ("fifo", 4, 0)
            assert (turns.policy, turns.calls) == ("rr", 4)
            assert turns.switches > 0
            assert turns.longest_s < fifo.longest_s, "turns begin sooner"
            changes = [one.policy for one in home.events if isinstance(one, events.PolicyChanged)]
            assert changes == ["rr"]

    lived(main)


def test_an_agent_without_the_right_sees_and_changes_nothing() -> None:
    async def main() -> None:
        async with house() as home:
            agent = await home.spawn()
            for call in (ShowScheduler(), SetPolicy(policy="fifo")):
                with pytest.raises(Denied):
                    await home.kernel.call(agent.token, call)

    lived(main)
