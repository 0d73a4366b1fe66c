"""Handlers of the LLM family: from a checked call to a live generation and its one reply."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import msgspec

from aios.cores.base import Generation, Traits
from aios.cores.pool import Pool
from aios.errors import Cancelled, InvalidArgument, NotFound
from aios.kernel.environment import Environment
from aios.kernel.generations import GenerationState, LiveGeneration
from aios.kernel.open_call import OpenCall
from aios.kernel.parking import Parked
from aios.kernel.process import Process
from aios.kernel.runloop import RunLoop
from aios.kernel.waits import Waits
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
        waits: Waits,
        environment: Environment,
    ) -> None:
        by_model: dict[str, list[RunLoop]] = {}
        for loop in loops:
            by_model.setdefault(loop.core.traits.model, []).append(loop)
        self._loops = loops
        self._waits = waits
        self._pool = Pool(by_model, lambda loop: loop.load)
        self._clock = environment.clock
        self._random = environment.random
        self._limits = environment.limits
        self._parking = environment.parking
        self._boot = f"{environment.random.getrandbits(32):08x}"  # tells ids of two boots apart
        self._count = 0

    async def generate(self, process: Process, call: Generate) -> Completion:
        """One answer; cancelling the awaiting task cancels the generation."""
        with self._open(process, call) as opened:
            live = await self._submit(opened, wants_deltas=False)
            return await live.reply

    async def stream(self, process: Process, call: Stream) -> AsyncIterator[Delta | Completion]:
        """Deltas as they come, at last the completion."""
        with self._open(process, call.generate) as opened:
            live = await self._submit(opened, wants_deltas=True)
            assert live.news is not None
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
        cancelled = Cancelled(f"{call.call_id} was cancelled")
        self._waits.fail_key(("prompt of", generation_id), cancelled)
        for loop in self._loops:
            loop.cancel(generation_id, cancelled)
        return Ok()

    async def tokenize(self, process: Process, call: Tokenize) -> Tokenized:
        if bool(call.text) == bool(call.messages):
            raise InvalidArgument("expected exactly one of text and messages, not empty")
        core = self._pool.pick(call.model, process.pid).core
        key = ("tokens of", process.pid, self._next())
        work = core.prepare(call)
        return Tokenized(
            await self._waits.while_waiting(work, key, process.pid, self._limits.deadline_s)
        )

    async def models(self, process: Process, call: Models) -> ModelList:
        traits = {loop.core.traits.model: loop.core.traits for loop in reversed(self._loops)}
        return ModelList(tuple(_describe(traits[model]) for model in self._pool.models))

    def _open(self, process: Process, call: Generate) -> OpenCall:
        loop = self._pool.pick(call.model, process.pid)
        if call.decoding.beams and not loop.core.traits.beam:
            raise InvalidArgument(f"{loop.core.traits.model} has no beam search")
        number = self._next()
        return OpenCall(
            process=process,
            call=call,
            loop=loop,
            generation_id=f"{self._boot}-{number}",
            arrived=self._clock.now(),
            patience_s=self._limits.deadline_s,
        )

    def _next(self) -> int:
        self._count += 1
        return self._count

    async def _submit(self, opened: OpenCall, *, wants_deltas: bool) -> LiveGeneration:
        process, loop = opened.process, opened.loop
        parked = self._parking.take(opened.call, loop.core.traits.fingerprint)
        generation = _found(parked) if parked else await self._prepare(opened)
        if process.has_ended:
            raise Cancelled(f"process {process.pid} has ended")
        live = self._live(opened, generation)
        live.news = asyncio.Event() if wants_deltas else None
        if parked is not None:
            _go_on(live, parked)
        if process.state is ProcessState.PAUSED:
            live.state = GenerationState.BLOCKED
        opened.watch(live, self._clock.now())
        loop.submit(live)
        return live

    async def _prepare(self, opened: OpenCall) -> Generation:
        core, decoding = opened.loop.core, opened.call.decoding
        prompt = await self._waits.while_waiting(
            core.prepare(opened.call),
            ("prompt of", opened.generation_id),
            opened.process.pid,
            opened.left_s(self._clock.now()),
        )
        seed = self._random.getrandbits(63) if decoding.seed is None else decoding.seed
        wish = None if opened.call.shorten else decoding.max_tokens
        room = _fit(core.traits, len(prompt), decoding.branches, wish)
        most = min(room, decoding.max_tokens or room)
        return Generation(
            id=opened.generation_id,
            prompt=prompt,
            decoding=msgspec.structs.replace(decoding, seed=seed, max_tokens=most),
        )

    def _live(self, opened: OpenCall, generation: Generation) -> LiveGeneration:
        call, decoding = opened.call, generation.decoding
        assert decoding.max_tokens is not None
        job = Job(
            id=JobId(generation.id),
            pid=opened.process.pid,
            priority=call.priority or opened.process.priority,
            arrived=opened.arrived,
            prompt_tokens=len(generation.prompt),
            tokens_max=decoding.max_tokens,
            branches=decoding.branches,
        )
        return LiveGeneration(
            call=call,
            generation=generation,
            job=job,
            call_id=opened.call_id,
            model=opened.loop.core.traits.model,
            reply=asyncio.get_running_loop().create_future(),
        )


def _found(parked: Parked) -> Generation:
    return Generation(id=parked.id, prompt=parked.prompt, decoding=parked.decoding)


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
