"""Large values as files, named by the SHA-256 of their bytes. Knows no database and no meaning.

A blob is written aside, synced, and then renamed, so under its name it is whole or not there.
"""

import asyncio
import errno
import itertools
import re
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from hashlib import sha256 as digest
from pathlib import Path
from threading import Lock
from typing import TypeVar

from aios.errors import AiosError, Busy, Damaged, NoSpace, NotFound
from aios.journal.base import Keep
from aios.journal.disk import Disk
from aios.journal.reserve import Reserve

THREADS = 4  # files that are written or read at a time
WAITING_MAX = 1_024

_NAME = re.compile(r"[0-9a-f]{64}")
_SHELVES = [f"{number:02x}" for number in range(256)]
_ASIDE = "aside"
_serials = itertools.count()  # so that two who put the same bytes write two files
T = TypeVar("T")


class FileBlobs:
    """A folder of blobs that belongs to one journal."""

    def __init__(self, disk: Disk, folder: Path, reserve: Reserve) -> None:
        self._disk = disk
        self._reserve = reserve
        self._folder = folder
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="blobs")
        self._waiting = 0  # the event loop's own
        self._lock = Lock()
        self._putting: Counter[str] = Counter()
        self._spared: set[str] | None = None  # while a sweep runs: what was put meanwhile
        self._prepare()

    async def put(self, data: bytes) -> str:
        """Durable when it returns; the same bytes are stored once. Raises `NoSpace`."""
        return await self._run(lambda: self._put(data))

    async def get(self, sha256: str) -> bytes:
        """Exactly the bytes that were put. Raises `NotFound`, or `Damaged` if they changed."""
        return await self._run(lambda: read_blob(self._disk, self._folder, sha256))

    async def sweep(self, keep: Keep) -> int:
        """Remove every blob not in `keep`; none during a backup or another sweep. How many."""
        with self._lock:
            if self._spared is not None:
                return 0
            self._spared = set(self._putting)
        try:
            kept = frozenset(await keep())
            return await self._run(lambda: self._sweep(kept))
        finally:
            with self._lock:
                self._spared = None

    def close(self) -> None:
        """Wait for what is under way."""
        self._threads.shutdown()

    def _prepare(self) -> None:
        with refused(self._folder):
            make_blob_folder(self._disk, self._folder)
            for name in self._disk.names(self._folder / _ASIDE):  # Nobody waits for these any more.
                self._disk.remove(self._folder / _ASIDE / name)

    async def _run(self, work: Callable[[], T]) -> T:
        if self._waiting >= WAITING_MAX:
            raise Busy(f"expected at most {WAITING_MAX} blobs waiting for the disk")
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._waiting -= 1

    def _put(self, data: bytes) -> str:
        name = digest(data).hexdigest()
        path = blob_path(self._folder, name)
        with self._claimed(name), refused(path):
            if not self._is_whole(path, name):
                self._reserve.take()
                write_blob(self._disk, self._folder, name, data)
            # Also for a blob that was there: whoever renamed it may not have come to this yet.
            self._disk.sync_folder(path.parent)
        return name

    def _is_whole(self, path: Path, name: str) -> bool:
        """A damaged blob is mended by whoever puts the same bytes again."""
        try:
            return digest(self._disk.read(path)).hexdigest() == name
        except OSError:
            return False

    def _sweep(self, keep: frozenset[str]) -> int:
        with (
            refused(self._folder),
            self._disk.lock(lock_path(self._folder), is_shared=False) as ours,
        ):
            if not ours:
                return 0
            unwanted = [name for name in blob_names(self._disk, self._folder) if name not in keep]
            return sum(self._remove(name) for name in unwanted)

    def _remove(self, name: str) -> bool:
        with self._lock:
            if self._spared is None or name in self._spared:
                return False
            self._disk.remove(blob_path(self._folder, name))
            return True

    @contextmanager
    def _claimed(self, name: str) -> Iterator[None]:
        """While this lasts, no sweep removes the blob."""
        with self._lock:
            self._putting[name] += 1
            if self._spared is not None:
                self._spared.add(name)
        try:
            yield
        finally:
            with self._lock:
                self._putting[name] -= 1
                if not self._putting[name]:
                    del self._putting[name]


def blob_path(folder: Path, name: str) -> Path:
    """Where a blob lies."""
    return folder / name[:2] / name


def read_blob(disk: Disk, folder: Path, name: str) -> bytes:
    """Exactly the bytes that were put. Raises `NotFound`, or `Damaged` if they changed."""
    if not _NAME.fullmatch(name):
        raise NotFound(f"expected the SHA-256 of a blob in hexadecimal, got {name!r}")
    path = blob_path(folder, name)
    try:
        data = disk.read(path)
    except FileNotFoundError:
        raise NotFound(f"no blob {name!r}") from None
    except OSError as problem:
        raise Damaged(f"{path}: the blob cannot be read: {problem.strerror}") from None
    if digest(data).hexdigest() != name:
        raise Damaged(f"{path}: expected the bytes that the name is the SHA-256 of")
    return data


def make_blob_folder(disk: Disk, folder: Path) -> None:
    """No-op if it is there."""
    disk.make_folder(folder / _ASIDE)
    disk.sync_folder(folder.parent)


def write_blob(disk: Disk, folder: Path, name: str, data: bytes) -> None:
    """Replaces what is there; durable once its shelf is synced."""
    path, part = blob_path(folder, name), folder / _ASIDE / f"{name}.{next(_serials)}"
    if disk.size(path.parent) is None:
        disk.make_folder(path.parent)
        disk.sync_folder(folder)
    try:
        disk.create(part, data)
        disk.rename(part, path)
    except OSError:
        with suppress(OSError):
            disk.remove(part)
        raise


def blob_names(disk: Disk, folder: Path) -> list[str]:
    """Every blob in the folder."""
    return [
        name
        for shelf in _SHELVES
        if disk.size(folder / shelf) is not None
        for name in disk.names(folder / shelf)
        if _NAME.fullmatch(name)
    ]


def lock_path(folder: Path) -> Path:
    """Held by a backup, so that no sweep takes away what it is about to copy."""
    return folder / "lock"


@contextmanager
def refused(path: Path) -> Iterator[None]:
    """Tell the operating system's refusal to write in our words."""
    try:
        yield
    except OSError as problem:
        raise refusal(path, problem) from None


def refusal(path: Path, problem: OSError) -> AiosError:
    """`NoSpace`, whether the disk is full or fails."""
    why = "is full" if problem.errno in (errno.ENOSPC, errno.EDQUOT) else "fails"
    return NoSpace(f"{path}: the disk {why}: {problem.strerror}")
