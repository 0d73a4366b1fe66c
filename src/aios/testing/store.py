"""What outlives a scripted core: snapshots in the tiers RAM and DISK, and the answers it was given.

Knows no core. A snapshot here is the real record with a real checksum, over a KV of no bytes.
"""

import zlib
from collections import OrderedDict

import msgspec

from aios.context.snapshot import Snapshot, SnapshotRef, Tier
from aios.errors import Damaged
from aios.syscalls.llm import Message

ANSWERS_MAX = 100_000

_DEPTH = {Tier.DEVICE: 0, Tier.RAM: 1, Tier.DISK: 2}


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where a scripted generation stands: prompt tokens to prefill yet, answer tokens done."""

    todo: int
    done: int
    recomputed: str = ""


class ScriptedStore:
    """Shared by all cores that may go on with each other's generations."""

    def __init__(self) -> None:
        self._snapshots: dict[str, Snapshot] = {}  # by path
        self._latest: dict[str, SnapshotRef] = {}  # by generation; no other is kept
        self._answers: OrderedDict[tuple[int, ...], Message] = OrderedDict()  # oldest first
        self._saved = 0

    def save(
        self, generation: str, fingerprint: str, place: Place, ref: SnapshotRef
    ) -> SnapshotRef:
        """Keep a snapshot in `ref`'s tier instead of the one before; tells where it lies."""
        self._saved += 1
        path = f"scripted:{ref.tier}/{generation}/{self._saved}"
        state = msgspec.msgpack.encode(place)
        self.forget(generation)
        self._snapshots[path] = Snapshot(
            generation=generation,
            fingerprint=fingerprint,
            state=state,
            kv_bytes=0,
            kv_checksum=zlib.crc32(state),
            tokens=ref.tokens,
        )
        self._latest[generation] = msgspec.structs.replace(ref, path=path, bytes=len(state))
        return self._latest[generation]

    def load(self, ref: SnapshotRef, fingerprint: str) -> Place:
        """Where to go on, or `Damaged` with the reason why nobody can from there."""
        snapshot = self._snapshots.get(ref.path)
        if snapshot is None:
            raise Damaged(f"no snapshot at {ref.path!r}")
        if zlib.crc32(snapshot.state) != snapshot.kv_checksum:
            raise Damaged(f"wrong checksum in {ref.path!r}")
        if snapshot.fingerprint != fingerprint:
            raise Damaged(f"snapshot is of {snapshot.fingerprint!r}, this core is {fingerprint!r}")
        return msgspec.msgpack.decode(snapshot.state, type=Place)

    def latest(self, generation: str, at_least: Tier) -> SnapshotRef | None:
        """The generation's snapshot, first moved down to a tier where it lies above it."""
        ref = self._latest.get(generation)
        if ref is not None and _DEPTH[ref.tier] < _DEPTH[at_least]:
            ref = self._latest[generation] = msgspec.structs.replace(ref, tier=at_least)
        return ref

    def damage(self, ref: SnapshotRef) -> None:
        """Flip a bit."""
        kept = self._snapshots[ref.path]
        self._snapshots[ref.path] = msgspec.structs.replace(kept, kv_checksum=kept.kv_checksum ^ 1)

    def forget(self, generation: str) -> None:
        ref = self._latest.pop(generation, None)
        if ref is not None:
            del self._snapshots[ref.path]

    def remember(self, prompt: tuple[int, ...], answer: Message) -> None:
        """From now on a generation with this prompt says `answer`."""
        self._answers[prompt] = answer
        self._answers.move_to_end(prompt)
        if len(self._answers) > ANSWERS_MAX:
            self._answers.popitem(last=False)

    def answer(self, prompt: tuple[int, ...]) -> Message | None:
        return self._answers.get(prompt) if self._answers else None

    @property
    def kept(self) -> int:
        """Snapshots there are: none where no generation is left."""
        return len(self._snapshots)
