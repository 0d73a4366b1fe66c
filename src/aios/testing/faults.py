"""A disk whose power can be cut, that can fill, fail and flip bits: under SQLite and under `Disk`.

A `Platter` lets every write through to real files, and remembers beside them what would be left if
the power went now: of each file its bytes at the last sync, of the later writes some, of those some
torn at a sector's border; of the names made, moved and removed since the folder's sync, the first.
"""

import errno
import os
import random
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import RLock

import apsw

from aios.journal.connection import CHECKSUMS, load_checksums
from aios.journal.disk import Disk

SECTOR_BYTES = 512
_VFS = "aios-faults"


@dataclass(frozen=True, slots=True)
class _Patch:
    """Bytes written at an offset, or None: the file was cut there."""

    offset: int
    data: bytes | None


@dataclass(slots=True)
class _File:
    synced: bytearray = field(default_factory=bytearray)
    later: list[_Patch] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Rename:
    """A name that came (`old` None), moved, or went (`new` None), and the file behind it."""

    old: str | None
    new: str | None
    file: _File


class Platter:
    """What the files under one folder would be after a power cut, and the faults to come."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.absolute()
        self.writes = 0  # that reached the disk or were refused
        self.syncs = 0
        self.on_sync: Callable[[], None] | None = None  # called before each takes effect
        self._lock = RLock()
        self._files: dict[str, _File] = {}  # by today's names
        self._named: dict[str, _File] = {}  # by the names that a power cut leaves
        self._renames: list[_Rename] = []  # not on the disk yet, in order
        self._refusals: dict[int, int] = {}  # the errno of the n-th write to come
        self._refused_sync = 0  # the errno of the next one
        self._room_bytes: int | None = None  # None: no end of it

    def refuse(self, write: int, code: int) -> None:
        """Let that write, counted from now, fail with an errno; the next one goes well."""
        self._refusals[self.writes + write] = code

    def refuse_sync(self, code: int = errno.EIO) -> None:
        """Let the next sync of a file fail; what it would have synced may be there or not."""
        self._refused_sync = code

    def fill(self) -> None:
        """From now on files grow only by what others give up; writing over bytes goes on."""
        self._room_bytes = 0

    def drain(self) -> None:
        """There is room again."""
        self._room_bytes = None

    def owns(self, path: str | Path) -> bool:
        return Path(path).is_relative_to(self.folder)

    def leave(self, target: Path, chance: random.Random) -> None:
        """Write to `target` what a power cut at this moment leaves of the folder."""
        with self._lock:
            names = dict(self._named)
            for change in self._renames[: chance.randint(0, len(self._renames))]:
                _rename(names, change)
            images = {name: _left(file, chance) for name, file in names.items()}
        for name, data in images.items():
            path = target / Path(name).relative_to(self.folder)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Nothing is written or synced meanwhile, by any other thread."""
        with self._lock:
            yield

    def copy(self, target: Path) -> None:
        """Write to `target` what a killed process leaves: every write, synced or not."""
        shutil.copytree(self.folder, target, ignore=shutil.ignore_patterns("*-shm"))

    # What the layers below SQLite and `Disk` report.

    def freed(self, size: int) -> None:
        """A file of that size was removed."""
        with self._lock:
            if self._room_bytes is not None:
                self._room_bytes += size

    def check(self, size: int) -> None:
        """Before each write by which a file grows so much. Raises `OSError`."""
        with self._lock:
            self.writes += 1
            code = self._refusals.pop(self.writes, 0)
            if self._room_bytes is not None:
                if size > self._room_bytes:
                    code = errno.ENOSPC
                else:
                    self._room_bytes -= size
        _refuse(code)

    def opened(self, name: str) -> None:
        """A file may have been made."""
        with self._lock:
            if name not in self._files:
                self.renamed(None, name)

    def wrote(self, name: str, offset: int, data: bytes | None) -> None:
        with self._lock:
            self._files[name].later.append(_Patch(offset, data))

    def syncing(self) -> None:
        """Before each sync: a moment at which the power may go."""
        self.syncs += 1
        if self.on_sync:
            self.on_sync()
        code, self._refused_sync = self._refused_sync, 0
        _refuse(code)

    def synced(self, name: str) -> None:
        with self._lock:
            file = self._files[name]
            for patch in file.later:
                _write(file.synced, patch)
            file.later.clear()

    def renamed(self, old: str | None, new: str | None) -> None:
        with self._lock:
            file = self._files[old] if old is not None else _File()
            change = _Rename(old, new, file)
            self._renames.append(change)
            _rename(self._files, change)

    def synced_folder(self, folder: str) -> None:
        with self._lock:
            kept = []
            for change in self._renames:
                if os.path.dirname(change.new or change.old or "") == folder:
                    _rename(self._named, change)
                else:
                    kept.append(change)
            self._renames = kept


class FaultyDisk(Disk):
    """A `Disk` on a platter."""

    def __init__(self, platter: Platter) -> None:
        super().__init__(is_durable=False)  # What is synced, the platter says.
        self._platter = platter

    def create(self, path: Path, data: bytes) -> None:
        self._platter.check(len(data))
        super().create(path, data)
        self._platter.opened(str(path))
        self._platter.wrote(str(path), 0, data)
        self._sync_file(path)

    def allocate(self, path: Path, size: int) -> None:
        self._platter.check(size)
        super().allocate(path, size)
        self._platter.opened(str(path))
        self._platter.wrote(str(path), 0, bytes(size))
        self._sync_file(path)

    def cut(self, path: Path, size: int) -> None:
        self._platter.check(0)
        self._platter.freed((self.size(path) or 0) - size)
        super().cut(path, size)
        self._platter.wrote(str(path), size, None)

    def patch(self, path: Path, offset: int, data: bytes) -> None:
        self._platter.check(0)
        super().patch(path, offset, data)
        self._platter.wrote(str(path), offset, data)

    def sync(self, path: Path) -> None:
        self._sync_file(path)

    def sync_folder(self, path: Path) -> None:
        self._platter.syncing()
        self._platter.synced_folder(str(path))

    def rename(self, old: Path, new: Path) -> None:
        self._platter.check(0)
        super().rename(old, new)
        self._platter.renamed(str(old), str(new))

    def remove(self, path: Path) -> None:
        size = self.size(path)
        super().remove(path)
        if size is not None:
            self._platter.freed(size)
            self._platter.renamed(str(path), None)

    def _sync_file(self, path: Path) -> None:
        self._platter.syncing()
        self._platter.synced(str(path))


@contextmanager
def under_sqlite(platter: Platter) -> Iterator[None]:
    """Connections opened meanwhile go to the platter, below their checksums; none is open now."""
    vfs = _restacked(lambda: _Vfs(platter))
    try:
        yield
    finally:
        _restacked(lambda: apsw.unregister_vfs(_VFS))
        del vfs


def flip(path: Path, bit: int) -> None:
    """Change one bit of a file."""
    with path.open("r+b") as file:
        file.seek(bit // 8)
        byte = file.read(1)[0]
        file.seek(bit // 8)
        file.write(bytes([byte ^ 1 << bit % 8]))


def _restacked(change: Callable[[], object]) -> object:
    """Do it with the checksum layer away, and put that over what is then the default."""
    if CHECKSUMS in apsw.vfs_names():
        apsw.unregister_vfs(CHECKSUMS)
    made = change()
    load_checksums()
    apsw.set_default_vfs("unix")
    return made


class _Vfs(apsw.VFS):
    """The system's files, reported to the platter."""

    def __init__(self, platter: Platter) -> None:
        self._platter = platter
        super().__init__(_VFS, base="unix", makedefault=True)

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> apsw.VFSFile:
        path = name.filename() if isinstance(name, apsw.URIFilename) else name
        if path is None or not self._platter.owns(path):
            return apsw.VFSFile("unix", name, flags)
        return _VfsFile(self._platter, name, path, flags)

    def xDelete(self, filename: str, syncdir: bool) -> None:
        super().xDelete(filename, syncdir)
        if self._platter.owns(filename):
            self._platter.renamed(filename, None)
            if syncdir:
                self._platter.synced_folder(os.path.dirname(filename))


class _VfsFile(apsw.VFSFile):
    def __init__(
        self, platter: Platter, name: str | apsw.URIFilename | None, path: str, flags: list[int]
    ) -> None:
        super().__init__("unix", name, flags)
        self._platter = platter
        self._path = path
        platter.opened(path)

    def xWrite(self, data: bytes, offset: int) -> None:
        with _as_sqlite(apsw.SQLITE_IOERR_WRITE):
            self._platter.check(max(0, offset + len(data) - self.xFileSize()))
        super().xWrite(data, offset)
        self._platter.wrote(self._path, offset, bytes(data))

    def xTruncate(self, newsize: int) -> None:
        with _as_sqlite(apsw.SQLITE_IOERR_TRUNCATE):
            self._platter.check(0)
        super().xTruncate(newsize)
        self._platter.wrote(self._path, newsize, None)

    def xSync(self, flags: int) -> None:
        with _as_sqlite(apsw.SQLITE_IOERR_FSYNC):
            self._platter.syncing()
        # Not passed on: what is synced, the platter says. SQLite syncs a new file's folder here.
        self._platter.synced(self._path)
        self._platter.synced_folder(os.path.dirname(self._path))


@contextmanager
def _as_sqlite(code: int) -> Iterator[None]:
    """A refusal as SQLite's own file layer tells it."""
    try:
        yield
    except OSError as problem:
        if problem.errno == errno.ENOSPC:
            raise apsw.FullError(problem.strerror) from None
        failure = apsw.IOError(problem.strerror)
        failure.extendedresult = code  # type: ignore[attr-defined]  # how a layer tells it
        raise failure from None


def _refuse(code: int) -> None:
    if code:
        raise OSError(code, os.strerror(code))


def _rename(names: dict[str, _File], change: _Rename) -> None:
    if change.old is not None:
        names.pop(change.old, None)
    if change.new is not None:
        names[change.new] = change.file


def _left(file: _File, chance: random.Random) -> bytes:
    """What is on the platter of a file: its synced bytes, and some of what was written later."""
    data = bytearray(file.synced)
    mood = chance.random()  # All of it, none of it and a half of it are cases of their own.
    for patch in file.later:
        if chance.random() < mood:
            _write(data, _torn(patch, chance) if chance.random() < 0.2 else patch)
    return bytes(data)


def _torn(patch: _Patch, chance: random.Random) -> _Patch:
    """The first sectors of a write; a sector is written whole or not at all."""
    if patch.data is None:
        return patch
    borders = range(SECTOR_BYTES - patch.offset % SECTOR_BYTES, len(patch.data), SECTOR_BYTES)
    return _Patch(patch.offset, patch.data[: chance.choice([0, *borders])])


def _write(data: bytearray, patch: _Patch) -> None:
    if patch.data is None:
        del data[patch.offset :]
    elif patch.data:
        data.extend(bytes(max(0, patch.offset - len(data))))
        data[patch.offset : patch.offset + len(patch.data)] = patch.data
