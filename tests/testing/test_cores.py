"""The scripted core: a core like any other, and the faults it plays."""

import asyncio
import random
from collections.abc import Callable, Coroutine, Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest

from aios.clock import LoopClock
from aios.context.snapshot import Tier
from aios.cores.base import (
    Advanced,
    Core,
    CoreEvent,
    Died,
    Failed,
    Finished,
    Generation,
    Progress,
    Ready,
    Suspended,
)
from aios.errors import InvalidArgument
from aios.syscalls.llm import Decoding, Generate, Message, ToolCall
from aios.testing import INSTANT, Faults, Script, ScriptedCore, ScriptedStore, run
from aios.testing.cores import Answer
from tests.cores.core_contract import CoreContract, Reader, decoding

SCRIPT = Script(answer_tokens=(64, 64))


class TestScriptedCore(CoreContract):
    def run(self, scenario: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self.store = ScriptedStore()
        run(lambda _: scenario())

    async def open_core(self) -> Core:
        return opened(replace(SCRIPT, embedding_width=3), store=self.store)

    def crash(self, core: Core) -> None:
        assert isinstance(core, ScriptedCore)
        core.crash()

    def snapshots(self) -> int:
        return self.store.kept


class TestInstantCore(TestScriptedCore):
    """Its answers are as long as those of the others, in steps of two tokens without latency."""

    async def open_core(self) -> Core:
        script = replace(INSTANT, answer_tokens=(64, 64), deltas=True, step_tokens=2)
        return opened(script, store=self.store)


def opened(
    script: Script = SCRIPT,
    *,
    store: ScriptedStore | None = None,
    seed: int = 1,
    faults: Faults | None = None,
    answer: Answer | None = None,
) -> ScriptedCore:
    return ScriptedCore(
        script,
        clock=LoopClock(),
        rng=random.Random(seed),
        store=store or ScriptedStore(),
        answer=answer,
        faults=faults or Faults(),
    )


def generation(name: str, prompt_tokens: int = 20, **options: Any) -> Generation:
    options.setdefault("seed", 7)
    return Generation(id=name, prompt=tuple(range(prompt_tokens)), decoding=Decoding(**options))


async def ready(core: ScriptedCore) -> Reader:
    reader = Reader(core)
    await reader.until(lambda: bool(reader.log))
    return reader


async def answer_to(core: ScriptedCore, call: Generate) -> Finished:
    reader = await ready(core)
    prompt = await core.prepare(call)
    core.start(Generation(id="a", prompt=prompt, decoding=call.decoding), Progress())
    await reader.until_ended("a")
    end = reader.of["a"].ends[0]
    assert isinstance(end, Finished)
    return end


def test_chosen_text_is_said_word_for_word_and_in_deltas() -> None:
    async def main(_: random.Random) -> None:
        text = "The  answer\nis 42,   as ever. "
        core = opened(answer=lambda call: text)
        reader = await ready(core)
        prompt = await core.prepare(Generate(prompt="What is it?"))
        core.start(Generation(id="a", prompt=prompt, decoding=Decoding(seed=1)), Progress())
        await reader.until_ended("a")
        (choice,) = reader.of["a"].choices
        assert choice.message == Message("assistant", text)
        assert choice.finish_reason == "stop"
        assert reader.of["a"].texts == [text]

    run(main)


def test_messages_are_played_in_turn_with_their_tool_calls() -> None:
    async def main(_: random.Random) -> None:
        wish = Message("assistant", None, (ToolCall("1", "clock", '{"zone": "UTC"}'),))
        turns: Iterator[Message | str] = iter([wish, "It is noon."])
        core = opened(answer=lambda call: next(turns))
        asked = (Message("user", "What time is it?"),)
        first = await answer_to(core, Generate(messages=asked))
        assert first.choices[0].message == wish
        assert first.choices[0].finish_reason == "tool_calls"
        assert len(first.choices[0].token_ids) == 3
        told = (*asked, wish, Message("tool", "12:00", tool_call_id="1"))
        second = await answer_to(core, Generate(messages=told))
        assert second.choices[0].message.content == "It is noon."

    run(main)


def test_a_stop_string_ends_the_answer_before_it() -> None:
    async def main(_: random.Random) -> None:
        core = opened(answer=lambda call: "one two three four")
        call = Generate(prompt="count", decoding=Decoding(stop=("ee f", "four")))
        end = await answer_to(core, call)
        assert end.choices[0].message.content == "one two thr"
        assert end.choices[0].finish_reason == "stop"
        assert len(end.choices[0].token_ids) == 4

    run(main)


def test_different_seeds_and_prompts_give_different_answers() -> None:
    async def main(_: random.Random) -> None:
        answers = set()
        for prompt in ("one", "two"):
            for seed in range(50):
                call = Generate(prompt=prompt, decoding=decoding(seed))
                answers.add((await answer_to(opened(), call)).choices[0].token_ids)
        assert len(answers) == 100

    run(main)


def test_the_step_and_prefill_rates_set_the_time() -> None:
    async def main(_: random.Random) -> None:
        script = replace(SCRIPT, step_s=0.1, prefill_per_s=100.0, prefill_chunk=50)
        core = opened(script)
        reader = await ready(core)
        core.start(generation("a", 200, max_tokens=10), Progress())
        await reader.until_ended("a")
        # 2 s of prefill, whose last step gives the first token, and nine steps more.
        assert asyncio.get_running_loop().time() == pytest.approx(2.0 + 0.9)

    run(main)


def test_generations_share_steps_instead_of_queueing() -> None:
    async def main(_: random.Random) -> None:
        core = opened(replace(SCRIPT, step_s=0.1, prefill_per_s=1e9))
        reader = await ready(core)
        for number in range(8):
            core.start(generation(f"g{number}", max_tokens=11), Progress())
        await reader.until_ended(*(f"g{number}" for number in range(8)))
        assert asyncio.get_running_loop().time() == pytest.approx(1.0, abs=0.01)

    run(main)


def test_when_kv_runs_out_the_last_started_goes_and_loses_nothing() -> None:
    async def main(_: random.Random) -> None:
        core = opened(replace(SCRIPT, kv_tokens=128, context_tokens=128))
        reader = await ready(core)
        core.start(generation("old", 20), Progress())
        core.start(generation("new", 20), Progress())
        await reader.until(lambda: bool(reader.followed("new").stops))
        (stop,) = reader.of["new"].stops
        assert (stop.asked, stop.snapshot.tier) == (False, Tier.RAM)
        await reader.until_ended("old")
        core.start(generation("new", 20), reader.of["new"].progress(stop.snapshot))
        await reader.until_ended("new")
        assert reader.of["new"].choices[0].token_ids == tuple(reader.of["new"].produced[0])

    run(main)


def test_whoever_rests_on_the_device_goes_before_anyone_who_runs() -> None:
    async def main(_: random.Random) -> None:
        core = opened(replace(SCRIPT, kv_tokens=128, context_tokens=128))
        reader = await ready(core)
        core.start(generation("resting", 40), Progress())
        await reader.until_produced("resting", 1)
        await reader.stop("resting", Tier.DEVICE)
        core.start(generation("running", 40), Progress())
        await reader.until_ended("running")
        assert [stop.asked for stop in reader.of["resting"].stops] == [True, False]
        assert reader.of["running"].stops == []

    run(main)


def test_a_generation_too_large_for_the_whole_core_fails() -> None:
    async def main(_: random.Random) -> None:
        core = opened(replace(SCRIPT, kv_tokens=64, context_tokens=1_000))
        reader = await ready(core)
        core.start(generation("a", 100), Progress())
        await reader.until_ended("a")
        (end,) = reader.of["a"].ends
        assert isinstance(end, Failed)
        assert end.code == "core_failed"

    run(main)


def test_a_crash_takes_the_device_but_not_the_snapshots() -> None:
    async def main(_: random.Random) -> None:
        store = ScriptedStore()
        core = opened(store=store)
        reader = await ready(core)
        for name in ("running", "resting", "saved"):
            core.start(generation(name), Progress())
            await reader.until_produced(name, 5)
        await reader.stop("resting", Tier.DEVICE)
        saved = await reader.stop("saved", Tier.DISK)
        core.crash("power")
        await reader.until(lambda: reader.log[-1] == Ready())
        assert reader.log[-2] == Died(reason="power")
        core.start(generation("running"), reader.of["running"].progress(None))
        core.start(generation("saved"), reader.of["saved"].progress(saved.snapshot))
        await reader.until_ended("running", "saved")
        ends = {end.id: end for name in ("running", "saved") for end in reader.of[name].ends}
        running, kept = ends["running"], ends["saved"]
        assert isinstance(running, Finished)
        assert running.recomputed
        assert isinstance(kept, Finished)
        assert not kept.recomputed
        for name in ("running", "saved"):
            assert tuple(reader.of[name].produced[0]) == reader.of[name].choices[0].token_ids
        assert store.kept == 0

    run(main)


@pytest.mark.parametrize("harm", ["damaged", "missing", "foreign"])
def test_an_unusable_snapshot_is_recomputed_and_said_so(harm: str) -> None:
    async def main(_: random.Random) -> None:
        store = ScriptedStore()
        core = opened(store=store, faults=Faults(damage=float(harm == "damaged")))
        reader = await ready(core)
        core.start(generation("a"), Progress())
        await reader.until_produced("a", 5)
        snapshot = (await reader.stop("a", Tier.RAM)).snapshot
        told = reader.of["a"]
        if harm == "missing":
            store.remove(snapshot)
        if harm == "foreign":
            core = opened(replace(SCRIPT, fingerprint="another"), store=store)
            reader = await ready(core)
        core.start(generation("a"), told.progress(snapshot))
        await reader.until_ended("a")
        (end,) = reader.of["a"].ends
        assert isinstance(end, Finished)
        assert end.recomputed
        assert reader.of["a"].prefilled >= 20 + 5

    run(main)


def test_chances_strike() -> None:
    async def main(_: random.Random) -> None:
        failing = await ready(opened(faults=Faults(fail=1.0)))
        failing.core.start(generation("a"), Progress())
        await failing.until_ended("a")
        assert isinstance(failing.of["a"].ends[0], Failed)

        crashing = await ready(opened(faults=Faults(crash=1.0, restart_s=9.0)))
        crashing.core.start(generation("a"), Progress())
        await crashing.until(lambda: crashing.log[-1] == Ready() and len(crashing.log) > 1)
        assert Died(reason="scripted crash") in crashing.log
        assert asyncio.get_running_loop().time() > 9.0

        hanging = await ready(opened(faults=Faults(hang=1.0, hang_s=200.0)))
        hanging.core.start(generation("a", max_tokens=2), Progress())
        await hanging.until_ended("a")
        assert asyncio.get_running_loop().time() > 400.0

        with pytest.raises(InvalidArgument, match="refuses"):
            await opened(faults=Faults(refuse=1.0)).prepare(Generate(prompt="please"))

    run(main)


@pytest.mark.parametrize(
    "wish",
    [
        Decoding(beams=None, logprobs=3),
        Decoding(n=9),
        Decoding(schema={"type": "object"}),
    ],
)
def test_what_it_cannot_do_it_refuses(wish: Decoding) -> None:
    async def main(_: random.Random) -> None:
        with pytest.raises(InvalidArgument):
            await opened().prepare(Generate(prompt="please", decoding=wish))
        with pytest.raises(InvalidArgument):
            await opened().prepare(Generate(prompt=" "))

    run(main)


def stormy(seed: int) -> list[CoreEvent]:
    """Everything that a core under many faults tells a reader that simply starts all again."""

    async def main(_: random.Random) -> list[CoreEvent]:
        chances = Faults(
            fail=0.01, suspend=0.05, damage=0.3, slow=0.1, hang=0.01, crash=0.02, restart_s=1.0
        )
        core = opened(seed=seed, faults=chances)
        reader = await ready(core)
        wanted = {f"g{number}": generation(f"g{number}", seed=number) for number in range(8)}
        for one in wanted.values():
            core.start(one, Progress())
        seen = 1
        while any(not reader.followed(name).ends for name in wanted):
            await reader.until(lambda n=seen: len(reader.log) > n)  # type: ignore[misc]
            fresh, seen = reader.log[seen:], len(reader.log)
            for name in again(fresh, wanted, reader):
                stops = reader.of[name].stops
                snapshot = stops[-1].snapshot if stops else None
                core.start(wanted[name], reader.followed(name).progress(snapshot))
        for name in wanted:
            (end,) = reader.of[name].ends
            if isinstance(end, Finished):
                assert tuple(reader.of[name].produced[0]) == end.choices[0].token_ids
        return reader.log

    return run(main, seed=seed)


def again(
    fresh: Sequence[CoreEvent], wanted: dict[str, Generation], reader: Reader
) -> Sequence[str]:
    """Who must be started again after these events."""
    if Ready() in fresh:
        return [name for name in wanted if not reader.followed(name).ends]
    if any(isinstance(event, Died) for event in fresh):
        return []
    return [event.id for event in fresh if isinstance(event, Suspended)]


def test_the_same_seed_gives_the_same_events_whatever_goes_wrong() -> None:
    logs = [stormy(seed) for seed in range(20)]
    assert logs == [stormy(seed) for seed in range(20)]
    kinds = {type(event) for log in logs for event in log}
    assert kinds == {Advanced, Finished, Suspended, Failed, Died, Ready}
    assert any(isinstance(event, Finished) and event.recomputed for log in logs for event in log)
