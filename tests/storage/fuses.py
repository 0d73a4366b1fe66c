"""A machine that stops: from some step on, nothing is written any more, anywhere.

What is on the disk and in the journal then is what a killed kernel would have left.
"""

from collections.abc import Awaitable, Collection, Generator, Sequence

from aios.errors import NoSpace
from aios.journal.base import Change, Keep, Row, Statement, Value
from aios.storage.disk import RealDisk, Root, Seen
from aios.storage.paths import FilePath
from aios.testing.journal import InlineJournal


class Fuse:
    """Counts steps that write. Those from `first` to `last`, counted from 1, fail."""

    def __init__(self, first: int | None = None, last: int | None = None) -> None:
        self.first = first
        self.last = last
        self.steps = 0

    def step(self) -> None:
        self.steps += 1
        burnt = self.first is not None and self.steps >= self.first
        if burnt and (self.last is None or self.steps <= self.last):
            raise NoSpace("the disk is full, says the test")


class _Failed:
    def __init__(self, error: Exception) -> None:
        self._error = error

    def __await__(self) -> Generator[None, None, None]:
        raise self._error
        yield


class FusedBlobs:
    def __init__(self, inner: InlineJournal, fuse: Fuse) -> None:
        self._inner = inner
        self._fuse = fuse

    async def put(self, data: bytes) -> str:
        self._fuse.step()
        return await self._inner.blobs.put(data)

    async def get(self, sha256: str) -> bytes:
        return await self._inner.blobs.get(sha256)

    async def sweep(self, keep: Keep) -> int:
        return await self._inner.blobs.sweep(keep)


class FusedJournal:
    """A journal whose commits and blobs are steps."""

    def __init__(self, inner: InlineJournal, fuse: Fuse) -> None:
        self.inner = inner
        self.blobs = FusedBlobs(inner, fuse)
        self._fuse = fuse

    def post(self, changes: Sequence[Change]) -> Awaitable[None]:
        try:
            self._fuse.step()
        except NoSpace as problem:
            return _Failed(problem)
        return self.inner.post(changes)

    async def read(self, statement: Statement, *values: Value) -> list[Row]:
        return await self.inner.read(statement, *values)


class FusedDisk(RealDisk):
    """A disk each of whose writes is a step."""

    def __init__(self, fuse: Fuse) -> None:
        self._fuse = fuse

    def stage(self, root: Root, name: str, data: bytes) -> None:
        self._fuse.step()
        super().stage(root, name, data)

    def place(self, root: Root, name: str, path: FilePath, before: str) -> Seen | None:
        self._fuse.step()
        return super().place(root, name, path, before)

    def make_folder(self, root: Root, path: FilePath) -> bool:
        self._fuse.step()
        return super().make_folder(root, path)

    def rename(self, root: Root, path: FilePath, to: FilePath) -> bool:
        self._fuse.step()
        return super().rename(root, path, to)

    def remove(self, root: Root, path: FilePath, before: str) -> bool:
        self._fuse.step()
        return super().remove(root, path, before)

    def remove_folder(self, root: Root, path: FilePath) -> bool:
        self._fuse.step()
        return super().remove_folder(root, path)

    def sync(self, root: Root, folders: Collection[FilePath]) -> None:
        self._fuse.step()
        super().sync(root, folders)

    def drop(self, root: Root, name: str) -> None:
        self._fuse.step()
        super().drop(root, name)
