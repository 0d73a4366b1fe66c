"""No kernel: each agent calls the model itself, runs out of memory, backs off and tries again.

This is the paper's baseline ("trial and error"), written as well as a developer without a kernel
would: a thread for each call, one model in memory for all, a KV cache while decoding. KV memory is
counted in the same bytes as the engine's pool; what does not fit raises `MemoryError`, the agent
frees what it holds and tries again after an exponential back-off with jitter.

A developer has choices, and the best one is the baseline. Measured on the quick office of `aios
bench throughput` (64 agents, 285 calls, two busy cores), in calls/s and p90 wait:

    reserve prompt and max_tokens first, a lock around each forward   13.4   14.0 s   (`BEST`)
    the same, threads left to fight                                    9.2   19.0 s
    let the KV grow, a lock around each forward                       10.3   19.9 s
    the same, threads left to fight                                    7.8   26.5 s
    a lock around the whole call, so that memory never runs out       12.4   13.8 s

The last is no trial and error but a queue; full runs report it beside the others. One torch thread
(a second one made every forward slower), and a bare loop over a `DynamicCache`, which decodes a
fourth faster than `generate` (990 against 790 tokens/s alone).
"""

import asyncio
import itertools
import random
import threading
from collections.abc import AsyncIterator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol, TypeVar, cast

from aios.bench.records import Ending, Span
from aios.clock import Clock
from aios.errors import InvalidArgument, ShuttingDown
from aios.syscalls import Choice, Completion, Delta, Generate, Message, Stream, Syscall, Usage
from aios.syscalls.llm import FinishReason, Timing

R = TypeVar("R")
BACKOFF_FIRST_S = 0.25
BACKOFF_MOST_S = 8.0


class Answer(Protocol):
    """One answer while it is made."""

    produced: list[int]

    @property
    def growth(self) -> int:
        """Tokens by which the next step makes the KV longer."""
        ...

    @property
    def has_ended(self) -> bool: ...

    def step(self) -> None:
        """Compute one more token."""
        ...


class Model(Protocol):
    """What agents call: `aios.bench.plain.PlainModel` is one."""

    kv_token_bytes: int

    def prompt(self, call: Generate) -> list[int]: ...

    def begin(self, prompt: Sequence[int]) -> Answer: ...

    def message(self, token_ids: Sequence[int]) -> Message: ...


class Turns(StrEnum):
    """How threads share the model: each for itself, a token each, or a whole answer each."""

    FREE = "free"
    TOKEN = "token"
    ANSWER = "answer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Habit:
    """What a developer may choose. `reserve` takes prompt and max_tokens before it begins;
    otherwise the KV grows as it decodes and running out in the middle loses the work."""

    reserve: bool
    turns: Turns


BEST = Habit(reserve=True, turns=Turns.TOKEN)
ONE_AT_A_TIME = Habit(reserve=True, turns=Turns.ANSWER)


class KvMemory:
    """A byte budget with allocations that fail at once, as a device's do."""

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self._free = capacity
        self._lock = threading.Lock()

    @contextmanager
    def holding(self) -> Iterator["Held"]:
        """Somebody's allocations; all are freed at the end."""
        held = Held(self)
        try:
            yield held
        finally:
            self.change(held.bytes)

    def change(self, freed: int) -> None:
        """Give back bytes, or take them where `freed` is negative."""
        with self._lock:
            if self._free + freed < 0:
                raise MemoryError(f"out of memory: wanted {-freed} bytes, {self._free} are free")
            self._free += freed
            assert self._free <= self.capacity


class Held:
    """What one attempt holds."""

    def __init__(self, memory: KvMemory) -> None:
        self._memory = memory
        self.bytes = 0

    def take(self, count: int) -> None:
        self._memory.change(-count)
        self.bytes += count


@dataclass(frozen=True, slots=True)
class _Tried:
    """What a try that succeeded produced, and when its memory was had."""

    produced: list[int]
    has_ended: bool  # or else it was cut off
    began: float


class Direct:
    """The transport of agents that have no kernel. A token is the agent's name."""

    def __init__(
        self,
        model: Model,
        kv_bytes: int,
        habit: Habit,
        clock: Clock,
        *,
        threads: int,
        seed: int = 0,
    ) -> None:
        self.spans: list[Span] = []
        self.out_of_memory: list[float] = []  # when
        self.transport = self
        self.is_durable = False
        self._model = model
        self._memory = KvMemory(kv_bytes)
        self._habit = habit
        self._clock = clock
        self._seed = seed
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="agent")
        self._token_lock: Any = threading.Lock() if habit.turns is Turns.TOKEN else nullcontext()
        self._answer_lock: Any = threading.Lock() if habit.turns is Turns.ANSWER else nullcontext()
        self._books = threading.Lock()  # for the three below
        self._lanes: set[int] = set()  # taken
        self._stopped = threading.Event()
        self._calls = 0

    async def token(self, name: str) -> str:
        return name

    async def call(self, token: str, call: Syscall[R], *, key: str = "") -> R:
        if not isinstance(call, Generate):
            raise InvalidArgument(f"expected a generation, got {type(call).__name__}")
        loop = asyncio.get_running_loop()
        arrived = self._clock.now()
        with self._books:
            self._calls += 1
            number = self._calls
        reply = loop.run_in_executor(self._threads, self._answer, token, call, arrived, number)
        return cast(R, await reply)

    def stream(
        self, token: str, call: Stream, *, key: str = ""
    ) -> AsyncIterator[Delta | Completion]:
        raise InvalidArgument("expected a generation; the direct way does not stream")

    async def close(self) -> None:
        """End every attempt at its next token and every back-off now."""
        self._stopped.set()
        await asyncio.to_thread(self._threads.shutdown, cancel_futures=True)

    def _answer(self, agent: str, call: Generate, arrived: float, number: int) -> Completion:
        """Try until it fits. Runs on a thread of its own."""
        rng = random.Random(f"{self._seed} {number}")
        prompt = self._model.prompt(call)
        for attempt in itertools.count():
            try:
                tried = self._attempt(agent, prompt, call.decoding.max_tokens or 1)
                return self._completion(call, prompt, tried, arrived)
            except MemoryError:
                with self._books:
                    self.out_of_memory.append(self._clock.now())
            pause = min(BACKOFF_MOST_S, BACKOFF_FIRST_S * 2**attempt) * rng.uniform(0.5, 1.0)
            if self._stopped.wait(pause):
                raise ShuttingDown("the run is over")
        raise AssertionError("an endless loop has ended")

    def _attempt(self, agent: str, prompt: Sequence[int], tokens_max: int) -> "_Tried":
        """One try, from the prompt on. Raises `MemoryError`, by which its work is lost."""
        a_token = self._model.kv_token_bytes
        reserved = len(prompt) + tokens_max if self._habit.reserve else 0
        with self._answer_lock, self._memory.holding() as held:
            held.take(a_token * reserved)
            answer = self._model.begin(prompt)
            began = self._clock.now()
            with self._lane(agent):
                while len(answer.produced) < tokens_max and not answer.has_ended:
                    if self._stopped.is_set():
                        raise ShuttingDown("the run is over")
                    held.take(a_token * (0 if reserved else answer.growth))
                    with self._token_lock:
                        answer.step()
        return _Tried(answer.produced, answer.has_ended, began)

    @contextmanager
    def _lane(self, agent: str) -> Iterator[None]:
        """Note what one try occupied, and how it ended."""
        with self._books:
            lane = next(number for number in itertools.count() if number not in self._lanes)
            self._lanes.add(lane)
        start, ending = self._clock.now(), Ending.CUT
        try:
            yield
            ending = Ending.DONE
        except MemoryError:
            ending = Ending.OUT_OF_MEMORY
            raise
        finally:
            end = self._clock.now()
            with self._books:
                self._lanes.discard(lane)
                self.spans.append(Span(lane=lane, agent=agent, start=start, end=end, ending=ending))

    def _completion(
        self,
        call: Generate,
        prompt: Sequence[int],
        tried: "_Tried",
        arrived: float,
    ) -> Completion:
        produced, began = tried.produced, tried.began
        message = self._model.message(produced)
        reason: FinishReason = "stop" if tried.has_ended else "length"
        choice = Choice(
            index=0,
            message=message,
            finish_reason="tool_calls" if message.tool_calls else reason,
            token_ids=tuple(produced),
        )
        answered = self._clock.now()
        return Completion(
            call_id=call.call_id,
            model="direct",
            choices=(choice,),
            usage=Usage(prompt_tokens=len(prompt), completion_tokens=len(produced)),
            timing=Timing(
                wait_s=began - arrived,
                run_s=answered - began,
                total_s=answered - arrived,
                switches=0,
            ),
            seed=0,
            exact=False,
        )
