"""The file operations by which the journal keeps what is not in SQLite; tests pass one that fails.

Knows no meaning of any file. Every call ends as the operating system says: it raises `OSError`.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class Disk:
    """Files by path; none stays open between two calls.

    Not durable means that nothing is waited for: for a journal that need not outlive the machine.
    """

    def __init__(self, *, is_durable: bool = True) -> None:
        self._is_durable = is_durable

    def read(self, path: Path) -> bytes:
        """All of a file."""
        return path.read_bytes()

    def read_part(self, path: Path, offset: int, size: int) -> bytes:
        """So many bytes of a file, fewer where it ends."""
        with _opened(path, os.O_RDONLY) as fd:
            return os.pread(fd, size, offset)

    def size(self, path: Path) -> int | None:
        """None where there is no file."""
        try:
            return path.stat().st_size
        except FileNotFoundError:
            return None

    def names(self, folder: Path) -> list[str]:
        """What lies in a folder."""
        return os.listdir(folder)

    def create(self, path: Path, data: bytes) -> None:
        """A new file that is on the disk; its name is once the folder is synced."""
        with _opened(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL) as fd:
            _write_all(fd, data)
            self._sync(fd)

    def allocate(self, path: Path, size: int) -> None:
        """A file of that size whose room on the disk is taken."""
        with _opened(path, os.O_WRONLY | os.O_CREAT) as fd:
            os.posix_fallocate(fd, 0, size)
            self._sync(fd)

    def cut(self, path: Path, size: int) -> None:
        """Keep the first bytes of a file only."""
        os.truncate(path, size)

    def patch(self, path: Path, offset: int, data: bytes) -> None:
        """Overwrite bytes of a file. Not synced: a killed process loses nothing by it."""
        with _opened(path, os.O_WRONLY) as fd:
            os.pwrite(fd, data, offset)

    def sync(self, path: Path) -> None:
        """Wait until a file's bytes are on the disk."""
        with _opened(path, os.O_WRONLY) as fd:
            self._sync(fd)

    def sync_folder(self, path: Path) -> None:
        """Wait until a folder's names are on the disk."""
        with _opened(path, os.O_RDONLY | os.O_DIRECTORY) as fd:
            self._sync(fd)

    def make_folder(self, path: Path) -> None:
        """No-op if it is there."""
        path.mkdir(parents=True, exist_ok=True, mode=0o700)

    def rename(self, old: Path, new: Path) -> None:
        """Replaces what was there."""
        os.rename(old, new)

    def remove(self, path: Path) -> None:
        """No-op if it is gone."""
        path.unlink(missing_ok=True)

    @contextmanager
    def lock(self, path: Path, *, is_shared: bool) -> Iterator[bool]:
        """Hold a lock between processes; a lone one is not waited for: False if it is taken."""
        with _opened(path, os.O_RDWR | os.O_CREAT) as fd:
            try:
                fcntl.flock(fd, fcntl.LOCK_SH if is_shared else fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
            else:
                yield True

    def _sync(self, fd: int) -> None:
        if self._is_durable:
            os.fsync(fd)


@contextmanager
def _opened(path: Path, flags: int) -> Iterator[int]:
    fd = os.open(path, flags | os.O_CLOEXEC, 0o600)
    try:
        yield fd
    finally:
        os.close(fd)


def _write_all(fd: int, data: bytes) -> None:
    left = memoryview(data)
    while left:
        left = left[os.write(fd, left) :]
