"""Room on the disk that is held for the day when there is none. Knows no database."""

from pathlib import Path

from aios.errors import NoSpace
from aios.journal.disk import Disk

RESERVE_BYTES = 16 << 20


class Reserve:
    """A file of no meaning; without it, room is short."""

    def __init__(self, disk: Disk, path: Path, size: int = RESERVE_BYTES) -> None:
        self._disk = disk
        self._path = path
        self._size = size

    def take(self) -> None:
        """Hold the room; no-op while it is held. Raises `NoSpace` where there is none."""
        if self._disk.size(self._path) == self._size:
            return
        try:
            self._disk.allocate(self._path, self._size)
        except OSError as problem:
            self.release()  # A part of it is of no use to anybody.
            raise NoSpace(
                f"{self._path}: expected {self._size} bytes of free disk: {problem.strerror}"
            ) from None

    def release(self) -> None:
        """Give the room to whoever needs it now."""
        try:
            self._disk.remove(self._path)
        except OSError:
            return  # A disk that fails: there is nothing that could be given.
