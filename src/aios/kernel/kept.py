"""Generations that outlive the kernel: accepted with all that decides their tokens, checkpointed.

What is produced is written every few tokens and never waited for: what a crash takes is computed
again, and is the same. Knows no core and no task.
"""

from collections.abc import Iterable
from typing import Self

import msgspec

from aios.context.snapshot import SnapshotRef, Tier
from aios.cores.base import Generation, Progress
from aios.journal import statements
from aios.journal.base import Change, Journal, Row
from aios.kernel.generations import LiveGeneration
from aios.syscalls.codec import encode
from aios.syscalls.llm import Decoding, Generate

TOKENS_EACH = 32  # between two checkpoints of one generation

Tokens = tuple[tuple[int, ...], ...]  # of each branch


class _Body(msgspec.Struct, frozen=True, kw_only=True):
    call: Generate
    digest: bytes
    prompt: tuple[int, ...]
    decoding: Decoding


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """A generation as the journal has it. `outcome` is there once it is over and nobody has it."""

    id: str
    pid: int
    name: str  # by which its process asks for it
    digest: bytes
    fingerprint: str  # of the core that ran it: its token ids mean nothing to another model
    accepted: float  # where there is an outcome: when that came
    call: Generate
    prompt: tuple[int, ...]
    decoding: Decoding
    produced: Tokens = ()
    snapshot: SnapshotRef | None = None
    outcome: bytes = b""

    @property
    def generation(self) -> Generation:
        return Generation(id=self.id, prompt=self.prompt, decoding=self.decoding)

    @property
    def progress(self) -> Progress:
        return Progress(snapshot=self.snapshot, produced=self.produced)


class Saved:
    """The checkpoints of one generation: each holds the tokens since the last."""

    def __init__(self, journal: Journal, generation: str, produced: Tokens = ()) -> None:
        self._journal = journal
        self._id = generation
        self._lengths = list(map(len, produced))  # of each branch, as far as it was posted
        self._part = sum(self._lengths)  # grows with each part, from one kernel to the next too

    def advanced(self, live: LiveGeneration) -> None:
        if sum(map(len, live.produced)) - sum(self._lengths) >= TOKENS_EACH:
            self._save(live, ())

    def rests(self, live: LiveGeneration) -> None:
        if live.snapshot is not None and live.snapshot.tier is Tier.DISK:
            reference = encode(live.snapshot)
            self._save(live, [Change(statements.GENERATION_RESTS, (reference, self._id))])

    def _save(self, live: LiveGeneration, more: Iterable[Change]) -> None:
        known = [*self._lengths, *[0] * (len(live.produced) - len(self._lengths))]
        news = [tokens[start:] for tokens, start in zip(live.produced, known, strict=True)]
        row = (self._id, self._part, encode((known, news)))
        self._journal.post([Change(statements.GENERATION_TOKENS_ADD, row), *more])
        self._lengths = [len(tokens) for tokens in live.produced]
        self._part = max(self._part + 1, sum(self._lengths))


class KeptGenerations:
    """Reads and writes them; with no journal, none."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    async def accept(self, kept: Kept) -> Saved:
        """Durable when it returns: from now on it has its one result, whatever happens."""
        body = _Body(call=kept.call, digest=kept.digest, prompt=kept.prompt, decoding=kept.decoding)
        row = (kept.id, kept.pid, kept.name, kept.fingerprint, kept.accepted, encode(body))
        await self._journal.post([Change(statements.GENERATION_ADD, row)])
        return self.go_on(kept)

    def go_on(self, kept: Kept) -> Saved:
        return Saved(self._journal, kept.id, kept.produced)

    def done(self, generation: str, outcome: bytes, at: float) -> None:
        """It is over, and its result waits for whoever asks."""
        done = Change(statements.GENERATION_DONE, (outcome, at, generation))
        self._journal.post([done, forgotten(generation)[1]])

    def drop(self, generation: str) -> None:
        """Nobody will ask for it."""
        self._journal.post(forgotten(generation))

    async def load(self) -> list[Kept]:
        """All that an earlier kernel left, oldest first."""
        self._journal.post([Change(statements.GENERATION_TOKENS_SWEEP, ())])
        parts: dict[str, _Parts] = {}
        for generation, _, tokens in await self._journal.read(statements.GENERATION_TOKENS_ALL):
            assert isinstance(generation, str)
            assert isinstance(tokens, bytes)
            parts.setdefault(generation, _Parts()).add(tokens)
        rows = await self._journal.read(statements.GENERATIONS_ALL)
        return [_Row.of(row).kept(parts) for row in rows]


def forgotten(generation: str) -> list[Change]:
    """It leaves the journal: with the commit that gives its result away, or alone."""
    return [
        Change(statements.GENERATION_FORGET, (generation,)),
        Change(statements.GENERATION_TOKENS_FORGET, (generation,)),
    ]


async def snapshots(journal: Journal) -> set[str]:
    """Paths of the snapshots that kept generations go on from."""
    rows = await journal.read(statements.GENERATION_SNAPSHOTS)
    return {_reference(row[0]).path for row in rows if isinstance(row[0], bytes)}


class _Parts:
    """Puts checkpoints together as far as none is missing: one that found no room is."""

    def __init__(self) -> None:
        self.produced: list[list[int]] = []
        self.is_whole = True

    def add(self, part: bytes) -> None:
        starts, news = msgspec.msgpack.decode(part, type=tuple[list[int], list[list[int]]])
        known = list(map(len, self.produced))
        if starts != [*known, *[0] * (len(starts) - len(known))]:
            self.is_whole = False
        if self.is_whole:
            self.produced += [[] for _ in range(len(starts) - len(known))]
            for tokens, more in zip(self.produced, news, strict=True):
                tokens += more


class _Row(msgspec.Struct, array_like=True):
    id: str
    pid: int
    name: str
    fingerprint: str
    accepted: float
    body: bytes
    snapshot: bytes | None
    outcome: bytes | None

    @classmethod
    def of(cls, row: Row) -> Self:
        return msgspec.convert(row, cls)

    def kept(self, parts: dict[str, _Parts]) -> Kept:
        body = msgspec.msgpack.decode(self.body, type=_Body)
        found = parts.get(self.id) or _Parts()
        return Kept(
            id=self.id,
            pid=self.pid,
            name=self.name,
            digest=body.digest,
            fingerprint=self.fingerprint,
            accepted=self.accepted,
            call=body.call,
            prompt=body.prompt,
            decoding=body.decoding,
            produced=tuple(map(tuple, found.produced)),
            snapshot=_reference(self.snapshot) if self.snapshot and found.is_whole else None,
            outcome=self.outcome or b"",
        )


def _reference(body: bytes) -> SnapshotRef:
    return msgspec.msgpack.decode(body, type=SnapshotRef)
