"""What the kernel asks of an LLM core, and what a core tells back. Knows no scheduler.

A core runs its batch freely. Orders (`start`, `stop`, `drop`) return at once, are carried out in
the order given, and take effect at the next token boundary; what came of them arrives as events.
A generation ends with exactly one of `Finished` or `Failed`, or silently after `drop`.
"""

from collections.abc import AsyncIterator, Sequence
from enum import StrEnum
from typing import Protocol

import msgspec

from aios.context.snapshot import SnapshotRef, Tier
from aios.errors import InvalidArgument
from aios.syscalls.llm import Choice, Decoding, Delta, Generate, Tokenize

NOWHERE = SnapshotRef(tier=Tier.DEVICE, path="", bytes=0, tokens=0)
"""Nothing is kept."""


class Exactness(StrEnum):
    """How far a resumed generation equals the uninterrupted one."""

    BITWISE = "bitwise"
    TOKEN = "token"
    BEST_EFFORT = "best-effort"


class Traits(msgspec.Struct, frozen=True, kw_only=True):
    """What a core can do. The kernel assumes nothing beyond this."""

    model: str
    exactness: Exactness
    kv_export: bool  # stop(to=RAM | DISK) keeps the KV; otherwise it resumes from token ids
    beam: bool
    lanes: int  # branches that decode at once
    context_tokens: int  # longest prompt plus answer of one branch
    kv_tokens: int  # KV room for all generations together
    block_tokens: int  # KV is held in whole blocks of this many tokens
    fingerprint: str  # weights, dtype, library versions, kernel mode, processor kind
    device: str
    embedding_width: int = 0  # numbers in a vector of `embed`; 0: the core embeds nothing
    price_in: float = 0.0  # money that a token of a prompt costs
    price_out: float = 0.0  # and one that is produced


class Generation(msgspec.Struct, frozen=True, kw_only=True):
    """One LLM call as a core runs it: token ids in, `decoding` with its seed filled in."""

    id: str
    prompt: tuple[int, ...]
    decoding: Decoding


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """Where to go on from. `produced` holds each branch's tokens that were already delivered.

    `produced` is exact: all that was delivered. A core that restores `snapshot` first replays the
    tokens beyond it, so that nothing is delivered twice and nothing changes. Without a usable
    snapshot it recomputes from `produced`.
    """

    snapshot: SnapshotRef | None = None
    produced: tuple[tuple[int, ...], ...] = ()


class Advanced(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Work done on one generation since its last event.

    `prefilled` prompt tokens were computed (cached ones not counted), `produced` tokens were
    chosen over all branches, `kv_tokens` are held now in whole blocks. Beams deliver no deltas.
    """

    id: str
    prefilled: int
    produced: int
    kv_tokens: int
    deltas: tuple[Delta, ...] = ()


class Finished(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The generation is done and holds nothing any more."""

    id: str
    choices: tuple[Choice, ...]
    cached_tokens: int = 0
    recomputed: str = ""  # why a snapshot could not be used, if so


class Suspended(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The generation left its lanes, or moved to another tier while it rested.

    Every `stop` is answered by exactly one of these with `asked` True, whatever became of the
    generation meanwhile: where it ended, is unknown, or found no room, the snapshot is NOWHERE or
    where it still rests. `asked` is False where the core took the generation off by itself because
    it ran out of KV.
    """

    id: str
    snapshot: SnapshotRef
    asked: bool = True


class Failed(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The generation cannot go on; `code` is one of `aios.errors.ERRORS`."""

    id: str
    code: str
    message: str


class Died(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The core's engine is gone with all it held in DEVICE; stops not yet answered are void.

    A new one is being started, and `Ready` follows, unless this is `final`: then it died too often,
    no event follows, and whatever is live on this core cannot go on.
    """

    reason: str
    final: bool = False


class Ready(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The core's engine serves (again)."""


CoreEvent = Advanced | Finished | Suspended | Failed | Died | Ready


class Core(Protocol):
    """An LLM that runs generations on lanes."""

    @property
    def traits(self) -> Traits: ...

    async def prepare(self, call: Generate | Tokenize) -> tuple[int, ...]:
        """Token ids of the prompt. Raises `InvalidArgument` for what the model cannot take."""
        ...

    async def embed(self, text: str) -> tuple[float, ...]:
        """The mean of the last hidden states of the text's tokens, `embedding_width` numbers.

        The same text gives the same vector, whatever else the core does. Raises `InvalidArgument`
        where the core embeds nothing.
        """
        ...

    def start(self, generation: Generation, progress: Progress) -> None:
        """Begin, or go on with a suspended generation, none of whose stops is unanswered."""
        ...

    def stop(self, generation_id: str, to: Tier, snapshot: SnapshotRef | None) -> None:
        """Suspend into a tier, or move what rests already. Always answered by one `Suspended`.

        `snapshot` is the last one that the kernel knows of: an engine that was started anew has
        not made it, and yet is the one to move it.
        """
        ...

    def drop(self, generation_id: str, snapshot: SnapshotRef | None) -> None:
        """Forget a generation, all that is kept for it, and `snapshot`. No event follows.

        A core whose engine is down sees to it once there is a new one.
        """
        ...

    def events(self) -> AsyncIterator[Sequence[CoreEvent]]:
        """Batches of events in order, until the core is closed. One reader."""
        ...

    async def close(self) -> None:
        """Stop the engine. Snapshots in RAM and DISK stay."""
        ...


def no_embeddings(model: str) -> InvalidArgument:
    """What `embed` raises where there is nothing to embed with."""
    return InvalidArgument(
        f"expected a core that embeds texts; {model} declares no embedding_width"
    )
