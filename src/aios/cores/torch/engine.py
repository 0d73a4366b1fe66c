"""Runs generations on one model: one batch, changed at token boundaries. Knows no process, no time.

Orders are noted and carried out, in order, at the beginning of the next `step`, which then
computes one forward pass for everybody who runs and returns what came of both.
"""

from collections.abc import Callable, Iterable
from functools import partial

import torch

from aios.context.snapshot import SnapshotRef, Tier
from aios.cores.base import (
    CoreEvent,
    Failed,
    Generation,
    Progress,
    Suspended,
    Traits,
    no_embeddings,
)
from aios.cores.torch import checkpoint
from aios.cores.torch.batch import Batch, Probe, Turn
from aios.cores.torch.forward import Forward
from aios.cores.torch.language import Language, Limits
from aios.cores.torch.load import Loaded, load
from aios.cores.torch.plan import BUCKET_BLOCKS, rules_for
from aios.cores.torch.pool import Pool
from aios.cores.torch.prefix import PrefixCache
from aios.cores.torch.reading import Reading
from aios.cores.torch.selftest import measured_exactness
from aios.cores.torch.sequence import Group
from aios.cores.torch.settings import BLOCK_TOKENS, Settings
from aios.cores.torch.shelf import Saved, Shelf, Store
from aios.errors import AiosError, CoreFailed, Damaged, InvalidArgument
from aios.syscalls.llm import Generate, Tokenize

SEQUENCE_TOKENS_MIN = 256  # KV for less than this serves nobody
SAVE_WAIT_S = 0.01  # how long an idle step waits for a disk


class Engine:
    """One thread drives it. `probe` is shown each row of logits that a token was chosen from."""

    def __init__(self, settings: Settings, store: Store, probe: Probe | None = None) -> None:
        loaded = load(settings)
        self._settings = settings
        self._shelf = Shelf(store)
        self._loaded = loaded
        self._pool = _pool(settings, loaded)
        limits = Limits(
            context_tokens=min(loaded.context_tokens, (self._pool.capacity - 2) * BLOCK_TOKENS),
            blocks=self._pool.capacity,
            lanes=settings.lanes,
            vocab_size=loaded.vocab_size,
        )
        self._language = Language(loaded.tokenizer, limits)
        rules = rules_for(
            exact=settings.exact, device=loaded.device.place, chunk_tokens=settings.chunk_tokens
        )
        forward = Forward(loaded.network, self._pool, rules)
        self._batch = Batch(forward, settings, probe)
        self._reading = Reading(loaded, self._language, rules)
        self._exactness = measured_exactness(forward, loaded.vocab_size)
        self._orders: list[Callable[[], None]] = []
        self._running: dict[str, Group] = {}  # oldest first
        self._resting: dict[str, Group] = {}  # in DEVICE, disjoint from running
        self._events: list[CoreEvent] = []

    @property
    def traits(self) -> Traits:
        limits = self._language.limits
        return Traits(
            model=self._settings.called,
            exactness=self._exactness,
            kv_export=True,
            beam=True,
            lanes=limits.lanes,
            context_tokens=limits.context_tokens,
            kv_tokens=limits.blocks * BLOCK_TOKENS,
            block_tokens=BLOCK_TOKENS,
            fingerprint=self._loaded.fingerprint,
            device=self._loaded.device.name,
            embedding_width=self._reading.width,
        )

    @property
    def is_idle(self) -> bool:
        """Nothing to do: no order, nobody running, no snapshot being written."""
        return not (self._orders or self._running or self._shelf.is_saving)

    def prepare(self, call: Generate | Tokenize) -> tuple[int, ...]:
        """Token ids of the prompt. Raises `InvalidArgument` for what the model cannot take."""
        return self._language.prepare(call)

    def embed(self, text: str) -> tuple[float, ...]:
        """The mean of the last hidden states over the beginning of a text."""
        if not self._reading.width:
            raise no_embeddings(self._settings.called)
        return self._reading.vector(text)

    def start(self, generation: Generation, progress: Progress) -> None:
        """Begin, or go on with a suspended generation."""
        self._orders.append(lambda: self._start(generation, progress))

    def stop(self, generation_id: str, to: Tier, snapshot: SnapshotRef | None) -> None:
        """Suspend into a tier, or move what rests already, `snapshot` if no other is known."""
        self._orders.append(lambda: self._stop(generation_id, to, snapshot))

    def drop(self, generation_id: str, snapshot: SnapshotRef | None) -> None:
        """Forget a generation, all that is kept for it, and `snapshot`."""
        self._orders.append(lambda: self._drop(generation_id, snapshot))

    def step(self) -> list[CoreEvent]:
        """Carry out the orders, compute one token boundary, tell what came of both."""
        orders, self._orders = self._orders, []
        for order in orders:
            order()
        if self._compute():
            self._end(self._batch.take_ended())
            for name, problem in self._batch.take_failures():
                self._free(self._running.pop(name))
                self._fail(name, problem)
        elif self._shelf.is_saving:
            self._shelf.wait(SAVE_WAIT_S)
        for saved in self._shelf.take_saved():
            self._tell(saved)
        events, self._events = self._events, []
        return events

    def close(self) -> None:
        """Wait for snapshots under way."""
        self._shelf.wait(None)

    # Orders.

    def _start(self, generation: Generation, progress: Progress) -> None:
        name = generation.id
        self._settle(name)
        if name in self._running:
            return
        try:
            group = self._resting.pop(name, None) or self._revived(generation, progress)
        except AiosError as problem:
            self._fail(name, problem)
            return
        if group is None:
            self._tell(Saved(name, self._shelf.kept(name), asked=False))
            return
        self._running[name] = group
        if not group.active:  # Everything was produced before, only the end was not told.
            self._end([group])

    def _stop(self, name: str, to: Tier, known: SnapshotRef | None) -> None:
        self._settle(name)
        group = self._running.pop(name, None) or self._resting.pop(name, None)
        if group is not None:
            self._suspend(group, to, asked=True)
        else:
            self._tell(Saved(name, self._shelf.move(name, to, known), asked=True))

    def _drop(self, name: str, known: SnapshotRef | None) -> None:
        self._shelf.settle(name)
        group = self._running.pop(name, None) or self._resting.pop(name, None)
        if group is not None:
            self._free(group)
        self._shelf.forget(name, known)

    # Into the tiers and back.

    def _suspend(self, group: Group, to: Tier, *, asked: bool) -> None:
        if to is Tier.DEVICE:
            self._resting[group.id] = group
            size = len(self._pool.held(group.rows))
            ref = SnapshotRef(
                tier=to, path="", bytes=size * self._pool.shape.block_bytes,
                tokens=size * BLOCK_TOKENS,
            )  # fmt: skip
            self._tell(Saved(group.id, ref, asked))
            return
        snapshot, blocks = checkpoint.describe(group, self._pool, self._loaded.fingerprint)
        fill = partial(checkpoint.copy_out, self._pool, blocks)
        if self._shelf.try_save(snapshot, to, fill, asked=asked):
            self._free(group)
        elif asked:  # No tier has room: whoever was stopped stays in the pool ...
            self._suspend(group, Tier.DEVICE, asked=True)
        else:  # ... and whoever must go is recomputed from its tokens.
            self._free(group)
            self._tell(Saved(group.id, self._shelf.kept(group.id), asked=False))

    def _revived(self, generation: Generation, progress: Progress) -> Group | None:
        """A generation that is not in the pool; None where its snapshot finds no room now."""
        ref = progress.snapshot if progress.snapshot and progress.snapshot.path else None
        if ref is not None:
            self._shelf.note(generation.id, ref)
        group = self._new(generation)
        reason = ""
        if ref is not None:
            try:
                return group if self._restore(group, ref, progress) else None
            except Damaged as problem:
                reason = str(problem)
                group = self._new(generation)
        elif any(progress.produced):
            reason = "expected a snapshot, the engine that held the KV is gone"
        group.recomputed = reason
        if not group.tree:
            for branch, tokens in zip(group.branches, progress.produced, strict=False):
                group.tell(branch, tokens)
        return group

    def _new(self, generation: Generation) -> Group:
        self._language.check(generation.prompt, generation.decoding)
        return Group(generation, self._language, self._loaded.eos)

    def _restore(self, group: Group, ref: SnapshotRef, progress: Progress) -> bool:
        if not self._make_room(ref.tokens // BLOCK_TOKENS):
            return False  # Said before the snapshot is read: it may be asked for again and again.
        found = self._shelf.load(ref)
        try:
            state = checkpoint.read(found.snapshot, group, self._loaded.fingerprint)
            fresh = checkpoint.told(group, state, progress.produced)
            if not self._make_room(len(found.kv) // self._pool.shape.block_bytes):
                return False
            checkpoint.adopt(group, state, self._pool, found.kv)
        finally:
            found.close()
        for branch in group.branches:
            if branch not in group.active:
                self._batch.close(branch)
        self._batch.owe(group, fresh)
        return True

    def _settle(self, name: str) -> None:
        """Wait for the generation's snapshot, if one is being written."""
        saved = self._shelf.settle(name)
        if saved is not None:
            self._tell(saved)

    def _tell(self, saved: Saved) -> None:
        self._events.append(Suspended(id=saved.name, snapshot=saved.ref, asked=saved.asked))

    # Room.

    def _turn(self) -> Turn | None:
        """Who computes what now, with room in the pool for all of it."""
        while self._running:
            turn = self._batch.turn(list(self._running.values()))
            if self._batch.need(turn) <= self._pool.room:
                return turn
            self._yield_youngest()
        return None

    def _make_room(self, blocks: int) -> bool:
        """Room for a snapshot, at the cost of those who rest in the pool, not of those who run."""
        while self._pool.room < blocks and self._resting:
            self._yield_youngest()
        return self._pool.room >= blocks

    def _yield_youngest(self) -> None:
        """Somebody leaves the pool: who rests first, then the youngest of those who run."""
        crowd = self._resting or self._running
        _, group = crowd.popitem()
        self._suspend(group, Tier.RAM, asked=False)

    def _compute(self) -> bool:
        """One pass of whoever can have one; False where nobody can."""
        while (turn := self._turn()) is not None:
            try:
                self._events += self._batch.compute(turn)
            except CoreFailed as problem:
                self._send_away(problem)
            else:
                return True
        return False

    def _send_away(self, problem: CoreFailed) -> None:
        """The device lacks memory for the pass itself: the youngest leaves, or fails if alone."""
        _, group = self._running.popitem()
        self._events += self._batch.paid(group)
        if self._running:
            self._suspend(group, Tier.RAM, asked=False)
        else:
            self._free(group)
            self._fail(group.id, problem)

    # Ends.

    def _end(self, ended: Iterable[Group]) -> None:
        for group in ended:
            del self._running[group.id]
            self._free(group)
            self._shelf.forget(group.id)
            self._events += self._batch.paid(group)
            self._events.append(group.finished())

    def _fail(self, name: str, problem: AiosError) -> None:
        self._shelf.forget(name)
        self._events.append(Failed(id=name, code=problem.code, message=str(problem)))

    def _free(self, group: Group) -> None:
        for branch in group.branches:
            self._batch.close(branch)


def _pool(settings: Settings, loaded: Loaded) -> Pool:
    size = loaded.shape.block_bytes
    least = -(-min(loaded.context_tokens, SEQUENCE_TOKENS_MIN) // BLOCK_TOKENS) + 2
    blocks = settings.kv_bytes // size
    if blocks < least:
        raise InvalidArgument(
            f"expected kv_bytes of at least {least * size} to hold one sequence of "
            f"{(least - 2) * BLOCK_TOKENS} tokens, got {settings.kv_bytes}"
        )
    row = min(-(-loaded.context_tokens // BLOCK_TOKENS), blocks)
    try:
        return Pool(
            loaded.shape,
            PrefixCache(settings.chunk_tokens, settings.chunk_tokens // BLOCK_TOKENS),
            blocks=blocks,
            row_blocks=-(-row // BUCKET_BLOCKS) * BUCKET_BLOCKS,
            device=loaded.device.place,
        )
    except torch.OutOfMemoryError as problem:
        raise InvalidArgument(
            f"expected kv_bytes that {loaded.device.name} has room for beside the weights, "
            f"got {settings.kv_bytes}: {str(problem).split('. ', 1)[0]}"
        ) from None
