"""The tier RAM: snapshots as mapped files in shared memory under a byte budget. Knows no disk.

A fresh page of shared memory costs a fault of about 0.3 us, which for a snapshot of 2 MB is more
than all else together. So the files of removed snapshots are kept as spares, and the files this
process used last stay mapped: in the steady state a save is a copy, a checksum and a rename.
A file that anybody may still look at is never reused.
"""

import fcntl
import os
from collections import OrderedDict
from collections.abc import Collection
from concurrent.futures import Future
from pathlib import Path

from aios.context.folder import SNAPSHOT, SPARE, Folder, size_of
from aios.context.image import Loaded, layout, seal, unseal
from aios.context.later import at_once
from aios.context.segment import Segment, attach, create, rounded
from aios.context.snapshot import Snapshot, SnapshotRef, Tier
from aios.errors import Damaged

MAPPED_MAX = 128  # each holds two file descriptors
SPARES_MAX = 32
SLACK_BYTES = 1 << 16  # a small snapshot may take a spare this much too large


class RamTier:
    """One owner's part of the folder. Used by one thread."""

    def __init__(self, folder: Folder, bytes_max: int) -> None:
        self._folder = folder
        self._bytes_max = bytes_max
        self._mapped: OrderedDict[Path, Segment] = OrderedDict()  # snapshots, oldest use first
        self._spares: list[Segment] = []
        self._open_bytes = 0  # in slots that are neither committed nor aborted
        folder.forget_unfinished()
        self._stored_bytes = folder.own_bytes(SNAPSHOT)

    @property
    def used_bytes(self) -> int:
        """Bytes in snapshots; spares are given up for them."""
        return self._stored_bytes + self._open_bytes

    @property
    def free_bytes(self) -> int:
        return max(0, self._bytes_max - self.used_bytes)

    def open(self, snapshot: Snapshot) -> "RamSlot | None":
        """Room for a snapshot, or None where the budget or the machine has none."""
        plan = layout(snapshot)
        segment = self._spare(plan.total_bytes) or self._fresh(rounded(plan.total_bytes))
        if segment is None:
            return None
        self._open_bytes += segment.capacity
        return RamSlot(self, segment, snapshot)

    def load(self, ref: SnapshotRef) -> Loaded:
        """The snapshot at `ref`, of whichever process wrote it."""
        path = self._folder.member(ref)
        segment = self._at(path)
        segment.lock(fcntl.LOCK_SH)
        snapshot, kv = unseal(segment.view(), ref.bytes, ref.path)
        shown = kv.toreadonly()
        return Loaded(snapshot, shown, lambda: segment.take_back(shown))

    def remove(self, ref: SnapshotRef) -> None:
        """Forget a snapshot; no-op if it is gone. Its file becomes a spare if it can."""
        path = self._folder.member(ref)
        segment = self._mapped.pop(path, None)
        if self._folder.owns(path):
            self._stored_bytes -= segment.capacity if segment else size_of(path)
        if segment is None:
            path.unlink(missing_ok=True)
        elif segment.is_at(path) and self._has_room(segment.capacity) and segment.reclaim():
            segment.path = self._folder.new("", SPARE)
            os.rename(path, segment.path)
            self._keep(segment)
        else:
            segment.close()
            path.unlink(missing_ok=True)

    def sweep(self, keep: Collection[Path]) -> int:
        """Remove all files of all owners but those; returns how many."""
        removed = self._folder.sweep(keep)
        self._recount()
        return removed

    def close(self) -> None:
        """Unmap everything; the snapshots stay."""
        for segment in self._mapped.values():
            segment.close()
        for segment in self._spares:
            self._discard(segment)
        self._mapped.clear()
        self._spares.clear()

    def committed(self, segment: Segment, generation: str) -> Path:
        """A slot's file becomes a snapshot."""
        path = self._folder.new(generation, SNAPSHOT)
        self._open_bytes -= segment.capacity
        try:
            os.rename(segment.path, path)
        except OSError as problem:
            segment.close()
            raise Damaged(f"{segment.path}: the slot's file is gone: {problem.strerror}") from None
        segment.path = path
        segment.lock(fcntl.LOCK_UN)
        self._stored_bytes += segment.capacity
        self._remember(path, segment)
        return path

    def aborted(self, segment: Segment) -> None:
        """A slot's file is not needed."""
        self._open_bytes -= segment.capacity
        if segment.reclaim():
            self._keep(segment)
        else:
            self._discard(segment)

    def _at(self, path: Path) -> Segment:
        segment = self._mapped.get(path)
        if segment is not None and not segment.is_at(path):
            self._mapped.pop(path).close()
            segment = None
        return self._remember(path, segment or attach(path))

    def _keep(self, segment: Segment) -> None:
        self._spares.append(segment)
        if len(self._spares) > SPARES_MAX:
            self._discard(self._spares.pop(0))

    def _spare(self, size: int) -> Segment | None:
        fitting = [one for one in self._spares if size <= one.capacity <= 2 * size + SLACK_BYTES]
        if not fitting:
            return None
        best = min(fitting, key=lambda one: one.capacity)
        self._spares.remove(best)
        if best.is_at(best.path):
            return best
        self._discard(best)
        return None

    def _fresh(self, capacity: int) -> Segment | None:
        if self.free_bytes < capacity:
            self._recount()
        if self.free_bytes < capacity:
            return None
        while not self._has_room(capacity):
            self._discard(self._spares.pop(0))
        return create(self._folder.new("", SPARE), capacity)

    def _has_room(self, capacity: int) -> bool:
        spare = sum(one.capacity for one in self._spares)
        return self.used_bytes + spare + capacity <= self._bytes_max

    def _recount(self) -> None:
        """Learn what other processes removed; until now it counted as ours."""
        for path in [path for path in self._mapped if not path.exists()]:
            self._mapped.pop(path).close()
        self._stored_bytes = self._folder.own_bytes(SNAPSHOT)

    def _remember(self, path: Path, segment: Segment) -> Segment:
        self._mapped[path] = segment
        self._mapped.move_to_end(path)
        if len(self._mapped) > MAPPED_MAX:
            self._mapped.popitem(last=False)[1].close()
        return segment

    def _discard(self, segment: Segment) -> None:
        segment.path.unlink(missing_ok=True)
        segment.close()


class RamSlot:
    """A place to write one snapshot's KV. Let go of views made from `kv` before `commit`."""

    tier = Tier.RAM

    def __init__(self, tier: RamTier, segment: Segment, snapshot: Snapshot) -> None:
        self._tier = tier
        self._segment: Segment | None = segment
        self._snapshot = snapshot
        self._plan = layout(snapshot)
        self.kv = segment.view()[self._plan.kv_offset : self._plan.total_bytes]

    def commit(self) -> SnapshotRef:
        """The KV is written: from now on the snapshot can be loaded."""
        segment, self._segment = self._segment, None
        assert segment is not None, "a slot ends once"
        seal(segment.view()[: self._plan.total_bytes], self._snapshot)
        segment.take_back(self.kv)
        path = self._tier.committed(segment, self._snapshot.generation)
        return SnapshotRef(
            tier=Tier.RAM,
            path=str(path),
            bytes=self._plan.total_bytes,
            tokens=self._snapshot.tokens,
        )

    def commit_later(self) -> Future[SnapshotRef]:
        """The same; there is nothing to wait for."""
        return at_once(self.commit)

    def abort(self) -> None:
        """The snapshot is not wanted. No-op after the end."""
        segment, self._segment = self._segment, None
        if segment is not None:
            segment.take_back(self.kv)
            self._tier.aborted(segment)
