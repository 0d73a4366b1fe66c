"""What the kernel may rely on from any core. A subclass says how one is opened, and inherits all.

Every scenario runs in `self.run`, so a core that needs real time gets it. `open_core` may be called
several times in a scenario: the cores it gives share whatever tiers lie outside an engine.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest

from aios.context.snapshot import SnapshotRef, Tier
from aios.cores.base import (
    NOWHERE,
    Advanced,
    Core,
    CoreEvent,
    Exactness,
    Failed,
    Finished,
    Generation,
    Progress,
    Ready,
    Suspended,
)
from aios.errors import InvalidArgument
from aios.syscalls.llm import Choice, Decoding, Generate, Message, Tokenize

LONG = 48  # tokens of an answer: enough to be stopped in its middle many times
NO_END = {1: -100.0}  # where token 1 ends an answer, it does not: the length does


@dataclass
class Followed:
    """What the events so far say about one generation."""

    produced: list[list[int]] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    prefilled: int = 0
    counted: int = 0  # tokens according to `Advanced.produced`
    stops: list[Suspended] = field(default_factory=list)
    ends: list[Finished | Failed] = field(default_factory=list)

    def progress(self, snapshot: SnapshotRef | None) -> Progress:
        return Progress(snapshot=snapshot, produced=tuple(map(tuple, self.produced)))

    @property
    def choices(self) -> tuple[Choice, ...]:
        assert [type(end) for end in self.ends] == [Finished], self.ends
        end = self.ends[0]
        assert isinstance(end, Finished)
        return end.choices


class Reader:
    """The one reader of a core's events; remembers them all."""

    def __init__(self, core: Core) -> None:
        self.core = core
        self.log: list[CoreEvent] = []
        self.of: dict[str, Followed] = {}
        self._events = core.events()

    async def until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(600):
            while not holds():
                for event in await anext(self._events):
                    self._note(event)

    async def until_ended(self, *ids: str) -> None:
        await self.until(lambda: all(self.followed(one).ends for one in ids))

    async def until_produced(self, generation: str, tokens: int) -> None:
        """At least `tokens` on the first branch, or the end."""
        followed = self.followed(generation)
        await self.until(
            lambda: (
                bool(followed.ends)
                or (bool(followed.produced) and len(followed.produced[0]) >= tokens)
            )
        )

    async def stop(
        self, generation: str, to: Tier, snapshot: SnapshotRef | None = None
    ) -> Suspended:
        stops = self.followed(generation).stops
        before = len(stops)
        self.core.stop(generation, to, snapshot)
        await self.until(lambda: len(stops) > before)
        assert len(stops) == before + 1
        assert stops[-1].asked
        return stops[-1]

    async def all_done(self) -> None:
        """Until the orders given so far are carried out, and what came of them is told."""
        await self.stop("somebody behind all others", Tier.DEVICE)

    def followed(self, generation: str) -> Followed:
        return self.of.setdefault(generation, Followed())

    def _note(self, event: CoreEvent) -> None:
        self.log.append(event)
        if isinstance(event, Advanced):
            self._note_progress(event)
        elif isinstance(event, Suspended):
            self.followed(event.id).stops.append(event)
        elif isinstance(event, Finished | Failed):
            self.followed(event.id).ends.append(event)

    def _note_progress(self, event: Advanced) -> None:
        followed = self.followed(event.id)
        assert not followed.ends, "nothing follows an end"
        assert event.kv_tokens % self.core.traits.block_tokens == 0
        followed.prefilled += event.prefilled
        followed.counted += event.produced
        for delta in event.deltas:
            while len(followed.produced) <= delta.index:
                followed.produced.append([])
                followed.texts.append("")
            followed.produced[delta.index] += delta.token_ids
            followed.texts[delta.index] += delta.text


def decoding(seed: int = 7, *, n: int = 1, tokens: int = LONG) -> Decoding:
    return Decoding(max_tokens=tokens, temperature=1.0, seed=seed, n=n, logit_bias=NO_END)


class CoreContract:
    """Subclass this as `Test...` next to a core's own tests."""

    prompt_text = "Once upon a time there was a kernel that never forgot a word of what it heard"

    def run(self, scenario: Callable[[], Coroutine[Any, Any, None]]) -> None:
        asyncio.run(scenario())

    async def open_core(self) -> Core:
        raise NotImplementedError

    def crash(self, core: Core) -> None:
        """Let the engine die, now or at the next token boundary; another one follows."""
        raise NotImplementedError

    def snapshots(self) -> int:
        """How many there are in RAM and DISK."""
        raise NotImplementedError

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[Reader]:
        core = await self.open_core()
        reader = Reader(core)
        try:
            await reader.until(lambda: any(isinstance(event, Ready) for event in reader.log))
            yield reader
        finally:
            await core.close()

    async def generation(self, core: Core, name: str, wish: Decoding) -> Generation:
        prompt = await core.prepare(Generate(prompt=self.prompt_text, decoding=wish))
        return Generation(id=name, prompt=prompt, decoding=wish)

    async def alone(self, wish: Decoding) -> tuple[Choice, ...]:
        """The answer with nobody else in the batch and no interruption."""
        async with self.opened() as reader:
            reader.core.start(await self.generation(reader.core, "alone", wish), Progress())
            await reader.until_ended("alone")
            return reader.of["alone"].choices

    def tiers(self, core: Core) -> Sequence[Tier]:
        return list(Tier) if core.traits.kv_export else [Tier.DEVICE]

    # --- vectors ---

    def test_a_text_has_one_vector_in_any_company_or_is_refused_by_a_core_that_has_none(
        self,
    ) -> None:
        async def scenario() -> None:
            async with self.opened() as reader:
                core, text = reader.core, self.prompt_text
                if not core.traits.embedding_width:
                    with pytest.raises(InvalidArgument, match="embeds texts"):
                        await core.embed(text)
                    return
                alone = await core.embed(text)
                core.start(await self.generation(core, "crowd", decoding(n=3)), Progress())
                await reader.until_produced("crowd", 1)
                beside = await asyncio.gather(*map(core.embed, ("another", text, "long " * 400)))
                await reader.until_ended("crowd")

                assert len(alone) == core.traits.embedding_width
                assert beside[1] == alone != beside[0]
                assert await core.embed(text) == alone

        self.run(scenario)

    # --- one generation ---

    def test_the_first_event_says_that_the_core_is_ready(self) -> None:
        async def scenario() -> None:
            async with self.opened() as reader:
                assert reader.log == [Ready()]

        self.run(scenario)

    def test_a_generation_ends_once_and_its_deltas_add_up_to_the_answer(self) -> None:
        async def scenario() -> None:
            async with self.opened() as reader:
                generation = await self.generation(reader.core, "a", decoding())
                reader.core.start(generation, Progress())
                await reader.until_ended("a")
                seen = reader.of["a"]
                (choice,) = seen.choices
                assert tuple(seen.produced[0]) == choice.token_ids
                assert seen.texts[0] == (choice.message.content or "")
                assert seen.counted == len(choice.token_ids) <= LONG
                assert 0 < seen.prefilled <= len(generation.prompt)

        self.run(scenario)

    def test_an_answer_longer_than_allowed_ends_by_length(self) -> None:
        async def scenario() -> None:
            (choice,) = await self.alone(decoding(tokens=3))
            assert choice.finish_reason == "length"
            assert len(choice.token_ids) == 3

        self.run(scenario)

    def test_each_branch_gets_its_own_answer(self) -> None:
        async def scenario() -> None:
            async with self.opened() as reader:
                generation = await self.generation(reader.core, "a", decoding(n=2))
                reader.core.start(generation, Progress())
                await reader.until_ended("a")
                seen = reader.of["a"]
                assert [choice.index for choice in seen.choices] == [0, 1]
                assert seen.choices[0].token_ids != seen.choices[1].token_ids
                assert [tuple(one) for one in seen.produced] == [
                    choice.token_ids for choice in seen.choices
                ]

        self.run(scenario)

    def test_the_answer_is_the_same_in_any_company(self) -> None:
        async def scenario() -> None:
            expected = await self.alone(decoding())
            async with self.opened() as reader:
                names = [f"g{i}" for i in range(min(4, reader.core.traits.lanes))]
                for seed, name in enumerate(names, start=7):
                    wish = decoding(seed)
                    reader.core.start(await self.generation(reader.core, name, wish), Progress())
                await reader.until_ended(*names)
                assert self.as_promised(reader.core, reader.of["g0"].choices, expected)

        self.run(scenario)

    # --- stop and go on ---

    @pytest.mark.parametrize("tier", list(Tier))
    @pytest.mark.parametrize("branches", [1, 2])
    def test_a_resumed_generation_equals_the_uninterrupted_one(
        self, tier: Tier, branches: int
    ) -> None:
        async def scenario() -> None:
            wish = decoding(n=branches)
            expected = await self.alone(wish)
            async with self.opened() as reader:
                if tier not in self.tiers(reader.core):
                    return
                seen = await self.switched(reader, wish, tier)
                assert len(seen.stops) >= 2
                assert {stop.snapshot.tier for stop in seen.stops} == {tier}
                assert self.as_promised(reader.core, seen.choices, expected)
                assert [tuple(one) for one in seen.produced] == [
                    choice.token_ids for choice in seen.choices
                ]

        self.run(scenario)

    async def switched(self, reader: Reader, wish: Decoding, tier: Tier) -> Followed:
        """Run a generation to its end, with a stop after every few tokens."""
        generation = await self.generation(reader.core, "a", wish)
        seen, snapshot, mark = reader.followed("a"), None, 0
        while not seen.ends:
            reader.core.start(generation, seen.progress(snapshot))
            mark += 5
            await reader.until_produced("a", mark)
            if not seen.ends:
                before = len(seen.stops)
                reader.core.stop("a", tier, None)
                await reader.until(lambda n=before: bool(seen.ends) or len(seen.stops) > n)  # type: ignore[misc]
                snapshot = seen.stops[-1].snapshot
                mark = max(mark, len(seen.produced[0]))
        return seen

    def test_without_its_snapshot_a_generation_is_recomputed_from_its_tokens(self) -> None:
        async def scenario() -> None:
            expected = await self.alone(decoding())
            async with self.opened() as first:
                generation = await self.generation(first.core, "a", decoding())
                first.core.start(generation, Progress())
                await first.until_produced("a", 5)
                told = first.of["a"]
                assert not told.ends
            async with self.opened() as second:
                second.core.start(generation, told.progress(None))
                await second.until_ended("a")
                rest = second.of["a"]
                assert self.as_promised(second.core, rest.choices, expected)
                joined = told.produced[0] + (rest.produced[0] if rest.produced else [])
                assert tuple(joined) == rest.choices[0].token_ids

        self.run(scenario)

    @pytest.mark.parametrize("tier", [Tier.RAM, Tier.DISK])
    def test_a_snapshot_outlives_its_engine(self, tier: Tier) -> None:
        async def scenario() -> None:
            expected = await self.alone(decoding())
            async with self.opened() as first:
                if tier not in self.tiers(first.core):
                    return
                generation = await self.generation(first.core, "a", decoding())
                first.core.start(generation, Progress())
                await first.until_produced("a", 5)
                told = first.of["a"]
                snapshot = (await first.stop("a", tier)).snapshot
            async with self.opened() as second:
                second.core.start(generation, told.progress(snapshot))
                await second.until_ended("a")
                rest = second.of["a"]
                assert self.as_promised(second.core, rest.choices, expected)
                assert tuple(told.produced[0] + rest.produced[0]) == rest.choices[0].token_ids
                assert rest.ends == [Finished(id="a", choices=rest.choices)]
                assert rest.prefilled == 0

        self.run(scenario)

    def test_tokens_delivered_after_a_snapshot_are_not_delivered_again(self) -> None:
        async def scenario() -> None:
            expected = await self.alone(decoding())
            async with self.opened() as first:
                if Tier.RAM not in self.tiers(first.core):
                    return
                generation = await self.generation(first.core, "a", decoding())
                first.core.start(generation, Progress())
                await first.until_produced("a", 5)
                told = first.of["a"]
                snapshot = (await first.stop("a", Tier.RAM)).snapshot
                first.core.start(generation, told.progress(snapshot))
                await first.until_produced("a", len(told.produced[0]) + 5)
                assert not told.ends
            async with self.opened() as second:
                second.core.start(generation, told.progress(snapshot))
                await second.until_ended("a")
                rest = second.of["a"]
                joined = told.produced[0] + (rest.produced[0] if rest.produced else [])
                assert tuple(joined) == rest.choices[0].token_ids
                assert self.as_promised(second.core, rest.choices, expected)

        self.run(scenario)

    def test_a_generation_stopped_before_its_first_token_still_runs_whole(self) -> None:
        async def scenario() -> None:
            expected = await self.alone(decoding())
            async with self.opened() as reader:
                generation = await self.generation(reader.core, "a", decoding())
                reader.core.start(generation, Progress())
                stop = await reader.stop("a", self.tiers(reader.core)[-1])
                reader.core.start(generation, reader.of["a"].progress(stop.snapshot))
                await reader.until_ended("a")
                assert self.as_promised(reader.core, reader.of["a"].choices, expected)

        self.run(scenario)

    def test_one_that_rests_on_the_device_can_be_moved_to_ram(self) -> None:
        async def scenario() -> None:
            expected = await self.alone(decoding())
            async with self.opened() as reader:
                if Tier.RAM not in self.tiers(reader.core):
                    return
                generation = await self.generation(reader.core, "a", decoding())
                reader.core.start(generation, Progress())
                await reader.until_produced("a", 5)
                await reader.stop("a", Tier.DEVICE)
                moved = await reader.stop("a", Tier.RAM)
                assert moved.snapshot.tier is Tier.RAM
                reader.core.start(generation, reader.of["a"].progress(moved.snapshot))
                await reader.until_ended("a")
                assert self.as_promised(reader.core, reader.of["a"].choices, expected)

        self.run(scenario)

    async def crashed(self, reader: Reader) -> None:
        """A new engine serves in the place of the old one."""
        before = reader.log.count(Ready())
        self.crash(reader.core)
        await reader.until(lambda: reader.log.count(Ready()) > before)

    async def saved(self, reader: Reader, tier: Tier) -> tuple[Generation, SnapshotRef]:
        """A generation stopped in its middle."""
        generation = await self.generation(reader.core, "a", decoding())
        reader.core.start(generation, Progress())
        await reader.until_produced("a", 5)
        return generation, (await reader.stop("a", tier)).snapshot

    @pytest.mark.parametrize("before", [Tier.RAM, Tier.DISK])
    @pytest.mark.parametrize("to", list(Tier))
    def test_after_a_crash_a_stop_moves_the_snapshot_that_it_names(
        self, before: Tier, to: Tier
    ) -> None:
        async def scenario() -> None:
            expected = await self.alone(decoding())
            async with self.opened() as reader:
                if before not in self.tiers(reader.core):
                    return
                generation, snapshot = await self.saved(reader, before)
                await self.crashed(reader)
                moved = (await reader.stop("a", to, snapshot)).snapshot
                assert moved.tier is (before if to is Tier.DEVICE else to)
                assert self.snapshots() == 1
                reader.core.start(generation, reader.of["a"].progress(moved))
                await reader.until_ended("a")
                assert reader.of["a"].ends == [Finished(id="a", choices=reader.of["a"].choices)]
                assert self.as_promised(reader.core, reader.of["a"].choices, expected)
                await reader.all_done()
                assert self.snapshots() == 0

        self.run(scenario)

    def test_after_a_crash_a_stop_without_a_snapshot_is_answered_too(self) -> None:
        async def scenario() -> None:
            async with self.opened() as reader:
                reader.core.start(await self.generation(reader.core, "a", decoding()), Progress())
                await reader.until_produced("a", 5)
                await self.crashed(reader)
                for tier in Tier:
                    for known in (None, NOWHERE):
                        assert (await reader.stop("a", tier, known)).snapshot == NOWHERE

        self.run(scenario)

    def test_a_stop_that_names_a_snapshot_that_is_gone_is_answered(self) -> None:
        async def scenario() -> None:
            async with self.opened() as reader:
                if Tier.RAM not in self.tiers(reader.core):
                    return
                _, snapshot = await self.saved(reader, Tier.RAM)
                reader.core.drop("a", snapshot)
                for tier in Tier:
                    await reader.stop("a", tier, snapshot)
                assert self.snapshots() == 0

        self.run(scenario)

    def test_every_stop_is_answered_once_also_of_one_that_is_off_already(self) -> None:
        async def scenario() -> None:
            async with self.opened() as reader:
                generation = await self.generation(reader.core, "a", decoding())
                reader.core.start(generation, Progress())
                await reader.until_produced("a", 2)
                tier = self.tiers(reader.core)[-1]
                await reader.stop("a", tier)
                again = await reader.stop("a", tier)
                assert again.snapshot.tier is tier

        self.run(scenario)

    @pytest.mark.parametrize("tier", list(Tier))
    def test_a_stop_of_one_that_ended_or_never_was_is_answered(self, tier: Tier) -> None:
        async def scenario() -> None:
            async with self.opened() as reader:
                reader.core.start(await self.generation(reader.core, "a", decoding()), Progress())
                await reader.until_ended("a")
                for name in ("a", "nobody"):
                    assert (await reader.stop(name, tier)).snapshot == NOWHERE

        self.run(scenario)

    def test_stops_given_at_once_are_each_answered(self) -> None:
        async def scenario() -> None:
            async with self.opened() as reader:
                reader.core.start(await self.generation(reader.core, "a", decoding()), Progress())
                tiers = [*self.tiers(reader.core)] * 3
                for tier in tiers:
                    reader.core.stop("a", tier, None)
                await reader.all_done()
                assert [stop.asked for stop in reader.of["a"].stops] == [True] * len(tiers)
                assert self.snapshots() <= 1
                reader.core.drop("a", None)
                await reader.all_done()
                assert self.snapshots() == 0

        self.run(scenario)

    # --- drop ---

    @pytest.mark.parametrize("state", ["ordered", "running", "resting", "saved", "ended"])
    def test_nothing_follows_a_drop_and_its_lanes_are_free(self, state: str) -> None:
        async def scenario() -> None:
            async with self.opened() as reader:
                core, lanes = reader.core, reader.core.traits.lanes
                core.start(await self.generation(core, "a", decoding(n=lanes)), Progress())
                await self.brought_to(reader, "a", state)
                core.drop("a", None)
                await reader.all_done()
                events = len(reader.log)
                assert self.snapshots() == 0
                core.start(await self.generation(core, "b", decoding(n=lanes)), Progress())
                await reader.until_ended("b")
                later = [one for one in reader.log[events:] if getattr(one, "id", "b") != "b"]
                assert later == []
                assert len(reader.of["b"].choices) == lanes

        self.run(scenario)

    async def brought_to(self, reader: Reader, name: str, state: str) -> None:
        if state == "ended":
            await reader.until_ended(name)
        elif state != "ordered":
            await reader.until_produced(name, 2)
            if state == "resting":
                await reader.stop(name, Tier.DEVICE)
            elif state == "saved":
                await reader.stop(name, self.tiers(reader.core)[-1])

    @pytest.mark.parametrize("tier", [Tier.RAM, Tier.DISK])
    def test_after_a_crash_a_drop_removes_the_snapshot_that_it_names(self, tier: Tier) -> None:
        async def scenario() -> None:
            async with self.opened() as reader:
                if tier not in self.tiers(reader.core):
                    return
                _, snapshot = await self.saved(reader, tier)
                await self.crashed(reader)
                assert self.snapshots() == 1
                reader.core.drop("a", snapshot)
                await reader.all_done()
                assert self.snapshots() == 0

        self.run(scenario)

    def test_a_drop_takes_effect_in_the_order_given(self) -> None:
        async def scenario() -> None:
            expected = await self.alone(decoding())
            async with self.opened() as reader:
                generation = await self.generation(reader.core, "a", decoding())
                reader.core.drop("a", None)
                reader.core.start(generation, Progress())
                await reader.until_ended("a")
                assert self.as_promised(reader.core, reader.of["a"].choices, expected)

        self.run(scenario)

    def test_dropping_what_never_was_is_harmless(self) -> None:
        async def scenario() -> None:
            async with self.opened() as reader:
                reader.core.drop("nobody", None)
                reader.core.start(await self.generation(reader.core, "a", decoding()), Progress())
                await reader.until_ended("a")
                assert set(reader.of) == {"a"}

        self.run(scenario)

    # --- prompts ---

    def test_messages_and_texts_become_token_ids(self) -> None:
        async def scenario() -> None:
            async with self.opened() as reader:
                message = Message("user", self.prompt_text)
                call = Generate(messages=(message,), decoding=decoding())
                assert await reader.core.prepare(call)
                text = await reader.core.prepare(Tokenize(text=self.prompt_text))
                assert text == await reader.core.prepare(Tokenize(text=self.prompt_text))
                assert await reader.core.prepare(Generate(token_ids=text)) == text

        self.run(scenario)

    def test_a_prompt_that_leaves_no_room_for_an_answer_is_refused(self) -> None:
        async def scenario() -> None:
            async with self.opened() as reader:
                (one, *_) = await reader.core.prepare(Tokenize(text=self.prompt_text))
                tokens = reader.core.traits.context_tokens
                with pytest.raises(InvalidArgument):
                    await reader.core.prepare(Generate(token_ids=(one,) * tokens))
                fitting = Generate(token_ids=(one,) * (tokens - 1))
                assert len(await reader.core.prepare(fitting)) == tokens - 1

        self.run(scenario)

    def test_strange_token_ids_are_refused(self) -> None:
        async def scenario() -> None:
            async with self.opened() as reader:
                for strange in (-1, 1 << 40):
                    with pytest.raises(InvalidArgument):
                        await reader.core.prepare(Generate(token_ids=(strange,)))

        self.run(scenario)

    # --- the whole core ---

    def test_traits_name_possible_numbers(self) -> None:
        async def scenario() -> None:
            async with self.opened() as reader:
                traits = reader.core.traits
                assert min(traits.lanes, traits.context_tokens, traits.block_tokens) >= 1
                assert traits.kv_tokens >= traits.context_tokens
                assert traits.kv_tokens % traits.block_tokens == 0
                assert traits.fingerprint
                assert msgspec.msgpack.encode(traits)

        self.run(scenario)

    def test_events_end_when_the_core_is_closed(self) -> None:
        async def scenario() -> None:
            core = await self.open_core()
            events = core.events()
            await anext(events)
            await core.close()
            async with asyncio.timeout(600):
                assert [batch async for batch in events] == []

        self.run(scenario)

    def as_promised(self, core: Core, got: Sequence[Choice], expected: Sequence[Choice]) -> bool:
        """Equal, as far as the core promises it."""
        if core.traits.exactness is Exactness.BEST_EFFORT:
            return len(got) == len(expected)
        return tuple(got) == tuple(expected)
