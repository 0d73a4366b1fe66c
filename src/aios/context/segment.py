"""One file of shared memory, mapped into this process. Knows no snapshot and no budget.

The right to reuse a file is decided here. Other processes that look at it hold a shared lock,
which lives as long as their mapping; in this process it is a view, or an array built on one.
"""

import fcntl
import mmap
import os
import stat
import sys
from contextlib import suppress
from pathlib import Path

from aios.errors import Damaged

HEAD_BYTES = 64  # zeroed when a file is reclaimed, so that nothing takes it for a snapshot
_GRAIN = 1 << 16
_FLAGS = mmap.MAP_SHARED | getattr(mmap, "MAP_POPULATE", 0)


class Segment:
    """A mapped file. Whoever has a view of it keeps it from being reclaimed."""

    def __init__(self, path: Path, fd: int, capacity: int) -> None:
        self.path = path
        self.capacity = capacity
        self._fd: int | None = fd
        self._map = mmap.mmap(fd, capacity, flags=_FLAGS)
        self._unseen = self._references()

    @property
    def is_seen(self) -> bool:
        """Whether a view of it lives, or anything that was built on one."""
        return self._references() > self._unseen

    def view(self) -> memoryview:
        return memoryview(self._map)

    def take_back(self, view: memoryview) -> None:
        """Make a view unusable, where nothing was built on it, and forget that we look."""
        with suppress(BufferError):
            view.release()
        if self._fd is not None and not self.is_seen:
            self.lock(fcntl.LOCK_UN)

    def lock(self, how: int) -> None:
        assert self._fd is not None
        try:
            fcntl.flock(self._fd, how | fcntl.LOCK_NB)
        except OSError:
            raise Damaged(f"{self.path}: the snapshot was removed, its file is reused") from None

    def is_at(self, path: Path) -> bool:
        """Whether the path still leads here and no page is missing, which would be a signal."""
        assert self._fd is not None
        here = os.fstat(self._fd)
        try:
            there = path.stat()
        except FileNotFoundError:
            return False
        return here.st_ino == there.st_ino and here.st_size == self.capacity

    def reclaim(self) -> bool:
        """Take the file for us alone, its snapshot gone; False while others may look at it."""
        if self.is_seen:
            return False
        try:
            self.lock(fcntl.LOCK_EX)
        except Damaged:
            return False
        self._map[:HEAD_BYTES] = bytes(HEAD_BYTES)
        return True

    def close(self) -> None:
        fd, self._fd = self._fd, None
        assert fd is not None
        # A view still in use keeps the mapping, and that its lock, until the view is let go.
        with suppress(BufferError):
            self._map.close()
        os.close(fd)

    def _references(self) -> int:
        # Each buffer taken of a mapping refers to it, and nothing else says how many there are.
        return sys.getrefcount(self._map)


def create(path: Path, capacity: int) -> Segment | None:
    """A new file for us alone; None where the machine has less than the budget promised."""
    fd = None
    try:
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        _fill(fd, capacity)
        return Segment(path, fd, capacity)
    except OSError:
        if fd is not None:
            os.close(fd)
            path.unlink(missing_ok=True)
        return None


def attach(path: Path) -> Segment:
    """A file that is there. Raises `Damaged` where it is none that a snapshot could lie in."""
    try:
        # Not blocking: whatever lies at the path, a FIFO for example, opening it returns.
        fd = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as problem:
        raise Damaged(f"{path}: the snapshot cannot be opened: {problem.strerror}") from None
    about = os.fstat(fd)
    try:
        if not stat.S_ISREG(about.st_mode) or about.st_size < HEAD_BYTES:
            raise Damaged(f"{path}: expected a snapshot, got {about.st_size} bytes")
        return Segment(path, fd, about.st_size)
    except (Damaged, OSError) as problem:
        os.close(fd)
        raise Damaged(str(problem)) from None


def rounded(size: int) -> int:
    """Sizes in steps of at most an eighth, so that a growing snapshot still finds a spare."""
    grain = max(_GRAIN, 1 << max(0, size.bit_length() - 4))
    return -(-size // grain) * grain


def _fill(fd: int, capacity: int) -> None:
    """Take the memory now: a page that is missing later would kill the process by a signal."""
    zeros = memoryview(bytes(min(capacity, 1 << 20)))
    done = 0
    while done < capacity:
        done += os.pwrite(fd, zeros[: capacity - done], done)
