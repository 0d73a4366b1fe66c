"""Room on the disk that is held for the day when there is none. Knows no database."""

from contextlib import suppress
from pathlib import Path
from threading import Lock

from aios.errors import NoSpace
from aios.journal.disk import Disk

RESERVE_BYTES = 16 << 20


class Reserve:
    """A file of no meaning; without it, room is short."""

    def __init__(self, disk: Disk, path: Path, size: int = RESERVE_BYTES) -> None:
        self._disk = disk
        self._path = path
        self._size = size
        self._lock = Lock()

    def take(self) -> None:
        """Hold the room; no-op while it is held. Raises `NoSpace` where there is too little.

        As much again must be free beside it: what was given up a moment ago is not room enough to
        go on with, or the reserve would be used up by the writes that it is not for.
        """
        with self._lock:
            if self._disk.size(self._path) == self._size:
                return
            try:
                self._disk.allocate(self._path, 2 * self._size)
                self._disk.cut(self._path, self._size)
            except OSError as problem:
                self.release()  # A part of it is of no use to anybody.
                raise NoSpace(
                    f"{self._path}: expected {2 * self._size} bytes of free disk: "
                    f"{problem.strerror}"
                ) from None

    def release(self) -> None:
        """Give the room to whoever needs it now."""
        with suppress(OSError):  # A disk that fails: there is nothing that could be given.
            self._disk.remove(self._path)
