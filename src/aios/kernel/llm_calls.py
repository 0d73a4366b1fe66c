"""Handlers of the LLM family: from a checked call to a live generation and its one reply."""

import asyncio
from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Awaitable,
    Callable,
    Iterator,
    Sequence,
)
from contextlib import contextmanager

import msgspec

from aios.cores.base import Generation, Traits
from aios.cores.pool import Pool
from aios.errors import Cancelled, InvalidArgument, NotFound, ShuttingDown
from aios.journal.base import Change, Work
from aios.kernel.environment import Environment
from aios.kernel.generations import GenerationState, LiveGeneration
from aios.kernel.kept import Kept, KeptGenerations, forgotten
from aios.kernel.keys import digest_of
from aios.kernel.open_call import Meter, Metered, OpenCall
from aios.kernel.process import Process
from aios.kernel.resumption import Resumed, Resumption
from aios.kernel.runloop import RunLoop
from aios.kernel.waits import Waits
from aios.scheduler.base import Job, JobId
from aios.syscalls import Ok, llm
from aios.syscalls import process as processes


class LlmCalls:
    """Owns no generation: the run loop of the chosen core does."""

    def __init__(
        self,
        loops: Sequence[RunLoop],  # the default model's first
        waits: Waits,
        environment: Environment,
        resumed: Resumption,
        root_of: Callable[[Process], processes.Pid],
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
        self._kept = KeptGenerations(environment.journal) if environment.journal else None
        self._resumed = resumed
        self._root_of = root_of
        self.meter: Meter | None = None
        self._boot = f"{environment.random.getrandbits(32):08x}"  # tells ids of two boots apart
        self._count = 0

    async def generate(self, process: Process, call: llm.Generate, work: Work) -> llm.Completion:
        """One answer; cancelling the awaiting task cancels the generation."""
        name = self._name(call, work)
        if (known := self._resumed.find(process.pid, name, call)) is not None:
            return await self._joined(process, known, work)
        with self._open(process, call) as opened:
            live = await self._submit(opened, name, work)
            with self._forgotten(live):
                completion = await live.reply
            work.extend(_given(live))
            return completion

    async def generate_streamed(
        self, process: Process, call: llm.Stream, work: Work
    ) -> llm.Completion:
        """A stream of whose deltas nobody wants any."""
        return await self.generate(process, call.generate, work)

    async def stream(
        self, process: Process, call: llm.Stream, work: Work
    ) -> AsyncGenerator[llm.Delta | llm.Completion, None]:
        """Deltas as they come, at last the completion; of one that goes on already, only that.

        Whoever reads commits the completion.
        """
        name = self._name(call.generate, work)
        if (known := self._resumed.find(process.pid, name, call.generate)) is not None:
            yield await self._joined(process, known, work)
            return
        with self._open(process, call.generate) as opened:
            live = await self._submit(opened, name, work, news=asyncio.Event())
            with self._forgotten(live):
                async for delta in _deltas(live):
                    yield delta
                completion = live.reply.result()
            work.extend(_given(live))
            yield completion

    async def go_on(self, process: Process, kept: Kept) -> llm.Completion:
        """The rest of a generation that an earlier kernel began."""
        with self._open(process, kept.call, kept) as opened:
            await self._hold(opened, kept.generation)
            live = self._live(opened, kept.generation)
            live.snapshot = kept.snapshot
            live.produced = [list(tokens) for tokens in kept.produced]
            live.tokens_out = sum(map(len, kept.produced))
            assert self._kept is not None
            live.checkpoint = self._kept.go_on(kept)
            self._start(opened, live)
            return await live.reply

    @property
    def served(self) -> tuple[str, ...]:
        """The models' names, the default one first."""
        return self._pool.models

    def add(self, loop: RunLoop) -> None:
        """From now on calls may name its model."""
        self._pool.add(loop.core.traits.model, loop)

    def remove(self, model: str) -> Sequence[RunLoop]:
        """No call that comes now gets to that model's cores."""
        return self._pool.remove(model)

    def serves(self, fingerprint: str) -> bool:
        """Whether there is a core for which token ids of that one mean the same."""
        return any(loop.core.traits.fingerprint == fingerprint for loop in self._loops)

    async def cancel(self, process: Process, call: llm.Cancel) -> Ok:
        generation_id = (process.generations or {}).get(call.call_id)
        if generation_id is None:
            raise NotFound(f"process {process.pid} has no live generation {call.call_id!r}")
        cancelled = Cancelled(f"{call.call_id} was cancelled")
        self._waits.fail_key(("prompt of", generation_id), cancelled)
        for loop in self._loops:
            loop.cancel(generation_id, cancelled)
        return Ok()

    async def tokenize(self, process: Process, call: llm.Tokenize) -> llm.Tokenized:
        if bool(call.text) == bool(call.messages):
            raise InvalidArgument("expected exactly one of text and messages, not empty")
        core = self._pool.pick(call.model, process.pid).core
        key = ("tokens of", process.pid, self._next())
        work = core.prepare(call)
        return llm.Tokenized(
            await self._waits.while_waiting(work, key, process.pid, self._limits.deadline_s)
        )

    async def models(self, process: Process, call: llm.Models) -> llm.ModelList:
        traits = {loop.core.traits.model: loop.core.traits for loop in reversed(self._loops)}
        return llm.ModelList(tuple(describe(traits[model]) for model in self._pool.models))

    def _open(self, process: Process, call: llm.Generate, kept: Kept | None = None) -> OpenCall:
        loop = self._pool.pick(call.model, process.pid)
        if kept is not None:
            alike = (one for one in self._loops if one.core.traits.fingerprint == kept.fingerprint)
            loop = next(alike, loop)
        if call.decoding.beams and not loop.core.traits.beam:
            raise InvalidArgument(f"{loop.core.traits.model} has no beam search")
        return OpenCall(
            process=process,
            call=call,
            loop=loop,
            generation_id=kept.id if kept else f"{self._boot}-{self._next()}",
            arrived=self._clock.now(),
            patience_s=self._limits.deadline_s,
        )

    def _next(self) -> int:
        self._count += 1
        return self._count

    def _name(self, call: llm.Generate, work: Work) -> str:
        """By which its process may ask for this generation again; empty: it cannot."""
        if work.name or not call.call_id or self._kept is None:
            return work.name
        return f"call_id {digest_of(call).hex()}"

    async def _joined(self, process: Process, known: Resumed, work: Work) -> llm.Completion:
        """The result of a generation that goes on by itself; it is given away once."""
        key = ("generation", known.kept.id)
        waiting = asyncio.shield(known.result)
        completion = await self._waits.while_waiting(waiting, key, process.pid, None)
        self._resumed.take(known)
        work.extend(forgotten(known.kept.id))
        return completion

    async def _submit(
        self, opened: OpenCall, name: str, work: Work, news: asyncio.Event | None = None
    ) -> LiveGeneration:
        process = opened.process
        generation = await self._prepare(opened)
        await self._ask(opened, generation, work)
        await self._hold(opened, generation)
        if opened.held is not None:
            opened.held.bind(work)
        live = self._live(opened, generation)
        live.news = news
        if name and self._kept is not None:
            live.checkpoint = await self._kept.accept(self._record(opened, generation, name))
        process.check_alive()
        self._start(opened, live)
        return live

    async def _ask(self, opened: OpenCall, generation: Generation, work: Work) -> None:
        """Wait for a human, where the policy has one asked. The deadline does not run meanwhile."""
        if self.meter is None:
            return
        process, traits = opened.process, opened.loop.core.traits
        asked = self.meter.asks(process, opened.call, traits, *_most(generation), work)
        if asked is not None:
            key = ("prompt of", opened.generation_id)
            await self._waits.while_waiting(asked, key, process.pid, None)
            opened.arrived = self._clock.now()

    async def _hold(self, opened: OpenCall, generation: Generation) -> None:
        """Wait for the tokens that it may take, if its accounts are limited."""
        if self.meter is None:
            return
        traits = opened.loop.core.traits
        held = self.meter.generation(opened.process, traits, *_most(generation))
        if not isinstance(held, Awaitable):
            opened.held = held
            return
        await self._waits.while_waiting(
            _kept_in(opened, held),
            ("prompt of", opened.generation_id),
            opened.process.pid,
            opened.left_s(self._clock.now()),
        )

    def _start(self, opened: OpenCall, live: LiveGeneration) -> None:
        if opened.process.state is processes.ProcessState.PAUSED:
            live.state = GenerationState.BLOCKED
        opened.watch(live, self._clock.now())
        opened.loop.submit(live)

    def _record(self, opened: OpenCall, generation: Generation, name: str) -> Kept:
        return Kept(
            id=generation.id,
            pid=opened.process.pid,
            name=name,
            digest=digest_of(opened.call),
            fingerprint=opened.loop.core.traits.fingerprint,
            accepted=self._clock.utc(),
            call=opened.call,
            prompt=generation.prompt,
            decoding=generation.decoding,
        )

    @contextmanager
    def _forgotten(self, live: LiveGeneration) -> Iterator[None]:
        """A generation that fails leaves the journal, unless only the kernel stops."""
        try:
            yield
        except ShuttingDown:
            raise
        except BaseException:
            if self._kept is not None and live.checkpoint is not None:
                self._kept.drop(live.job.id)
            raise

    async def _prepare(self, opened: OpenCall) -> Generation:
        core, decoding = opened.loop.core, opened.call.decoding
        try:
            prompt = await self._waits.while_waiting(
                core.prepare(opened.call),
                ("prompt of", opened.generation_id),
                opened.process.pid,
                opened.left_s(self._clock.now()),
            )
        except ShuttingDown:
            opened.loop.check_usable()  # It may be that only this core is closed.
            raise
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
            program=f"{self._root_of(opened.process)} {call.program}".rstrip(),
        )
        return LiveGeneration(
            call=call,
            generation=generation,
            job=job,
            call_id=opened.call_id,
            model=opened.loop.core.traits.model,
            reply=asyncio.get_running_loop().create_future(),
            ready_at=opened.arrived,
        )


async def _deltas(live: LiveGeneration) -> AsyncIterator[llm.Delta]:
    """What a stream's generation gains, until its reply is there."""
    assert live.news is not None
    while not live.reply.done() or live.deltas:
        taken, live.deltas = live.deltas, []
        for delta in taken:
            yield delta
        if not taken:
            await live.news.wait()
        live.news.clear()


async def _kept_in(opened: OpenCall, held: Awaitable[Metered]) -> None:
    """What is granted is the call's at once: also of one that ends in that moment."""
    opened.held = await held


def _given(live: LiveGeneration) -> list[Change]:
    """Its result is given away: it leaves the journal in the same commit."""
    return forgotten(live.job.id) if live.checkpoint is not None else []


def _most(generation: Generation) -> tuple[int, int]:
    """Tokens of its prompt, and the most that it may produce."""
    assert generation.decoding.max_tokens is not None
    return len(generation.prompt), generation.decoding.branches * generation.decoding.max_tokens


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


def describe(traits: Traits) -> llm.ModelInfo:
    """What a model can hold and promise."""
    return llm.ModelInfo(
        name=traits.model,
        context_tokens=traits.context_tokens,
        kv_tokens=traits.kv_tokens,
        lanes=traits.lanes,
        exactness=traits.exactness.value,
        device=traits.device,
    )
