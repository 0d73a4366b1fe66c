"""Real folders, reached from the machine's root by a way that no link is on.

Every step of it refuses symbolic links, so nothing that somebody puts into a root leads out of it,
not even between a check and its use. Only regular files and folders exist here; anything else is
`other`: seen, never opened, never replaced. Bytes are durable once staged, names once synced. Every
method may block: never on an event loop. Knows no version and no agent.
"""

import errno
import os
import stat
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Literal, Protocol

from aios.errors import Busy, Denied, NoSpace
from aios.storage.openat import opened_at_once
from aios.storage.paths import OURS, FilePath, is_nameable, parent

Kind = Literal["file", "folder", "other"]
FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# O_NONBLOCK: a pipe that somebody put there does not stop us.
FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
GONE = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ELOOP})
FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EIO})
READS_MAX = 3
READ_BYTES = 1 << 24


@dataclass(frozen=True, slots=True)
class Root:
    """A folder of the machine in which paths are looked up. `ours` may be made where missing."""

    folder: str  # absolute, without links, as it was when the root was made
    ours: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What stands at a path. The stamp changes whenever a file's content may have."""

    kind: Kind
    stamp: str
    bytes: int
    modified: float


@dataclass(frozen=True, slots=True)
class Content:
    """A file's bytes, and what it was when they were read."""

    data: bytes
    seen: Seen


class Disk(Protocol):
    """What storage does with real folders; a fake of it stops, fails or lies."""

    def look(self, root: Root, path: FilePath) -> Seen | None: ...
    def names(self, root: Root, path: FilePath) -> dict[str, Seen] | None: ...
    def read(self, root: Root, path: FilePath, bytes_max: int) -> Content | None: ...
    def stage(self, root: Root, name: str, data: bytes) -> None: ...
    def place(self, root: Root, name: str, path: FilePath, before: str) -> Seen | None: ...
    def make_folder(self, root: Root, path: FilePath) -> bool: ...
    def rename(self, root: Root, path: FilePath, to: FilePath) -> bool: ...
    def remove(self, root: Root, path: FilePath, before: str) -> bool: ...
    def remove_folder(self, root: Root, path: FilePath) -> bool: ...
    def sync(self, root: Root, folders: Collection[FilePath]) -> None: ...
    def drop(self, root: Root, name: str) -> None: ...
    def clear(self, root: Root, but: str) -> None: ...


class RealDisk:
    """The machine's file system."""

    def look(self, root: Root, path: FilePath) -> Seen | None:
        """What is there now; None where nothing is, or the way to it is no folder, or is barred."""
        with suppress(Denied), _missing_is_none(), _typed(), _folder(root, parent(path)) as folder:
            return _seen(os.stat(_name(path), dir_fd=folder, follow_symlinks=False))
        return None

    def names(self, root: Root, path: FilePath) -> dict[str, Seen] | None:
        """What a folder holds, but for names that no path can have and our own; None: no folder."""
        found: dict[str, Seen] = {}
        with _missing_is_none(), _typed(), _folder(root, path) as folder:
            for name in os.listdir(folder):
                if is_nameable(name):
                    with suppress(FileNotFoundError):
                        found[name] = _seen(os.stat(name, dir_fd=folder, follow_symlinks=False))
            return found
        return None

    def read(self, root: Root, path: FilePath, bytes_max: int) -> Content | None:
        """A regular file as it was at one moment; None where there is none, or it is too large."""
        with _missing_is_none(), _typed(), _folder(root, parent(path)) as folder:
            file = os.open(_name(path), FILE, dir_fd=folder)
            try:
                return _settled(file, bytes_max)
            finally:
                os.close(file)
        return None

    def stage(self, root: Root, name: str, data: bytes) -> None:
        """Lay bytes aside, durably, where one rename brings them to any path of the root."""
        with _blocked(), _typed(), _folder(root, FilePath(OURS), make=True) as aside:
            file = os.open(name, NEW, 0o666, dir_fd=aside)
            try:
                _write_all(file, data)
                os.fsync(file)
            except BaseException:
                with suppress(OSError):
                    os.unlink(name, dir_fd=aside)
                raise
            finally:
                os.close(file)

    def place(self, root: Root, name: str, path: FilePath, before: str) -> Seen | None:
        """Put staged bytes at `path` if that still is what `before` says ("": nothing).

        None where it is not, or where a folder on the way is none any more.
        """
        with (
            _missing_is_none(),
            _typed(),
            _folder(root, FilePath(OURS)) as aside,
            _folder(root, parent(path)) as folder,
        ):
            if _stamp_at(folder, _name(path)) != before:
                return None
            if before:
                mode = os.stat(_name(path), dir_fd=folder, follow_symlinks=False).st_mode
                os.chmod(name, stat.S_IMODE(mode), dir_fd=aside)
                os.rename(name, _name(path), src_dir_fd=aside, dst_dir_fd=folder)
            elif not _linked(name, aside, _name(path), folder):
                return None
            return _seen(os.stat(_name(path), dir_fd=folder, follow_symlinks=False))
        return None

    def make_folder(self, root: Root, path: FilePath) -> bool:
        """A folder and those above it; whether there is one now."""
        with _missing_is_none(), _typed(), _folder(root, path, make=True):
            return True
        return False

    def rename(self, root: Root, path: FilePath, to: FilePath) -> bool:
        """Move a file or folder to a place where nothing is; whether that was so."""
        with (
            _missing_is_none(),
            _typed(),
            _folder(root, parent(path)) as old,
            _folder(root, parent(to)) as new,
        ):
            if _stamp_at(new, _name(to)):
                return False
            os.rename(_name(path), _name(to), src_dir_fd=old, dst_dir_fd=new)
            return True
        return False

    def remove(self, root: Root, path: FilePath, before: str) -> bool:
        """Unlink a file that is what `before` says; whether nothing is there now."""
        with _missing_is_none(), _typed(), _folder(root, parent(path)) as folder:
            if _stamp_at(folder, _name(path)) not in ("", before):
                return False
            with suppress(FileNotFoundError):
                os.unlink(_name(path), dir_fd=folder)
        return True

    def remove_folder(self, root: Root, path: FilePath) -> bool:
        """Remove an empty folder; whether nothing is there now."""
        with _missing_is_none(), _typed(), _folder(root, parent(path)) as folder:
            try:
                os.rmdir(_name(path), dir_fd=folder)
            except FileNotFoundError:
                return True
            except OSError as problem:
                if problem.errno in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR):
                    return False
                raise
        return True

    def sync(self, root: Root, folders: Collection[FilePath]) -> None:
        """Make the names in these folders durable; one that is gone has none."""
        for path in folders:
            with _missing_is_none(), _typed(), _folder(root, path) as folder:
                os.fsync(folder)

    def drop(self, root: Root, name: str) -> None:
        """Staged bytes that are not needed after all."""
        with _missing_is_none(), _typed(), _folder(root, FilePath(OURS)) as aside:
            os.unlink(name, dir_fd=aside)

    def clear(self, root: Root, but: str) -> None:
        """Remove what kernels that are gone have staged: names that do not begin with `but`."""
        with _missing_is_none(), _typed(), _folder(root, FilePath(OURS)) as aside:
            for name in os.listdir(aside):
                if not name.startswith(but):
                    with suppress(OSError):
                        os.unlink(name, dir_fd=aside)


def _name(path: FilePath) -> str:
    return path.rpartition("/")[2] or "."


@contextmanager
def _missing_is_none() -> Iterator[None]:
    """A way that ends, or that a link or a file stands in, is an answer, not an error."""
    try:
        yield
    except OSError as problem:
        if problem.errno not in GONE:
            raise


@contextmanager
def _blocked() -> Iterator[None]:
    """A way that must be there and is not."""
    try:
        yield
    except OSError as problem:
        raise Denied(f"the folder of these files is gone or a link: {problem.strerror}") from None


@contextmanager
def _typed() -> Iterator[None]:
    """Whatever else the disk says becomes an error of ours."""
    try:
        yield
    except OSError as problem:
        if problem.errno in GONE:
            raise
        if problem.errno in FULL:
            raise NoSpace(f"the disk under the files fails: {problem.strerror}") from None
        if problem.errno in (errno.EMFILE, errno.ENFILE):
            raise Busy("too many files are open") from None
        raise Denied(f"the disk under the files refuses: {problem.strerror}") from None


@contextmanager
def _folder(root: Root, path: FilePath, *, make: bool = False) -> Iterator[int]:
    """The folder at `path`, open. Follows no link on the whole way from the machine's own root."""
    whole = f"{root.folder}/{path}" if path else root.folder
    folder = opened_at_once(whole, FOLDER)
    if folder is None:
        folder = _walked(root, path, make=make)
    try:
        yield folder
    finally:
        os.close(folder)


def _walked(root: Root, path: FilePath, *, make: bool) -> int:
    """The same, step by step, where the one call does not find it or is not there."""
    folder = os.open("/", FOLDER)
    for name in filter(None, root.folder.split("/")):
        folder = _entered(folder, name, make=root.ours and make)
    for name in filter(None, path.split("/")):
        folder = _entered(folder, name, make=make)
    return folder


def _entered(folder: int, name: str, *, make: bool) -> int:
    """The folder `name` inside an open one, which is closed in any case."""
    try:
        try:
            return os.open(name, FOLDER, dir_fd=folder)
        except FileNotFoundError:
            if not make:
                raise
        with suppress(FileExistsError):
            os.mkdir(name, dir_fd=folder)
        return os.open(name, FOLDER, dir_fd=folder)
    finally:
        os.close(folder)


def _linked(name: str, aside: int, to: str, folder: int) -> bool:
    """Give staged bytes a name that nobody has; the one step that cannot replace anything."""
    try:
        os.link(name, to, src_dir_fd=aside, dst_dir_fd=folder, follow_symlinks=False)
    except FileExistsError:
        return False
    except OSError as problem:
        if problem.errno not in (errno.EPERM, errno.ENOTSUP, errno.EMLINK):
            raise
        os.rename(name, to, src_dir_fd=aside, dst_dir_fd=folder)  # A disk without hard links.
        return True
    os.unlink(name, dir_fd=aside)
    return True


def _stamp_at(folder: int, name: str) -> str:
    try:
        return _seen(os.stat(name, dir_fd=folder, follow_symlinks=False)).stamp
    except FileNotFoundError:
        return ""


def _seen(found: os.stat_result) -> Seen:
    if stat.S_ISREG(found.st_mode):
        # The time of the last change of the inode cannot be set back by whoever edits the file.
        parts = (found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
        stamp = ":".join(map(str, parts))
        return Seen(kind="file", stamp=stamp, bytes=found.st_size, modified=found.st_mtime)
    kind: Kind = "folder" if stat.S_ISDIR(found.st_mode) else "other"
    return Seen(kind=kind, stamp=kind, bytes=0, modified=found.st_mtime)


def _settled(file: int, bytes_max: int) -> Content | None:
    """Bytes that nobody changed while they were read."""
    for _ in range(READS_MAX):
        before = os.fstat(file)
        if not stat.S_ISREG(before.st_mode) or before.st_size > bytes_max:
            return None
        data = _read_all(file, before.st_size)
        seen = _seen(os.fstat(file))
        if seen == _seen(before) and len(data) == before.st_size:
            return Content(data, seen)
    return None


def _read_all(file: int, size: int) -> bytes:
    parts: list[bytes] = []
    done = 0
    while part := os.pread(file, min(size + 1 - done, READ_BYTES), done):
        parts.append(part)
        done += len(part)
    return b"".join(parts)


def _write_all(file: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(file, view) :]
