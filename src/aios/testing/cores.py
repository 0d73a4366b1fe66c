"""A core without a model: plays scripted answers through lanes, KV room and steps of set cost.

It does all its work between two batches that its one reader takes, so it needs no task of its own,
and under a seed and a virtual clock every run is the same. What goes wrong is chosen by `Faults`,
with chances drawn from the injected randomness. Knows no scheduler and no kernel.
"""

import random
from asyncio import Event
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence

from aios.clock import Clock
from aios.context.snapshot import SnapshotRef, Tier
from aios.cores.base import (
    NOWHERE,
    Advanced,
    CoreEvent,
    Died,
    Exactness,
    Failed,
    Finished,
    Generation,
    Progress,
    Ready,
    Suspended,
    Traits,
    no_embeddings,
)
from aios.cores.frames import Drop, Start, Stop
from aios.errors import CoreFailed, Damaged, InvalidArgument
from aios.syscalls.llm import Decoding, Generate, Message, Tokenize
from aios.testing.answers import Spoken, invented, recited, tokens_of
from aios.testing.runs import Run
from aios.testing.script import NO_FAULTS, Faults, Script
from aios.testing.store import Place, ScriptedStore

Answer = Callable[[Generate], Message | str | None]
Order = Start | Stop | Drop


class ScriptedCore:
    """A `Core` in virtual time. Its store may serve another core after this one.

    Its engine, after a crash, knows no snapshots but those it is told of, and of the orders that
    were given until then only the drops of snapshots are still carried out.
    """

    def __init__(
        self,
        script: Script,
        *,
        clock: Clock,
        rng: random.Random,
        store: ScriptedStore,
        answer: Answer | None = None,
        faults: Faults = NO_FAULTS,
    ) -> None:
        self._script = script
        self._clock = clock
        self._rng = rng
        self._store = store
        self._answer = answer
        self._faults = faults
        self._orders: deque[Order] = deque()
        self._running: dict[str, Run] = {}  # earliest started first
        self._resting: dict[str, Run] = {}  # in DEVICE, longest resting first; not in _running
        self._kept: dict[str, SnapshotRef] = {}  # snapshots that this engine knows
        self._woken = Event()
        self._crash_reason = ""  # not empty: the engine dies at the next boundary
        self._is_final = False  # the next death is the last
        self._is_down = False
        self._is_closed = False

    @property
    def traits(self) -> Traits:
        script = self._script
        return Traits(
            model=script.model,
            exactness=Exactness.BITWISE,
            kv_export=True,
            beam=False,
            lanes=script.lanes,
            context_tokens=script.context_tokens,
            kv_tokens=script.kv_tokens,
            block_tokens=script.block_tokens,
            fingerprint=script.fingerprint,
            device="none",
            embedding_width=script.embedding_width,
        )

    async def prepare(self, call: Generate | Tokenize) -> tuple[int, ...]:
        """Token ids; asks `answer` once for each generation and remembers what it says."""
        prompt = tokens_of(call)
        if isinstance(call, Generate):
            self._check(call, len(prompt))
            said = self._answer(call) if self._answer else None
            if said is not None:
                message = Message("assistant", said) if isinstance(said, str) else said
                self._store.remember(prompt, message)
        return prompt

    async def embed(self, text: str) -> tuple[float, ...]:
        """How many of the text's tokens fall to each place."""
        width = self._script.embedding_width
        if not width:
            raise no_embeddings(self._script.model)
        places = [token % width for token in tokens_of(Tokenize(text=text))]
        return tuple(float(places.count(place)) for place in range(width))

    def start(self, generation: Generation, progress: Progress) -> None:
        self._order(Start(generation, progress))

    def stop(self, generation_id: str, to: Tier, snapshot: SnapshotRef | None) -> None:
        self._order(Stop(generation_id, to, snapshot))

    def drop(self, generation_id: str, snapshot: SnapshotRef | None) -> None:
        self._order(Drop(generation_id, snapshot))

    def crash(self, reason: str = "told to crash", *, final: bool = False) -> None:
        """Let the engine die at the next boundary; unless `final`, it comes back by itself."""
        self._crash_reason = reason
        self._is_final = final
        self._woken.set()

    async def events(self) -> AsyncIterator[Sequence[CoreEvent]]:
        batch: list[CoreEvent] = [Ready()]
        while not self._is_closed:
            if batch:
                yield batch
            if self._is_down and self._is_final:
                return
            if self._is_down:
                await self._clock.sleep(self._faults.restart_s)
                self._is_down = False
                batch = [Ready()]
            else:
                batch = self._obey() or await self._work()

    async def close(self) -> None:
        self._is_closed = True
        self._woken.set()

    def _order(self, order: Order) -> None:
        if _outlives(order) or not self._is_down:
            self._orders.append(order)
            self._woken.set()

    def _check(self, call: Generate, prompt_tokens: int) -> None:
        """Raise `InvalidArgument` for what a scripted model cannot do."""
        decoding, script = call.decoding, self._script
        refusals = {
            f"expected less than {script.context_tokens} prompt tokens, got {prompt_tokens}": (
                prompt_tokens >= script.context_tokens
            ),
            f"expected at most {script.lanes} branches, got {decoding.branches}": (
                decoding.branches > script.lanes
            ),
            "a scripted model has no beams": decoding.beams is not None,
            "a scripted model has no logprobs": decoding.logprobs is not None,
            "a scripted model needs a chosen answer where a schema is asked for": (
                decoding.schema is not None and self._answer is None
            ),
            "the scripted model refuses this prompt": self._strikes(self._faults.refuse),
        }
        for message, holds in refusals.items():
            if holds:
                raise InvalidArgument(message)

    def _strikes(self, chance: float) -> bool:
        return chance > 0 and self._rng.random() < chance

    def _obey(self) -> list[CoreEvent]:
        """Carry out all orders, at a token boundary."""
        events: list[CoreEvent] = []
        while self._orders:
            order = self._orders.popleft()
            if isinstance(order, Start):
                self._admit(order.generation, order.progress)
            elif isinstance(order, Drop):
                self._end(order.id, order.snapshot)
            else:
                ref = self._stopped(order.id, order.to, order.snapshot)
                events.append(Suspended(id=order.id, snapshot=ref))
        return events

    async def _work(self) -> list[CoreEvent]:
        """One step of the whole batch, or a wait for orders where there is nothing to run."""
        if not self._running and not self._crash_reason:
            self._woken.clear()
            if not self._is_closed:
                await self._woken.wait()
            return []
        shares = self._shares()
        if events := self._room_made(shares):
            return events
        await self._clock.sleep(self._duration(shares))
        for run, share in shares:
            self._advance(run, share, events)
        self._strike(events)
        return events

    def _shares(self) -> list[tuple[Run, int]]:
        """Prompt tokens that each running generation prefills in this step, oldest first."""
        left = self._script.prefill_chunk
        shares = []
        for run in self._running.values():
            share = min(run.todo, left)
            left -= share
            shares.append((run, share))
        return shares

    def _duration(self, shares: list[tuple[Run, int]]) -> float:
        prefilled = sum(share for _, share in shares)
        decodes = any(run.todo == 0 for run, _ in shares)
        seconds = prefilled / self._script.prefill_per_s + decodes * self._script.step_s
        seconds += self._strikes(self._faults.slow) * self._faults.slow_s
        return seconds + self._strikes(self._faults.hang) * self._faults.hang_s

    def _room_made(self, shares: list[tuple[Run, int]]) -> list[CoreEvent]:
        """What must go so that this step's KV fits: first who rests, then who started last."""
        block, ahead = self._script.block_tokens, self._script.step_tokens
        wanted = sum(run.kv_tokens(block, share, ahead) for run, share in shares)
        wanted += sum(run.kv_tokens(block) for run in self._resting.values())
        events: list[CoreEvent] = []
        shares = list(shares)
        while wanted > self._script.kv_tokens:
            if self._resting:
                run = next(iter(self._resting.values()))
                wanted -= run.kv_tokens(block)
            else:
                run, share = shares.pop()
                wanted -= run.kv_tokens(block, share, ahead)
            events.append(self._taken_off(run, alone=not self._resting and not shares))
        return events

    def _taken_off(self, run: Run, *, alone: bool) -> CoreEvent:
        if alone:
            self._end(run.id)
            message = f"generation {run.id} does not fit into {self._script.kv_tokens} KV tokens"
            return Failed(id=run.id, code=CoreFailed.code, message=message)
        ref = self._stopped(run.id, Tier.RAM, None)
        return Suspended(id=run.id, snapshot=ref, asked=False)

    def _advance(self, run: Run, share: int, events: list[CoreEvent]) -> None:
        run.todo -= share
        produced = 0 if run.todo else run.produce(self._script.step_tokens)
        events.append(
            Advanced(
                id=run.id,
                prefilled=share,
                produced=produced,
                kv_tokens=run.kv_tokens(self._script.block_tokens),
                deltas=run.delivery() if self._script.deltas else (),
            )
        )
        if not run.todo and run.done == run.length:
            events.append(Finished(id=run.id, choices=run.choices(), recomputed=run.recomputed))
            self._end(run.id)

    def _strike(self, events: list[CoreEvent]) -> None:
        """Let the faults of this step happen."""
        if self._strikes(self._faults.fail) and self._running:
            run = self._rng.choice(list(self._running.values()))
            self._end(run.id)
            events.append(Failed(id=run.id, code=CoreFailed.code, message="scripted failure"))
        if self._strikes(self._faults.suspend) and self._running:
            run = self._rng.choice(list(self._running.values()))
            events.append(self._taken_off(run, alone=False))
        if self._strikes(self._faults.crash):
            self._crash_reason = "scripted crash"
        if self._crash_reason:
            events.append(self._death())

    def _death(self) -> Died:
        """The engine's end: with it goes all it held, all it knew, and what it had not done."""
        reason, self._crash_reason = self._crash_reason, ""
        self._running.clear()
        self._resting.clear()
        self._kept.clear()
        self._orders = deque(filter(_outlives, self._orders))
        self._is_down = True
        return Died(reason=reason, final=self._is_final)

    def _admit(self, generation: Generation, progress: Progress) -> None:
        assert generation.id not in self._running, f"{generation.id} runs already"
        run = self._resting.pop(generation.id, None) or self._restored(generation, progress)
        run.check(progress.produced)
        self._running[generation.id] = run
        lanes = sum(one.generation.decoding.branches for one in self._running.values())
        assert lanes <= self._script.lanes, f"{lanes} branches on {self._script.lanes} lanes"

    def _restored(self, generation: Generation, progress: Progress) -> Run:
        """A generation that this engine does not hold: new, from a snapshot, or recomputed."""
        run = Run(generation, self._spoken(generation.prompt, generation.decoding))
        done = max(map(len, progress.produced), default=0)
        if progress.snapshot is not None and progress.snapshot.path:
            self._kept[run.id] = progress.snapshot
            try:
                run.restore(self._store.load(progress.snapshot, self._script.fingerprint), done)
                return run
            except Damaged as problem:
                run.recomputed = problem.message
        elif done:
            run.recomputed = "no snapshot was left"
        run.restore(Place(todo=len(generation.prompt), done=0), done)
        return run

    def _spoken(self, prompt: tuple[int, ...], decoding: Decoding) -> tuple[Spoken, ...]:
        room = self._script.context_tokens - len(prompt)
        tokens_max = min(decoding.max_tokens or room, room)
        chosen = self._store.answer(prompt)
        if chosen is not None:
            return recited(chosen, decoding, tokens_max)
        return invented(prompt, decoding, self._script.answer_tokens, tokens_max)

    def _stopped(self, generation_id: str, to: Tier, known: SnapshotRef | None) -> SnapshotRef:
        """Suspend, or move what rests: what this engine keeps, or else what is `known`."""
        run = self._running.pop(generation_id, None) or self._resting.pop(generation_id, None)
        if run is None:
            return self._moved(generation_id, self._kept.get(generation_id) or known or NOWHERE, to)
        tokens = run.kv_tokens(self._script.block_tokens)
        ref = SnapshotRef(tier=to, path="", bytes=0, tokens=tokens)
        if to is Tier.DEVICE:
            self._resting[generation_id] = run
            return ref
        ref = self._store.save(generation_id, self._script.fingerprint, run.place(), ref)
        self._forget(generation_id)
        self._kept[generation_id] = ref
        if self._strikes(self._faults.damage):
            self._store.damage(ref)
        return ref

    def _moved(self, generation_id: str, ref: SnapshotRef, to: Tier) -> SnapshotRef:
        moved = self._store.move(ref, to)
        if moved != ref:
            self._kept[generation_id] = moved
        return moved

    def _end(self, generation_id: str, known: SnapshotRef | None = None) -> None:
        self._running.pop(generation_id, None)
        self._resting.pop(generation_id, None)
        self._forget(generation_id, known)

    def _forget(self, generation_id: str, known: SnapshotRef | None = None) -> None:
        for ref in (self._kept.pop(generation_id, None), known):
            if ref is not None:
                self._store.remove(ref)


def _outlives(order: Order) -> bool:
    """Whether the next engine carries it out where this one dies."""
    return isinstance(order, Drop) and order.snapshot is not None
