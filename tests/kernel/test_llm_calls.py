"""LLM calls through the kernel: one reply or one error, whatever happens on the way."""

import asyncio

import pytest

from aios.config import Limits
from aios.errors import (
    Busy,
    Cancelled,
    CoreFailed,
    DeadlineExceeded,
    Denied,
    InvalidArgument,
    NotFound,
    ShuttingDown,
)
from aios.syscalls import (
    Cancel,
    Completion,
    Decoding,
    Generate,
    Kill,
    Message,
    Models,
    Pause,
    Resume,
    Stream,
    Tokenize,
)
from aios.telemetry import events
from aios.testing.script import Faults, Script
from tests.kernel.house import ask, house, lived, soon

LONG = Script(answer_tokens=(40, 40), lanes=2)


def test_a_call_gets_the_answer_of_its_core_with_usage_and_timing() -> None:
    async def main() -> None:
        async with house() as home:
            completion = await home.kernel.call(home.kernel.token, ask())
            assert completion.choices[0].token_ids == home.undisturbed(ask())
            assert completion.usage.prompt_tokens == 10
            assert completion.usage.completion_tokens == len(completion.choices[0].token_ids)
            assert completion.timing.total_s >= completion.timing.run_s > 0
            assert completion.exact

    lived(main)


def test_a_stream_delivers_every_token_once_and_last_the_completion() -> None:
    async def main() -> None:
        async with house() as home:
            call = Stream(generate=ask())
            items = [item async for item in home.kernel.stream(home.kernel.token, call)]
            completion = items.pop()
            assert isinstance(completion, Completion)
            text = "".join(item.text for item in items if not isinstance(item, Completion))
            assert text == completion.text

    lived(main)


def test_preempted_generations_equal_undisturbed_ones() -> None:
    async def main() -> None:
        async with house(Script(answer_tokens=(90, 200), lanes=2, kv_tokens=512)) as home:
            calls = [ask(count, tokens=200) for count in range(1, 9)]
            replies = await asyncio.gather(
                *(home.kernel.call(home.kernel.token, call) for call in calls)
            )
            for call, reply in zip(calls, replies, strict=True):
                assert reply.choices[0].token_ids == home.undisturbed(call)
            assert sum(reply.timing.switches for reply in replies) > 0

    lived(main)


def test_a_paused_process_waits_and_its_generation_goes_on_where_it_stopped() -> None:
    async def main() -> None:
        async with house(LONG) as home:
            agent = await home.spawn()
            call = asyncio.ensure_future(home.kernel.call(agent.token, ask()))
            await soon(lambda: any(isinstance(one, events.Started) for one in home.events))
            await home.kernel.call(home.kernel.token, Pause(pid=agent.pid))
            await asyncio.sleep(500)
            assert not call.done()
            await home.kernel.call(home.kernel.token, Resume(pid=agent.pid))
            completion = await call
            assert completion.choices[0].token_ids == home.undisturbed(ask())
            assert completion.timing.switches == 1

    lived(main)


def test_an_engine_crash_is_survived_by_running_and_waiting_generations() -> None:
    async def main() -> None:
        async with house(LONG) as home:
            calls = [ask(count) for count in range(1, 7)]
            work = [
                asyncio.ensure_future(home.kernel.call(home.kernel.token, call)) for call in calls
            ]
            await soon(lambda: any(isinstance(one, events.Started) for one in home.events))
            await asyncio.sleep(0.3)
            home.core.crash()
            for call, reply in zip(calls, await asyncio.gather(*work), strict=True):
                assert reply.choices[0].token_ids == home.undisturbed(call)
            assert any(isinstance(one, events.CoreDied) for one in home.events)

    lived(main)


def test_a_generation_that_kills_every_engine_is_given_up() -> None:
    async def main() -> None:
        limits = Limits(engine_crashes_max=2, drain_s=1.0)
        async with house(LONG, limits=limits, faults=Faults(crash=1.0)) as home:
            with pytest.raises(CoreFailed, match="died 3 times"):
                await home.kernel.call(home.kernel.token, ask())

    lived(main)


def test_a_damaged_snapshot_is_recomputed_and_the_reply_says_so() -> None:
    async def main() -> None:
        async with house(LONG, faults=Faults(damage=1.0)) as home:
            agent = await home.spawn()
            call = asyncio.ensure_future(home.kernel.call(agent.token, ask()))
            await soon(lambda: any(isinstance(one, events.Started) for one in home.events))
            await home.kernel.call(home.kernel.token, Pause(pid=agent.pid))
            await home.kernel.call(home.kernel.token, Resume(pid=agent.pid))
            completion = await call
            assert completion.choices[0].token_ids == home.undisturbed(ask())
            assert completion.recomputed
            assert not completion.exact

    lived(main)


def test_a_caller_that_goes_away_frees_its_lane() -> None:
    async def main() -> None:
        async with house(LONG, policy="fifo") as home:
            work = [
                asyncio.ensure_future(home.kernel.call(home.kernel.token, ask(count)))
                for count in (1, 2, 3)
            ]
            await asyncio.sleep(0.1)
            began = asyncio.get_running_loop().time()
            work[0].cancel()
            starts = [one for one in home.events if isinstance(one, events.Started)]
            await soon(lambda: len([e for e in home.events if isinstance(e, events.Started)]) == 3)
            assert len(starts) == 2
            assert asyncio.get_running_loop().time() - began < 0.2
            await asyncio.wait(work)

    lived(main)


def test_a_reader_that_leaves_its_stream_cancels_the_generation() -> None:
    async def main() -> None:
        async with house(LONG) as home:
            stream = home.kernel.stream(home.kernel.token, Stream(generate=ask()))
            async for _ in stream:
                break
            await stream.aclose()  # type: ignore[attr-defined]
            assert home.kernel.gate.live == 0
            assert home.events[-1].outcome == "cancelled"  # type: ignore[attr-defined]

    lived(main)


def test_cancel_ends_a_call_by_its_name() -> None:
    async def main() -> None:
        async with house(LONG) as home:
            call = asyncio.ensure_future(home.kernel.call(home.kernel.token, ask(call_id="trip")))
            await asyncio.sleep(0.1)
            await home.kernel.call(home.kernel.token, Cancel(call_id="trip"))
            with pytest.raises(Cancelled):
                await call
            with pytest.raises(NotFound, match="trip"):
                await home.kernel.call(home.kernel.token, Cancel(call_id="trip"))

    lived(main)


def test_nobody_cancels_another_process_s_call() -> None:
    async def main() -> None:
        async with house(LONG) as home:
            agent = await home.spawn()
            call = asyncio.ensure_future(home.kernel.call(home.kernel.token, ask(call_id="trip")))
            await asyncio.sleep(0.1)
            with pytest.raises(NotFound):
                await home.kernel.call(agent.token, Cancel(call_id="trip"))
            assert (await call).choices

    lived(main)


def test_a_deadline_ends_a_call_and_leaves_the_others_alone() -> None:
    async def main() -> None:
        async with house(LONG) as home:
            other = asyncio.ensure_future(home.kernel.call(home.kernel.token, ask(3)))
            with pytest.raises(DeadlineExceeded, match="within"):
                await home.kernel.call(home.kernel.token, ask(deadline_s=0.2))
            assert (await other).choices[0].token_ids == home.undisturbed(ask(3))

    lived(main)


def test_bounds_answer_busy_instead_of_queueing_without_end() -> None:
    async def main() -> None:
        limits = Limits(calls_per_process_max=2, calls_max=3, drain_s=1.0)
        async with house(LONG, limits=limits) as home:
            agent = await home.spawn()
            mine = [asyncio.ensure_future(home.kernel.call(agent.token, ask(n))) for n in (1, 2)]
            await asyncio.sleep(0.01)
            with pytest.raises(Busy, match="2 calls open"):
                await home.kernel.call(agent.token, ask())
            init = asyncio.ensure_future(home.kernel.call(home.kernel.token, ask(3)))
            await asyncio.sleep(0.01)
            with pytest.raises(Busy, match="3 calls are open"):
                await home.kernel.call(home.kernel.token, ask(4))
            await asyncio.gather(*mine, init)

    lived(main)


@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (lambda: Generate(prompt="hi", model="gpt-9"), NotFound, "scripted"),
        (lambda: Generate(prompt=" "), InvalidArgument, "at least one word"),
        (lambda: ask(5_000), InvalidArgument, "4096"),
        (lambda: ask(10, tokens=4_090), InvalidArgument, "at most 4086"),
        (lambda: Generate(prompt="hi", decoding=Decoding(max_tokens=0)), InvalidArgument, ">= 1"),
        (lambda: Generate(prompt="hi", decoding=Decoding(max_tokens=-1)), InvalidArgument, ">= 1"),
        (
            lambda: Generate(prompt="hi", decoding=Decoding(max_tokens=True)),
            InvalidArgument,
            "bool",
        ),
        (lambda: Generate(prompt="hi", decoding=Decoding(max_tokens=10**9)), InvalidArgument, "<="),
        (
            lambda: Generate(prompt="hi", messages=(Message("user", "hi"),)),
            InvalidArgument,
            "one of",
        ),
        (lambda: Decoding(temperature=float("nan")), InvalidArgument, "finite"),
        (lambda: Decoding(tool_choice="rocket"), InvalidArgument, "unknown tool"),
        (lambda: Tokenize(), InvalidArgument, "exactly one"),
    ],
)
def test_bad_input_gets_a_typed_error_and_harms_nobody(call, error, says) -> None:  # type: ignore[no-untyped-def]
    async def main() -> None:
        async with house() as home:
            other = asyncio.ensure_future(home.kernel.call(home.kernel.token, ask(3)))
            with pytest.raises(error, match=says):
                await home.kernel.call(home.kernel.token, call())
            assert (await other).choices[0].token_ids == home.undisturbed(ask(3))

    lived(main)


def test_a_generation_that_can_never_fit_is_refused_with_the_room_there_is() -> None:
    async def main() -> None:
        async with house(Script(kv_tokens=128, context_tokens=4_096)) as home:
            with pytest.raises(InvalidArgument, match="the core has 128"):
                await home.kernel.call(home.kernel.token, ask(60, tokens=100))

    lived(main)


def test_without_max_tokens_the_answer_may_fill_what_room_there_is() -> None:
    async def main() -> None:
        async with house(Script(kv_tokens=256, answer_tokens=(500, 500))) as home:
            call = Generate(prompt="one two three", decoding=Decoding(seed=1))
            reply = await home.kernel.call(home.kernel.token, call)
            assert reply.choices[0].finish_reason == "length"
            assert 100 < reply.usage.completion_tokens < 256

    lived(main)


def test_a_wish_that_may_be_shortened_takes_the_room_there_is() -> None:
    async def main() -> None:
        async with house(Script(kv_tokens=256, answer_tokens=(500, 500))) as home:
            reply = await home.kernel.call(home.kernel.token, ask(tokens=400, shorten=True))
            assert reply.choices[0].finish_reason == "length"
            assert 100 < reply.usage.completion_tokens < 256
            brief = await home.kernel.call(home.kernel.token, ask(tokens=20, shorten=True))
            assert brief.usage.completion_tokens == 20

    lived(main)


def test_an_unknown_token_is_denied() -> None:
    async def main() -> None:
        async with house() as home:
            with pytest.raises(Denied, match="unknown token"):
                await home.kernel.call("nobody", ask())

    lived(main)


def test_a_call_id_names_one_live_call() -> None:
    async def main() -> None:
        async with house(LONG) as home:
            first = asyncio.ensure_future(home.kernel.call(home.kernel.token, ask(call_id="a")))
            await asyncio.sleep(0.05)
            with pytest.raises(InvalidArgument, match="live generation already"):
                await home.kernel.call(home.kernel.token, ask(call_id="a"))
            await first

    lived(main)


def test_models_and_tokenize_tell_what_the_core_has() -> None:
    async def main() -> None:
        async with house() as home:
            models = await home.kernel.call(home.kernel.token, Models())
            assert [one.name for one in models.models] == ["scripted"]
            tokens = await home.kernel.call(home.kernel.token, Tokenize(text="one two one"))
            assert tokens.token_ids[0] == tokens.token_ids[2] != tokens.token_ids[1]

    lived(main)


def test_when_the_engine_is_gone_for_good_every_call_gets_an_error() -> None:
    async def main() -> None:
        async with house(LONG) as home:
            running = asyncio.ensure_future(home.kernel.call(home.kernel.token, ask()))
            await asyncio.sleep(0.1)
            home.core.crash("out of restarts", final=True)
            with pytest.raises(CoreFailed, match="out of restarts"):
                await running
            with pytest.raises(CoreFailed, match="out of restarts"):
                await home.kernel.call(home.kernel.token, ask())

    lived(main)


def test_calls_in_prepare_end_with_their_process_their_name_and_the_kernel() -> None:
    async def main() -> None:
        async with house(LONG) as home:
            stuck = asyncio.Event()

            async def never(call: object) -> tuple[int, ...]:
                await stuck.wait()
                return (1,)

            home.core.prepare = never  # type: ignore[method-assign]
            agent = await home.spawn()
            killed = asyncio.ensure_future(home.kernel.call(agent.token, ask()))
            named = asyncio.ensure_future(home.kernel.call(home.kernel.token, ask(call_id="a")))
            late = asyncio.ensure_future(home.kernel.call(home.kernel.token, ask(deadline_s=3.0)))
            left = asyncio.ensure_future(home.kernel.call(home.kernel.token, ask(2)))
            await asyncio.sleep(1)
            await home.kernel.call(home.kernel.token, Kill(pid=agent.pid))
            await home.kernel.call(home.kernel.token, Cancel(call_id="a"))
            for call, error in ((killed, Cancelled), (named, Cancelled), (late, DeadlineExceeded)):
                with pytest.raises(error):
                    await call
        with pytest.raises(ShuttingDown):
            await left

    lived(main)


def test_a_shutdown_that_is_cancelled_still_answers_and_ends() -> None:
    async def main() -> None:
        calls: list[asyncio.Task[Completion]] = []

        async def keeper() -> None:
            async with house(LONG, faults=Faults(hang=1.0, hang_s=1_000.0)) as home:
                calls.append(asyncio.ensure_future(home.kernel.call(home.kernel.token, ask())))
                await asyncio.sleep(0.1)

        task = asyncio.ensure_future(keeper())
        await asyncio.sleep(1)
        task.cancel()
        await asyncio.wait([task, *calls], timeout=5_000)
        assert task.cancelled()
        assert isinstance(calls[0].exception(), ShuttingDown)

    lived(main)


def test_a_pause_outlasts_the_default_deadline_but_not_one_that_was_asked_for() -> None:
    async def main() -> None:
        async with house(LONG, limits=Limits(deadline_s=10.0, drain_s=1.0)) as home:
            agent = await home.spawn()
            patient = asyncio.ensure_future(home.kernel.call(agent.token, ask()))
            await asyncio.sleep(0.1)
            await home.kernel.call(home.kernel.token, Pause(pid=agent.pid))
            with pytest.raises(DeadlineExceeded):
                await home.kernel.call(agent.token, ask(3, deadline_s=5.0))
            await asyncio.sleep(100)
            await home.kernel.call(home.kernel.token, Resume(pid=agent.pid))
            assert (await patient).choices[0].token_ids == home.undisturbed(ask())

    lived(main)


def test_what_is_no_syscall_is_refused() -> None:
    async def main() -> None:
        async with house() as home:
            with pytest.raises(InvalidArgument, match="expected a syscall, got str"):
                await home.kernel.call(home.kernel.token, "whoami")  # type: ignore[arg-type]

    lived(main)
