"""The tier DISK: snapshots as synced files under a byte budget. Knows no shared memory.

A snapshot is written aside, synced, renamed, and its folder synced: a crash leaves all of it or
nothing. One thread writes behind the caller; where it is too far behind, the caller pays itself.
"""

import errno
import mmap
import os
import stat
from collections.abc import Collection
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from threading import BoundedSemaphore, Lock

from aios.context.folder import PART, SNAPSHOT, Folder, size_of
from aios.context.image import PREFIX, Loaded, layout, seal, unseal
from aios.context.later import at_once
from aios.context.snapshot import Snapshot, SnapshotRef, Tier
from aios.errors import AiosError, Busy, Damaged

WRITES_MAX = 8  # images waiting in memory for the writer
RETRY_AFTER_S = 1.0
_FULL = frozenset((errno.ENOSPC, errno.EDQUOT, errno.EFBIG))


class DiskTier:
    """One owner's part of the folder. Used by one thread, and its own writer."""

    def __init__(self, folder: Folder, bytes_max: int) -> None:
        self._folder = folder
        self._bytes_max = bytes_max
        self._lock = Lock()  # guards the two counts
        self._open_bytes = 0  # in slots that are neither committed nor aborted
        folder.forget_unfinished()
        self._stored_bytes = folder.own_bytes(SNAPSHOT)
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="snapshots")
        self._may_wait = BoundedSemaphore(WRITES_MAX)

    @property
    def used_bytes(self) -> int:
        return self._stored_bytes + self._open_bytes

    @property
    def free_bytes(self) -> int:
        return max(0, self._bytes_max - self.used_bytes)

    def open(self, snapshot: Snapshot) -> "DiskSlot":
        """Room for a snapshot. Raises `Busy` where the budget or the machine has none."""
        size = layout(snapshot).total_bytes
        with self._lock:
            if size > self.free_bytes:
                self._stored_bytes = self._folder.own_bytes(SNAPSHOT)
            if size > self.free_bytes:
                raise Busy(
                    f"expected {size} bytes of disk for a snapshot, {self.free_bytes} of "
                    f"{self._bytes_max} are free",
                    retry_after_s=RETRY_AFTER_S,
                )
            self._open_bytes += size
        try:
            return DiskSlot(self, snapshot)
        except OSError:
            self.release(size)
            raise Busy(
                f"expected {size} bytes of memory for a snapshot", retry_after_s=RETRY_AFTER_S
            ) from None

    def load(self, ref: SnapshotRef) -> Loaded:
        """The snapshot at `ref`, copied into memory."""
        path = self._folder.member(ref)
        image = memoryview(_read(path, ref.bytes))
        snapshot, kv = unseal(image, ref.bytes, ref.path)
        return Loaded(snapshot, kv.toreadonly(), lambda: None)

    def remove(self, ref: SnapshotRef) -> None:
        """Forget a snapshot; no-op if it is gone."""
        path = self._folder.member(ref)
        with self._lock:
            if self._folder.owns(path):
                self._stored_bytes -= size_of(path)
            path.unlink(missing_ok=True)

    def write(self, image: memoryview, snapshot: Snapshot) -> SnapshotRef:
        """Seal and store an image for which `open` made room."""
        path = self._folder.new(snapshot.generation, SNAPSHOT)
        stored = 0
        try:
            seal(image, snapshot)
            _store(image, path)
            stored = len(image)
        except OSError as problem:
            raise _refused(path, problem) from None
        finally:
            with self._lock:
                self._open_bytes -= len(image)
                self._stored_bytes += stored
        return SnapshotRef(tier=Tier.DISK, path=str(path), bytes=stored, tokens=snapshot.tokens)

    def write_later(self, image: memoryview, snapshot: Snapshot) -> Future[SnapshotRef]:
        """The same behind the caller's back."""
        if not self._may_wait.acquire(blocking=False):
            return at_once(lambda: self.write(image, snapshot))
        written = self._writer.submit(self.write, image, snapshot)
        written.add_done_callback(lambda _: self._may_wait.release())
        return written

    def release(self, size: int) -> None:
        """Room that `open` made is not needed."""
        with self._lock:
            self._open_bytes -= size

    def sweep(self, keep: Collection[Path]) -> int:
        """Remove all files of all owners but those; returns how many."""
        with self._lock:
            removed = self._folder.sweep(keep)
            self._stored_bytes = self._folder.own_bytes(SNAPSHOT)
        return removed

    def close(self) -> None:
        """Wait for the writer."""
        self._writer.shutdown()


class DiskSlot:
    """A place to write one snapshot's KV."""

    tier = Tier.DISK

    def __init__(self, tier: DiskTier, snapshot: Snapshot) -> None:
        plan = layout(snapshot)
        self._tier = tier
        self._snapshot = snapshot
        self._image: memoryview | None = memoryview(mmap.mmap(-1, plan.total_bytes))
        self.kv = self._image[plan.kv_offset :]

    def commit(self) -> SnapshotRef:
        """Write it and wait until it is on the disk. Raises `Busy` where the disk is full."""
        return self._tier.write(self._end(), self._snapshot)

    def commit_later(self) -> Future[SnapshotRef]:
        """The same in the background; `kv` must not be written any more."""
        return self._tier.write_later(self._end(), self._snapshot)

    def abort(self) -> None:
        """The snapshot is not wanted. No-op after the end."""
        if self._image is not None:
            self._tier.release(len(self._end()))

    def _end(self) -> memoryview:
        image, self._image = self._image, None
        assert image is not None, "a slot ends once"
        return image


def _store(image: memoryview, path: Path) -> None:
    part = path.with_suffix(f".{PART}")
    try:
        _write_synced(part, image)
        os.rename(part, path)
        _sync_folder(path.parent)
    except OSError:
        for leftover in (part, path):
            with suppress(OSError):
                leftover.unlink()
        raise


def _write_synced(path: Path, image: memoryview) -> None:
    with path.open("xb", buffering=0) as file:
        written = 0
        while written < len(image):
            written += file.write(image[written:])
        os.fsync(file.fileno())


def _sync_folder(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _read(path: Path, size: int) -> mmap.mmap:
    """A file of exactly that size, copied: an unreadable page of a mapping would be a signal."""
    try:
        # Not blocking: whatever lies at the path, a FIFO for example, opening it returns.
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
        with open(fd, "rb", buffering=0) as file:
            about = os.fstat(fd)
            if not stat.S_ISREG(about.st_mode) or about.st_size != size or size < PREFIX.size:
                raise Damaged(f"{path}: expected {size} bytes, got {about.st_size}")
            image = mmap.mmap(-1, size)
            got = 0
            while got < size and (more := file.readinto(memoryview(image)[got:])):
                got += more
    except OSError as problem:
        raise Damaged(f"{path}: the snapshot cannot be read: {problem.strerror}") from None
    return image


def _refused(path: Path, problem: OSError) -> AiosError:
    if problem.errno in _FULL:
        return Busy(f"{path}: the disk is full", retry_after_s=RETRY_AFTER_S)
    return Damaged(f"{path}: the snapshot was not written: {problem.strerror}")
