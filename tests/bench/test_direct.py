"""Agents without a kernel: memory that runs out, work that is lost or not, and no bytes leaked."""

import asyncio
import threading
from collections.abc import Sequence

import pytest

from aios.bench.direct import BACKOFF_FIRST_S, Direct, Habit, KvMemory, Turns
from aios.bench.records import Ending
from aios.clock import WallClock
from aios.errors import InvalidArgument, ShuttingDown
from aios.syscalls import Completion, Decoding, Generate, Message, WhoAmI

PROMPT = 4
ANSWER = 6
END = -1
A_CALL = PROMPT + ANSWER


class Counting:
    """An answer of numbers up to the end; `barrier` holds everybody at the first token."""

    def __init__(self, prompt: Sequence[int], barrier: threading.Barrier | None) -> None:
        self.produced: list[int] = []
        self.growth = len(prompt)
        self._barrier = barrier

    @property
    def has_ended(self) -> bool:
        return END in self.produced

    def step(self) -> None:
        if self._barrier is not None and not self.produced:
            self._barrier.wait(timeout=20)
        self.produced.append(END if len(self.produced) == ANSWER - 1 else len(self.produced))
        self.growth = 1


class CountingModel:
    kv_token_bytes = 1

    def __init__(self, barrier: threading.Barrier | None = None) -> None:
        self.begun = 0
        self._barrier = barrier

    def prompt(self, call: Generate) -> list[int]:
        return [0] * PROMPT

    def begin(self, prompt: Sequence[int]) -> Counting:
        self.begun += 1
        # Whoever comes after the first two has nobody to wait for.
        return Counting(prompt, self._barrier if self.begun <= 2 else None)

    def message(self, token_ids: Sequence[int]) -> Message:
        return Message(role="assistant", content=" ".join(map(str, token_ids)))


class Noted(list[float]):
    """The moments at which memory ran out, for somebody who waits for the first."""

    def __init__(self) -> None:
        super().__init__()
        self.first = threading.Event()

    def append(self, at: float) -> None:
        super().append(at)
        self.first.set()


def call(tokens_max: int = ANSWER) -> Generate:
    question = Message(role="user", content="count")
    return Generate(messages=(question,), decoding=Decoding(max_tokens=tokens_max))


def direct(model: CountingModel, kv_bytes: int, *, reserve: bool) -> Direct:
    habit = Habit(reserve=reserve, turns=Turns.FREE)
    return Direct(model, kv_bytes, habit, WallClock(), threads=4)


async def both(way: Direct) -> list[Completion]:
    try:
        return list(await asyncio.gather(way.call("a-1", call()), way.call("b-1", call())))
    finally:
        await way.close()


def test_memory_fails_at_once_and_gives_all_back() -> None:
    memory = KvMemory(10)
    with memory.holding() as held:
        held.take(8)
        with pytest.raises(MemoryError, match="wanted 3 bytes, 2 are free"):
            held.take(3)
    with memory.holding() as held:
        held.take(10)


def test_a_call_that_fits_is_answered_and_its_lane_noted() -> None:
    way = direct(CountingModel(), A_CALL, reserve=True)

    async def main() -> Completion:
        try:
            return await way.call("a-1", call())
        finally:
            await way.close()

    reply = asyncio.run(main())
    assert reply.text == "0 1 2 3 4 -1"
    assert reply.choices[0].finish_reason == "stop"
    assert [(span.agent, span.ending) for span in way.spans] == [("a-1", Ending.DONE)]


def test_whoever_grows_out_of_memory_loses_the_work_and_tries_again() -> None:
    # Both hold their prompts before either grows: neither can finish beside the other.
    model = CountingModel(threading.Barrier(2))
    way = direct(model, A_CALL + 2, reserve=False)
    replies = asyncio.run(both(way))
    assert [reply.text for reply in replies] == ["0 1 2 3 4 -1"] * 2
    assert way.out_of_memory
    assert model.begun > 2
    assert any(span.ending is Ending.OUT_OF_MEMORY for span in way.spans)


def test_whoever_reserves_waits_without_losing_work() -> None:
    holding = threading.Event()

    class Held(CountingModel):
        def begin(self, prompt: Sequence[int]) -> Counting:
            # The first one keeps its memory until the second was refused.
            holding.wait(timeout=20)
            return super().begin(prompt)

    model = Held()
    way = direct(model, A_CALL + 1, reserve=True)
    way.out_of_memory = refused = Noted()

    async def main() -> list[Completion]:
        work = asyncio.ensure_future(both(way))
        await asyncio.to_thread(refused.first.wait, 20)
        holding.set()
        return await work

    replies = asyncio.run(main())
    assert len(replies) == 2
    assert refused.first.is_set()
    assert model.begun == 2
    assert max(reply.timing.wait_s for reply in replies) >= BACKOFF_FIRST_S / 2
    assert all(span.ending is Ending.DONE for span in way.spans)


def test_closing_ends_a_backoff_at_once() -> None:
    way = direct(CountingModel(), 1, reserve=True)  # Nothing ever fits.
    way.out_of_memory = refused = Noted()

    async def main() -> None:
        waiting = asyncio.ensure_future(way.call("a-1", call()))
        await asyncio.to_thread(refused.first.wait, 20)
        await way.close()
        with pytest.raises(ShuttingDown):
            await waiting

    asyncio.run(main())


def test_an_answer_that_was_cut_off_says_so() -> None:
    way = direct(CountingModel(), A_CALL, reserve=True)

    async def main() -> Completion:
        try:
            return await way.call("a-1", call(tokens_max=2))
        finally:
            await way.close()

    reply = asyncio.run(main())
    assert reply.choices[0].finish_reason == "length"
    assert reply.usage.completion_tokens == 2


def test_only_generations_are_taken() -> None:
    way = direct(CountingModel(), A_CALL, reserve=True)

    async def main() -> None:
        try:
            await way.call("a-1", WhoAmI())
        finally:
            await way.close()

    with pytest.raises(InvalidArgument, match="expected a generation"):
        asyncio.run(main())
