"""LLM calls over a crash: the same tokens, the one result, for whoever asks again."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from aios.config import Limits
from aios.errors import ShuttingDown
from aios.journal import statements
from aios.journal.base import Journal
from aios.syscalls import Completion, Decoding, Generate, Stream, WhoAmI
from aios.telemetry import events
from aios.testing.crash import Severable
from aios.testing.journal import InlineJournal
from aios.testing.script import Script
from aios.testing.store import ScriptedStore
from tests.kernel.house import House, ask, house, lived, soon, words

LONG = Script(answer_tokens=(100, 100), lanes=2)
SEEDLESS = Generate(prompt=words(10), decoding=Decoding(max_tokens=100))


async def killed(
    inner: Journal,
    life: Callable[[House], Awaitable[object]],
    *,
    store: ScriptedStore | None = None,
    after_s: float = 1.0,
) -> None:
    """Let a kernel live, and kill it after that time."""
    journal = Severable(inner)

    async def live() -> None:
        async with house(LONG, journal=journal, store=store) as home:
            await life(home)

    task = asyncio.ensure_future(live())
    await asyncio.sleep(after_s)
    journal.cut()
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()


@pytest.mark.parametrize("n", [1, 2])
def test_a_killed_kernel_s_generation_goes_on_at_once_and_says_the_same(
    n: int,
) -> None:
    async def main() -> None:
        journal = InlineJournal()
        call = Generate(prompt=words(10), decoding=Decoding(max_tokens=100, seed=3, n=n))
        async with house(LONG) as home:
            expected = (await home.kernel.call(home.kernel.token, call)).choices
        await killed(journal, lambda home: home.kernel.call(home.kernel.token, call, key="k"))
        async with house(LONG, journal=journal, boot=2) as home:
            await soon(lambda: any(isinstance(one, events.Ended) for one in home.events))
            began = asyncio.get_running_loop().time()
            reply = await home.kernel.call(home.kernel.token, call, key="k")
            assert (
                asyncio.get_running_loop().time() == began
            )  # It was done before it was asked for.
            assert reply.choices == expected
            assert reply.timing.run_s < 70 * LONG.step_s  # Of 100: the checkpoints were used.

    lived(main)


def test_a_seed_that_the_kernel_chose_outlives_it() -> None:
    async def main() -> None:
        journal = InlineJournal()
        seeds: list[int] = []

        async def life(home: House) -> None:
            stream = home.kernel.stream(home.kernel.token, Stream(generate=SEEDLESS), key="k")
            async for item in stream:
                if not isinstance(item, Completion):
                    seeds.extend(item.token_ids)

        await killed(journal, life)
        async with house(LONG, journal=journal, boot=2) as home:
            reply = await home.kernel.call(home.kernel.token, Stream(generate=SEEDLESS), key="k")
            assert list(reply.choices[0].token_ids[: len(seeds)]) == seeds
            assert len(seeds) > 30

    lived(main)


def test_who_asks_again_joins_what_goes_on_and_all_get_the_one_result() -> None:
    async def main() -> None:
        journal = InlineJournal()
        await killed(journal, lambda home: home.kernel.call(home.kernel.token, SEEDLESS, key="k"))
        async with house(LONG, journal=journal, boot=2) as home:
            token = home.kernel.token
            replies = await asyncio.gather(
                *(home.kernel.call(token, SEEDLESS, key="k") for _ in range(3))
            )
            submitted = [one for one in home.events if isinstance(one, events.Submitted)]
            assert len(submitted) == 1
        async with house(LONG, journal=journal, boot=3) as home:
            replies.append(await home.kernel.call(home.kernel.token, SEEDLESS, key="k"))
            assert not any(isinstance(one, events.Submitted) for one in home.events)
        assert all(reply == replies[0] for reply in replies)

    lived(main)


def test_a_stream_that_joins_what_goes_on_is_remembered_by_its_key() -> None:
    async def main() -> None:
        journal = InlineJournal()
        call = Stream(generate=SEEDLESS)
        await killed(journal, lambda home: home.kernel.call(home.kernel.token, SEEDLESS, key="k"))
        async with house(LONG, journal=journal, boot=2) as home:
            last = []
            for _ in range(2):
                items = home.kernel.stream(home.kernel.token, call, key="k")
                last.append([item async for item in items][-1])
            assert last[0] == last[1]
            assert sum(isinstance(one, events.Submitted) for one in home.events) == 1

    lived(main)


def test_a_result_that_nobody_asked_for_is_kept_for_the_next_kernel() -> None:
    async def main() -> None:
        journal = InlineJournal()
        call = ask(call_id="trip", tokens=100)
        await killed(journal, lambda home: home.kernel.call(home.kernel.token, call))
        async with house(LONG, journal=journal, boot=2) as home:
            await soon(lambda: any(isinstance(one, events.Ended) for one in home.events))
        async with house(LONG, journal=journal, boot=3) as home:
            reply = await home.kernel.call(home.kernel.token, call)
            assert reply.choices[0].token_ids == home.undisturbed(call)
            assert not any(isinstance(one, events.Submitted) for one in home.events)
            await home.kernel.call(home.kernel.token, call)  # A result is given away once.
            assert any(isinstance(one, events.Submitted) for one in home.events)

    lived(main)


@pytest.mark.parametrize("is_asked_late", [True, False])
def test_a_result_that_nobody_asks_for_is_forgotten_at_its_age(is_asked_late: bool) -> None:
    async def main() -> None:
        journal, limits = InlineJournal(), Limits(results_age_s=100.0, drain_s=5.0)
        call = ask(call_id="trip", tokens=100)
        await killed(journal, lambda home: home.kernel.call(home.kernel.token, call))
        await asyncio.sleep(150.0)
        async with house(LONG, limits=limits, journal=journal, boot=2) as home:
            await soon(lambda: any(isinstance(one, events.Ended) for one in home.events))
            await asyncio.sleep(90.0)
        assert len(await journal.read(statements.GENERATIONS_ALL)) == 1
        async with house(LONG, limits=limits, journal=journal, boot=3) as home:
            await asyncio.sleep(20.0)
            if is_asked_late:
                await home.kernel.call(home.kernel.token, call)
                assert any(isinstance(one, events.Submitted) for one in home.events)
        async with house(LONG, limits=limits, journal=journal, boot=4):
            assert await journal.read(statements.GENERATIONS_ALL) == []

    lived(main)


def test_results_that_nobody_asks_for_are_bounded_in_number() -> None:
    async def main() -> None:
        journal, limits = InlineJournal(), Limits(results_max=2, drain_s=5.0)
        calls = [ask(call_id=f"trip {number}", tokens=100) for number in range(5)]

        async def life(home: House) -> None:
            token = home.kernel.token
            await asyncio.gather(*(home.kernel.call(token, call) for call in calls))

        await killed(journal, life)
        async with house(LONG, limits=limits, journal=journal, boot=2) as home:
            await soon(lambda: sum(isinstance(one, events.Ended) for one in home.events) == 5)
            assert len(await journal.read(statements.GENERATIONS_ALL)) == 2

    lived(main)


def test_a_shutdown_keeps_named_calls_with_their_snapshots() -> None:
    async def main() -> None:
        journal, store = InlineJournal(), ScriptedStore()
        call = ask(call_id="trip", tokens=100)
        async with house(LONG, store=store, journal=journal) as home:
            named = asyncio.ensure_future(home.kernel.call(home.kernel.token, call))
            unnamed = asyncio.ensure_future(home.kernel.call(home.kernel.token, ask(3, tokens=100)))
            await asyncio.sleep(1.0)
        with pytest.raises(ShuttingDown, match="goes on later"):
            await named
        with pytest.raises(ShuttingDown, match="only calls with a key or a call_id"):
            await unnamed
        async with house(LONG, store=store, journal=journal, boot=2) as home:
            reply = await home.kernel.call(home.kernel.token, call)
            assert reply.choices[0].token_ids == home.undisturbed(call)
            assert reply.exact

    lived(main)


def test_a_kept_call_waits_for_its_own_model() -> None:
    async def main() -> None:
        journal, store = InlineJournal(), ScriptedStore()
        call = ask(call_id="trip", tokens=100)
        await killed(journal, lambda home: home.kernel.call(home.kernel.token, call), store=store)
        other = Script(answer_tokens=(100, 100), lanes=2, fingerprint="another model")
        async with house(other, journal=journal, boot=2) as home:
            reply = await home.kernel.call(home.kernel.token, call)
            assert reply.timing.run_s > 99 * other.step_s  # From the start.
        async with house(LONG, store=store, journal=journal, boot=3) as home:
            reply = await home.kernel.call(home.kernel.token, call)
            assert reply.timing.run_s < 70 * LONG.step_s

    lived(main)


def test_a_call_that_was_cancelled_is_not_kept() -> None:
    async def main() -> None:
        journal = InlineJournal()
        async with house(LONG, journal=journal) as home:
            task = asyncio.ensure_future(home.kernel.call(home.kernel.token, SEEDLESS, key="k"))
            await asyncio.sleep(1.0)
            task.cancel()
            await asyncio.wait([task])
        async with house(LONG, journal=journal, boot=2) as home:
            info = await home.kernel.call(home.kernel.token, WhoAmI())
            assert (info.live_calls, info.waiting_for) == (1, "")

    lived(main)
