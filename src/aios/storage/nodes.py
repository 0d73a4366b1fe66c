"""What the journal knows of one file or folder, typed. Frozen data; knows no disk and no SQL."""

from dataclasses import dataclass, replace
from typing import Literal, cast

from aios.journal.base import Row
from aios.storage.paths import ROOT, FilePath
from aios.syscalls.file import FileInfo, VersionInfo

OUTSIDE = "outside"  # by whom a version is that nobody made through the kernel


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A file or folder, in its place or in the bin.

    `id` stays through moves and deletion. `stamp` is what the real file looked like when it was
    last known to hold this version; empty where that is not known.
    """

    id: str
    bin: str  # the deletion it is part of; empty for what is there
    path: FilePath
    kind: Literal["file", "folder"]
    version: int
    sha256: str
    bytes: int
    modified: float
    stamp: str

    @property
    def is_file(self) -> bool:
        return self.kind == "file"

    def at(self, path: FilePath, bin: str = "") -> "Node":
        return replace(self, path=path, bin=bin)

    def info(self) -> FileInfo:
        return FileInfo(
            path=self.path,
            kind=self.kind,
            bytes=self.bytes,
            version=self.version,
            sha256=self.sha256,
            modified=self.modified,
        )


def node_from(row: Row) -> Node:
    """A row of `files`, in the order in which its columns are always selected."""
    id, bin, path, kind, version, sha256, size, modified, stamp = row[:9]
    return Node(
        id=str(id),
        bin=str(bin),
        path=FilePath(str(path)),
        kind=cast(Literal["file", "folder"], kind),
        version=cast(int, version),
        sha256=str(sha256),
        bytes=cast(int, size),
        modified=cast(float, modified),
        stamp=str(stamp),
    )


def version_from(row: Row) -> VersionInfo:
    """A row of `file_versions` without its file."""
    version, sha256, size, time, by = row
    return VersionInfo(
        version=cast(int, version),
        sha256=str(sha256),
        bytes=cast(int, size),
        time=cast(float, time),
        by=str(by),
    )


def root_info() -> FileInfo:
    """The root, which is always there and has no row."""
    return FileInfo(path=ROOT, kind="folder", bytes=0, version=0, sha256="", modified=0.0)
