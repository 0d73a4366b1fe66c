"""The tiers RAM and DISK: each is a folder, each snapshot a file. Knows no core and no policy.

RAM is a folder in shared memory under a byte budget, so a snapshot there outlives the engine that
wrote it and another engine reads it. DISK files are written aside, synced, then renamed.
Every engine process has a store of its own, under an owner's name that no other living process
uses; all share the folders, and each keeps to its own budgets.
"""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import msgspec

from aios.context.disk import DiskSlot, DiskTier
from aios.context.folder import Folder
from aios.context.image import Loaded
from aios.context.ram import RamSlot, RamTier
from aios.context.snapshot import Snapshot, SnapshotRef, Tier
from aios.errors import InvalidArgument

Slot = RamSlot | DiskSlot


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """Bytes that one owner's snapshots take in a tier, and that they may still take."""

    used_bytes: int
    free_bytes: int


class TierStore:
    """Saves, loads, moves and removes snapshots. Used by one thread."""

    def __init__(
        self, *, ram: Path, disk: Path, ram_bytes: int, disk_bytes: int, owner: str
    ) -> None:
        if ram.absolute() == disk.absolute():
            raise InvalidArgument(f"expected two folders for RAM and disk, got {ram} twice")
        self._ram = RamTier(Folder(ram, owner), ram_bytes)
        self._disk = DiskTier(Folder(disk, owner), disk_bytes)

    def open(self, snapshot: Snapshot, to: Tier) -> Slot:
        """A place to write the KV of `snapshot`; the slot's `tier` is DISK where RAM is full.

        Raises `Busy` where the disk is full too.
        """
        if snapshot.kv_bytes < 0 or snapshot.kv_checksum != 0:
            raise InvalidArgument("expected kv_bytes of at least 0 and no kv_checksum yet")
        slot = self._ram.open(snapshot) if _stored(to) is Tier.RAM else None
        return slot or self._disk.open(snapshot)

    def load(self, ref: SnapshotRef) -> Loaded:
        """The snapshot at `ref`. Raises `Damaged` where it is not exactly what was saved."""
        return self._at(ref.tier).load(ref)

    def remove(self, ref: SnapshotRef) -> None:
        """Forget a snapshot; no-op if it is gone."""
        self._at(ref.tier).remove(ref)

    def move(self, ref: SnapshotRef, to: Tier) -> SnapshotRef:
        """The snapshot in another tier; the same one where it is there or RAM has no room."""
        if ref.tier is _stored(to):
            return ref
        with self.load(ref) as loaded:
            slot = self.open(_unchecked(loaded.snapshot), to)
            if slot.tier is ref.tier:
                slot.abort()
                return ref
            slot.kv[:] = loaded.kv
            moved = slot.commit()
        self.remove(ref)
        return moved

    def sweep(self, keep: Collection[Path]) -> int:
        """Remove all owners' files but the snapshots in `keep`; returns how many there were.

        For the start, when no engine runs and it is known which snapshots are still wanted.
        """
        return self._ram.sweep(keep) + self._disk.sweep(keep)

    def statistics(self) -> dict[Tier, Room]:
        """What this owner has in each tier."""
        return {
            tier: Room(used_bytes=at.used_bytes, free_bytes=at.free_bytes)
            for tier, at in ((Tier.RAM, self._ram), (Tier.DISK, self._disk))
        }

    def close(self) -> None:
        """Finish what is being written; the snapshots stay."""
        self._ram.close()
        self._disk.close()

    def _at(self, tier: Tier) -> RamTier | DiskTier:
        return self._ram if _stored(tier) is Tier.RAM else self._disk


def _stored(tier: Tier) -> Tier:
    if tier is Tier.DEVICE:
        raise InvalidArgument("expected the tier ram or disk; device snapshots are no files")
    return tier


def _unchecked(snapshot: Snapshot) -> Snapshot:
    return msgspec.structs.replace(snapshot, kv_checksum=0)
