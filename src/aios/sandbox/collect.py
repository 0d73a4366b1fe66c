"""Brings files back out of a workspace that a hostile program made. Synchronous; touches nothing.

Bytes of regular files, by patterns, and for everything else that the patterns named a reason why
not. Never follows a link, opens no pipe, device or socket, never executes, unpacks or parses what
it reads. It is safe beside a program that still runs: what counts is asked of the open descriptor.
"""

import errno
import os
import stat
import unicodedata
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase

import msgspec

from aios.errors import InvalidArgument
from aios.sandbox.base import Bounds, File
from aios.sandbox.beneath import open_beneath

PATTERNS_MAX = 64
PATTERN_CHARS_MAX = 1_024
REASONS_MAX = 64  # told one by one; of the rest only the number
_CHUNK_BYTES = 1 << 18
_HIDDEN_KINDS = frozenset({"Cc", "Cs", "Zl", "Zp"})  # control, not UTF-8, line ends of Unicode
_TURNERS = frozenset("\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_KINDS = {
    stat.S_IFLNK: "a symbolic link, which is never followed",
    stat.S_IFIFO: "a pipe, not a regular file",
    stat.S_IFSOCK: "a socket, not a regular file",
    stat.S_IFCHR: "a device, not a regular file",
    stat.S_IFBLK: "a device, not a regular file",
}

Rest = tuple[str, ...]  # what of a pattern is still to be met, name by name


class Caps(msgspec.Struct, frozen=True, kw_only=True):
    """The most that comes back, and the most that is looked at for it."""

    files: int = 4_096  # entries looked at; names given in full are found beyond them
    file_bytes: int = 16 << 20
    total_bytes: int = 64 << 20
    depth: int = 32  # folders within folders
    path_bytes: int = 1_024

    @classmethod
    def of(cls, bounds: Bounds) -> "Caps":
        """What a job's bounds leave to bring back."""
        most = bounds.disk_bytes
        return cls(files=bounds.files, file_bytes=min(cls().file_bytes, most), total_bytes=most)


class Collected(msgspec.Struct, frozen=True, kw_only=True):
    """Files by path, and `path: why` for what was named and did not come."""

    files: tuple[File, ...]
    not_collected: tuple[str, ...]


def collect(root: int, patterns: Sequence[str], caps: Caps) -> Collected:
    """What lies under the open folder `root` and is named by a pattern.

    `*`, `?` and `[...]` stay within a name, `**` is any folders down. Raises `InvalidArgument` for
    a pattern that could never name something below.
    """
    if len(patterns) > PATTERNS_MAX:
        raise InvalidArgument(f"expected at most {PATTERNS_MAX} patterns, got {len(patterns)}")
    wanted = frozenset(_parsed(pattern) for pattern in patterns)
    walk = _Walk(caps, os.fstat(root).st_dev, wanted)
    walk.look(root, (), wanted)
    return walk.collected()


def _parsed(pattern: str) -> Rest:
    names = tuple(pattern.split("/"))
    is_below = not any(name in ("", ".", "..") for name in names)
    if not is_below or "\0" in pattern or len(pattern) > PATTERN_CHARS_MAX:
        raise InvalidArgument(
            f"pattern {pattern[:80]!r}: expected names below the workspace such as 'out/*.txt', "
            f"at most {PATTERN_CHARS_MAX} characters, without '.', '..' and a leading '/'"
        )
    # Two `**` in a row say what one says.
    return tuple(
        name
        for name, next_ in zip(names, (*names[1:], ""), strict=True)
        if (name, next_) != ("**", "**")
    )


class _Walk:
    """One walk: what was found so far, and how much may still be looked at."""

    def __init__(self, caps: Caps, device: int, wanted: frozenset[Rest]) -> None:
        self._caps = caps
        self._device = device
        self._exact = {rest for rest in wanted if not any(map(_is_wild, rest))}  # single files
        self._files: list[File] = []
        self._bytes = 0  # of all files so far
        self._looked = 0
        self._reasons: list[str] = []
        self._untold = 0

    def collected(self) -> Collected:
        """Everything found, in the order of paths."""
        reasons = list(self._reasons)
        if self._untold:
            reasons.append(f"...: and {self._untold:,} more")
        files = sorted(self._files, key=lambda file: file.path)
        return Collected(files=tuple(files), not_collected=tuple(reasons))

    def look(self, folder: int, above: Rest, wanted: frozenset[Rest]) -> None:
        """Meet every entry of an open folder that a pattern may name or lead through."""
        for name in self._names(folder, above, wanted):
            after = _after(wanted, name)
            if not after:
                continue
            path = (*above, name)
            try:
                self._meet(folder, path, after)
            except OSError as error:
                self._meet_error(error, path, after)

    def _names(self, folder: int, above: Rest, wanted: frozenset[Rest]) -> Iterator[str]:
        """Names given in full come first, so that no crowd of others can hide them."""
        full = sorted({rest[0] for rest in wanted if not _is_wild(rest[0])})
        yield from full
        if not any(_is_wild(rest[0]) for rest in wanted):
            return
        with os.scandir(folder) as entries:
            for entry in entries:
                self._looked += 1
                if self._looked > self._caps.files:
                    more = f"more than {self._caps.files:,} entries; the rest was not looked at"
                    self._refuse((*above, "*"), more)
                    return
                if entry.name not in full:
                    yield entry.name

    def _meet(self, folder: int, path: Rest, after: frozenset[Rest]) -> None:
        # Asked first so that a pipe or device is not even opened; what is true is asked again of
        # the descriptor.
        found = os.stat(path[-1], dir_fd=folder, follow_symlinks=False)
        fault = _name_fault(path, self._caps.path_bytes) or _kind_fault(found)
        if fault is not None:
            self._refuse(path, fault)
        elif stat.S_ISDIR(found.st_mode):
            self._enter(folder, path, after)
        elif () in after:
            self._take(folder, path)

    def _enter(self, folder: int, path: Rest, after: frozenset[Rest]) -> None:
        below = frozenset(rest for rest in after if rest)
        if path in self._exact or not below:
            self._refuse(path, "a folder, not a regular file")
        if not below:
            return
        if len(path) > self._caps.depth:
            self._refuse(path, f"more than {self._caps.depth} folders deep")
            return
        inner = open_beneath(folder, path[-1], os.O_DIRECTORY)
        try:
            self.look(inner, path, below)
        finally:
            os.close(inner)

    def _take(self, folder: int, path: Rest) -> None:
        opened = open_beneath(folder, path[-1])
        try:
            fault = self._file_fault(os.fstat(opened))
            data = b"" if fault else _read(opened, self._room() + 1)
        finally:
            os.close(opened)
        if fault is None and len(data) > self._room():  # it grew while it was read
            fault = "grew while it was read"
        if fault is not None:
            self._refuse(path, fault)
            return
        self._bytes += len(data)
        self._files.append(File("/".join(path), data))

    def _room(self) -> int:
        return min(self._caps.file_bytes, self._caps.total_bytes - self._bytes)

    def _file_fault(self, found: os.stat_result) -> str | None:
        if not stat.S_ISREG(found.st_mode):
            return _kind_fault(found) or "not a regular file"
        if found.st_dev != self._device:
            return "on another file system"
        if found.st_nlink > 1:
            return "has another name somewhere (a hard link)"
        if len(self._files) >= self._caps.files:
            return f"more than {self._caps.files:,} files"
        if found.st_size > self._caps.file_bytes:
            return f"{found.st_size:,} bytes, at most {self._caps.file_bytes:,} a file"
        if found.st_size > self._room():
            return f"{found.st_size:,} bytes, beyond {self._caps.total_bytes:,} in all"
        return None

    def _meet_error(self, error: OSError, path: Rest, after: frozenset[Rest]) -> None:
        if error.errno == errno.ENOENT:
            # Told of what was asked for by its whole name; a pattern may match nothing.
            for missing in self._exact & {path + rest for rest in after}:
                self._refuse(missing, "there is no such file")
            return
        self._refuse(path, error.strerror or "cannot be read")

    def _refuse(self, path: Rest, why: str) -> None:
        if len(self._reasons) < REASONS_MAX:
            self._reasons.append(f"{_shown('/'.join(path))}: {why}")
        else:
            self._untold += 1


def _after(wanted: frozenset[Rest], name: str) -> frozenset[Rest]:
    """What is still to be met below an entry of that name; `()` among it: the entry is named."""
    found: set[Rest] = set()
    for rest in wanted:
        if rest[0] == "**":
            found |= {rest, *_after_stars(rest, name)}
        elif fnmatchcase(name, rest[0]):
            found.add(rest[1:])
    return frozenset(found)


def _after_stars(rest: Rest, name: str) -> frozenset[Rest]:
    """`**` may be no folder at all; at a pattern's end it names every file."""
    return _after(frozenset({rest[1:]}), name) if rest[1:] else frozenset({()})


def _is_wild(name: str) -> bool:
    return any(sign in name for sign in "*?[")


def _name_fault(path: Rest, path_bytes: int) -> str | None:
    kinds = {unicodedata.category(sign) for sign in path[-1]}
    if "Cs" in kinds:
        return "its name is not UTF-8"
    if kinds & _HIDDEN_KINDS or _TURNERS & set(path[-1]):
        return "its name has control characters"
    if len("/".join(path).encode()) > path_bytes:
        return f"its path is longer than {path_bytes:,} bytes"
    return None


def _kind_fault(found: os.stat_result) -> str | None:
    return _KINDS.get(stat.S_IFMT(found.st_mode))


def _read(opened: int, most: int) -> bytes:
    """At most that many bytes, whatever the file's size is said to be."""
    parts: list[bytes] = []
    left = most
    while left > 0 and (part := os.read(opened, min(left, _CHUNK_BYTES))):
        parts.append(part)
        left -= len(part)
    return b"".join(parts)


def _shown(path: str) -> str:
    """A hostile name is shown escaped, and never at length."""
    short = path if len(path) <= 200 else f"{path[:200]}..."
    return short if _name_fault((short,), 1_024) is None else ascii(short)
