"""Handlers of the LLM family: from a checked call to a live generation and its one reply."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import msgspec

from aios.cores.base import Generation, Traits
from aios.cores.pool import Pool
from aios.errors import Cancelled, DeadlineExceeded, InvalidArgument, NotFound
from aios.kernel.environment import Environment
from aios.kernel.generations import LiveGeneration
from aios.kernel.parking import Parked
from aios.kernel.process import Process
from aios.kernel.runloop import RunLoop
from aios.scheduler.base import Job, JobId
from aios.syscalls import (
    Cancel,
    Completion,
    Delta,
    Generate,
    ModelInfo,
    ModelList,
    Models,
    Ok,
    ProcessState,
    Stream,
    Tokenize,
    Tokenized,
)


class LlmCalls:
    """Owns no generation: the run loop of the chosen core does."""

    def __init__(
        self,
        loops: Sequence[RunLoop],  # the default model's first
        environment: Environment,
    ) -> None:
        by_model: dict[str, list[RunLoop]] = {}
        for loop in loops:
            by_model.setdefault(loop.core.traits.model, []).append(loop)
        self._loops = loops
        self._pool = Pool(by_model, lambda loop: loop.load)
        self._clock = environment.clock
        self._random = environment.random
        self._limits = environment.limits
        self._parking = environment.parking
        self._boot = f"{environment.random.getrandbits(32):08x}"  # tells ids of two boots apart
        self._count = 0

    async def generate(self, process: Process, call: Generate) -> Completion:
        """One answer; cancelling the awaiting task cancels the generation."""
        loop, live = await self._begin(process, call, wants_deltas=False)
        with _Watch(process, live, loop, self._deadline_s(call)):
            return await live.reply

    async def stream(self, process: Process, call: Stream) -> AsyncIterator[Delta | Completion]:
        """Deltas as they come, at last the completion."""
        loop, live = await self._begin(process, call.generate, wants_deltas=True)
        assert live.news is not None
        with _Watch(process, live, loop, self._deadline_s(call.generate)):
            while not live.reply.done() or live.deltas:
                taken, live.deltas = live.deltas, []
                for delta in taken:
                    yield delta
                if not taken:
                    await live.news.wait()
                live.news.clear()
            yield live.reply.result()

    async def cancel(self, process: Process, call: Cancel) -> Ok:
        generation_id = (process.generations or {}).get(call.call_id)
        if generation_id is None:
            raise NotFound(f"process {process.pid} has no live generation {call.call_id!r}")
        for loop in self._loops:
            loop.cancel(generation_id, Cancelled(f"{call.call_id} was cancelled"))
        return Ok()

    async def tokenize(self, process: Process, call: Tokenize) -> Tokenized:
        if bool(call.text) == bool(call.messages):
            raise InvalidArgument("expected exactly one of text and messages, not empty")
        loop = self._pool.pick(call.model, process.pid)
        return Tokenized(await loop.core.prepare(call))

    async def models(self, process: Process, call: Models) -> ModelList:
        traits = {loop.core.traits.model: loop.core.traits for loop in reversed(self._loops)}
        return ModelList(tuple(_describe(traits[model]) for model in self._pool.models))

    def _deadline_s(self, call: Generate) -> float:
        return self._limits.deadline_s if call.deadline_s is None else call.deadline_s

    async def _begin(
        self, process: Process, call: Generate, *, wants_deltas: bool
    ) -> tuple[RunLoop, LiveGeneration]:
        loop = self._pool.pick(call.model, process.pid)
        arrived = self._clock.now()
        self._count += 1
        call_id = call.call_id or f"call-{self._count}"
        parked = self._parking.take(call)
        if parked is None:
            generation = await self._prepare(call, loop, f"{self._boot}-{self._count}")
        else:
            generation = Generation(id=parked.id, prompt=parked.prompt, decoding=parked.decoding)
        if process.has_ended:
            raise Cancelled(f"process {process.pid} has ended")
        process.generations = process.generations or {}
        if call_id in process.generations:
            raise InvalidArgument(f"call_id {call_id!r} names a live generation already")
        process.generations[call_id] = generation.id
        live = self._live(process, call, generation, call_id=call_id, arrived=arrived)
        live.news = asyncio.Event() if wants_deltas else None
        if parked is not None:
            _go_on(live, parked)
        loop.submit(live)
        if process.state is ProcessState.PAUSED:
            loop.block(generation.id)
        return loop, live

    async def _prepare(self, call: Generate, loop: RunLoop, generation_id: str) -> Generation:
        deadline_s = self._deadline_s(call)
        try:
            async with asyncio.timeout(deadline_s):
                prompt = await loop.core.prepare(call)
        except TimeoutError:
            raise DeadlineExceeded(f"the core took no prompt within {deadline_s} s") from None
        decoding = call.decoding
        seed = self._random.getrandbits(63) if decoding.seed is None else decoding.seed
        most = _fit(loop.core.traits, len(prompt), decoding.branches, decoding.max_tokens)
        return Generation(
            id=generation_id,
            prompt=prompt,
            decoding=msgspec.structs.replace(decoding, seed=seed, max_tokens=most),
        )

    def _live(
        self,
        process: Process,
        call: Generate,
        generation: Generation,
        *,
        call_id: str,
        arrived: float,
    ) -> LiveGeneration:
        decoding = generation.decoding
        assert decoding.max_tokens is not None
        job = Job(
            id=JobId(generation.id),
            pid=process.pid,
            priority=call.priority or process.priority,
            arrived=arrived,
            prompt_tokens=len(generation.prompt),
            tokens_max=decoding.max_tokens,
            branches=decoding.branches,
        )
        return LiveGeneration(
            call=call,
            generation=generation,
            job=job,
            call_id=call_id,
            model=call.model or self._pool.models[0],
            reply=asyncio.get_running_loop().create_future(),
        )


class _Watch:
    """While the reply is awaited: the deadline, the caller's going away, the process's account."""

    def __init__(
        self, process: Process, live: LiveGeneration, loop: RunLoop, deadline_s: float
    ) -> None:
        self._process, self._live, self._loop = process, live, loop
        late = DeadlineExceeded(f"no answer within {deadline_s} s")
        self._timer = asyncio.get_running_loop().call_later(
            deadline_s, loop.cancel, live.job.id, late
        )

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        self._timer.cancel()
        if not self._live.reply.cancel() and not self._live.reply.cancelled():
            self._live.reply.exception()  # Seen, also where a stream's reader left before it.
        self._loop.cancel(self._live.job.id, Cancelled("the caller went away"))
        if self._process.generations:
            self._process.generations.pop(self._live.call_id, None)
        self._process.prompt_tokens += len(self._live.generation.prompt)
        self._process.completion_tokens += self._live.tokens_out


def _go_on(live: LiveGeneration, parked: Parked) -> None:
    live.snapshot = parked.snapshot
    live.produced = [list(tokens) for tokens in parked.produced]
    live.tokens_out = sum(map(len, parked.produced))


def _fit(traits: Traits, prompt: int, branches: int, wish: int | None) -> int:
    """Tokens that each branch may add; raises where what was asked for can never fit."""
    block = traits.block_tokens
    room_context = traits.context_tokens - prompt
    room_kv = (traits.kv_tokens - -(-prompt // block) * block) // branches - 2 * block
    if room_context < 1:
        raise InvalidArgument(
            f"the prompt has {prompt} tokens; expected fewer than {traits.context_tokens}, "
            f"the context length of {traits.model}"
        )
    if wish is not None and wish > room_context:
        raise InvalidArgument(
            f"max_tokens is {wish}; expected at most {room_context} after a prompt of "
            f"{prompt} tokens in a context of {traits.context_tokens}"
        )
    if room_kv < (wish or 1):
        need = prompt + branches * ((wish or 1) + 3 * block)
        raise InvalidArgument(
            f"too little memory: one such generation may need {need} tokens of KV, "
            f"the core has {traits.kv_tokens}"
        )
    return min(room_context, room_kv) if wish is None else wish


def _describe(traits: Traits) -> ModelInfo:
    return ModelInfo(
        name=traits.model,
        context_tokens=traits.context_tokens,
        kv_tokens=traits.kv_tokens,
        lanes=traits.lanes,
        exactness=traits.exactness.value,
        device=traits.device,
    )
