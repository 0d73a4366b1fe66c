"""Helpers for tests of the tiers: snapshots with contents that can be told apart."""

import hashlib
from pathlib import Path

from aios.context.image import Loaded
from aios.context.snapshot import Snapshot, SnapshotRef, Tier
from aios.context.tiers import TierStore

MB = 1 << 20


def store_in(root: Path, *, owner: str = "one", ram: int = 8 * MB, disk: int = 8 * MB) -> TierStore:
    return TierStore(
        ram=root / "ram", disk=root / "disk", ram_bytes=ram, disk_bytes=disk, owner=owner
    )


def snapshot_of(kv_bytes: int, generation: str = "g1", state: bytes = b"state") -> Snapshot:
    return Snapshot(
        generation=generation,
        fingerprint="weights/float32",
        state=state,
        kv_bytes=kv_bytes,
        kv_checksum=0,
        tokens=kv_bytes // 16,
    )


def bytes_of(size: int, seed: str = "kv") -> bytes:
    return hashlib.shake_128(seed.encode()).digest(size)


def save(
    store: TierStore, to: Tier, kv: bytes, generation: str = "g1", state: bytes = b"state"
) -> SnapshotRef:
    slot = store.open(snapshot_of(len(kv), generation, state), to)
    slot.kv[:] = kv
    return slot.commit()


def kv_of(loaded: Loaded) -> bytes:
    with loaded:
        return bytes(loaded.kv)
