"""A scripted core's snapshots as real files in the tier DISK; the rest as in `ScriptedStore`."""

import hashlib
from pathlib import Path

import msgspec

from aios.context.disk import DiskTier
from aios.context.folder import Folder
from aios.context.snapshot import Snapshot, SnapshotRef, Tier
from aios.errors import Damaged
from aios.testing.store import Place, ScriptedStore

KV_BYTES = 16_384
BYTES_MAX = 1 << 30


class DiskStore(ScriptedStore):
    """What lies in DISK outlives the process; a byte of it that changed is `Damaged`."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._disk = DiskTier(Folder(folder, "scripted"), BYTES_MAX)

    def save(
        self, generation: str, fingerprint: str, place: Place, ref: SnapshotRef
    ) -> SnapshotRef:
        if ref.tier is not Tier.DISK:
            return super().save(generation, fingerprint, place, ref)
        snapshot = Snapshot(
            generation=generation,
            fingerprint=fingerprint,
            state=msgspec.msgpack.encode(place),
            kv_bytes=KV_BYTES,
            kv_checksum=0,
            tokens=ref.tokens,
        )
        slot = self._disk.open(snapshot)
        slot.kv[:] = hashlib.shake_128(generation.encode()).digest(KV_BYTES)
        return slot.commit()

    def load(self, ref: SnapshotRef, fingerprint: str) -> Place:
        if ref.tier is not Tier.DISK:
            return super().load(ref, fingerprint)
        with self._disk.load(ref) as loaded:
            if loaded.snapshot.fingerprint != fingerprint:
                raise Damaged(f"snapshot is of {loaded.snapshot.fingerprint!r}")
            return msgspec.msgpack.decode(loaded.snapshot.state, type=Place)

    def remove(self, ref: SnapshotRef) -> None:
        if ref.tier is Tier.DISK:
            self._disk.remove(ref)
        else:
            super().remove(ref)
