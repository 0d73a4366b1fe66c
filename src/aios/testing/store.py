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


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where a scripted generation stands: prompt tokens to prefill yet, answer tokens done."""

    todo: int
    done: int
    recomputed: str = ""


class ScriptedStore:
    """Shared by all cores that may go on with each other's generations.

    It knows paths, as a folder does: which snapshot is whose, a core and the kernel must know.
    """

    def __init__(self) -> None:
        self._snapshots: dict[str, Snapshot] = {}  # by path
        self._answers: OrderedDict[tuple[int, ...], Message] = OrderedDict()  # oldest first
        self._saved = 0

    def save(
        self, generation: str, fingerprint: str, place: Place, ref: SnapshotRef
    ) -> SnapshotRef:
        """Keep a snapshot in `ref`'s tier; tells where it lies."""
        state = msgspec.msgpack.encode(place)
        snapshot = Snapshot(
            generation=generation,
            fingerprint=fingerprint,
            state=state,
            kv_bytes=0,
            kv_checksum=zlib.crc32(state),
            tokens=ref.tokens,
        )
        return self._placed(snapshot, msgspec.structs.replace(ref, bytes=len(state)))

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

    def move(self, ref: SnapshotRef, to: Tier) -> SnapshotRef:
        """The snapshot in another tier; the same reference where there is none to be moved."""
        if to in (Tier.DEVICE, ref.tier) or ref.path not in self._snapshots:
            return ref
        return self._placed(self._snapshots.pop(ref.path), msgspec.structs.replace(ref, tier=to))

    def damage(self, ref: SnapshotRef) -> None:
        """Flip a bit."""
        kept = self._snapshots[ref.path]
        self._snapshots[ref.path] = msgspec.structs.replace(kept, kv_checksum=kept.kv_checksum ^ 1)

    def remove(self, ref: SnapshotRef) -> None:
        """Forget a snapshot; no-op if it is gone."""
        self._snapshots.pop(ref.path, None)

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

    def _placed(self, snapshot: Snapshot, ref: SnapshotRef) -> SnapshotRef:
        self._saved += 1
        path = f"scripted:{ref.tier}/{snapshot.generation}/{self._saved}"
        self._snapshots[path] = snapshot
        return msgspec.structs.replace(ref, path=path)
