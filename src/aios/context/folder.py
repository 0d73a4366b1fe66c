"""A folder of snapshot files that several owners share. Knows names and sizes, no contents.

A name is `owner.process.serial.generation.kind`: nobody makes another's name, and no name twice.
Kinds: `snap` is a snapshot; `part` is being written; `spare` is kept for its memory pages.
"""

import itertools
import os
import re
from collections.abc import Collection, Iterator
from pathlib import Path

from aios.context.snapshot import SnapshotRef
from aios.errors import Damaged, InvalidArgument

SNAPSHOT, PART, SPARE = "snap", "part", "spare"
KINDS = frozenset((SNAPSHOT, PART, SPARE))
NAME_PART_MAX = 80  # characters of an owner's or a generation's name that a file name keeps

_SHAPE = re.compile(r"[\w-]+\.[0-9a-f]+\.[0-9a-f]+\.[\w-]*\.(snap|part|spare)", re.ASCII)


class Folder:
    """The files of one tier, seen by one owner."""

    def __init__(self, path: Path, owner: str) -> None:
        self.path = path.absolute()
        self._owner = _plain(owner)
        self._serials = itertools.count()
        if not self._owner:
            raise InvalidArgument("expected an owner's name of at least one character")
        try:
            self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as problem:
            raise InvalidArgument(f"expected a folder for snapshots: {problem}") from None

    def new(self, generation: str, kind: str) -> Path:
        """A path that was never used."""
        while True:
            stem = f"{self._owner}.{os.getpid():x}.{next(self._serials):x}.{_plain(generation)}"
            # A process of an earlier boot may have had our number.
            if not any((self.path / f"{stem}.{kind}").exists() for kind in KINDS):
                return self.path / f"{stem}.{kind}"

    def member(self, ref: SnapshotRef) -> Path:
        """The path in `ref`, proved to be a snapshot's in this folder."""
        path = Path(ref.path)
        shape = _SHAPE.fullmatch(path.name)
        if path.parent != self.path or shape is None or shape[1] != SNAPSHOT:
            raise Damaged(f"expected a snapshot in {self.path}, got a reference to {ref.path!r}")
        return path

    def owns(self, path: Path) -> bool:
        """Whether this owner wrote it, now or in an earlier life."""
        return path.name.startswith(f"{self._owner}.")

    def own_bytes(self, kind: str) -> int:
        """Size of all this owner's files of a kind."""
        return sum(size_of(path) for path in self._files(kind) if self.owns(path))

    def forget_unfinished(self) -> None:
        """Remove what an earlier life of this owner left that is no snapshot."""
        for kind in (PART, SPARE):
            for path in self._files(kind):
                if self.owns(path):
                    path.unlink(missing_ok=True)

    def sweep(self, keep: Collection[Path]) -> int:
        """Remove every owner's files but those; returns how many. Other files are left alone."""
        kept = {path.absolute() for path in keep}
        found = [path for kind in KINDS for path in self._files(kind) if path not in kept]
        for path in found:
            path.unlink(missing_ok=True)
        return len(found)

    def _files(self, kind: str) -> Iterator[Path]:
        with os.scandir(self.path) as entries:
            for entry in entries:
                shape = _SHAPE.fullmatch(entry.name)
                if shape is not None and shape[1] == kind:
                    yield self.path / entry.name


def size_of(path: Path) -> int:
    """Bytes in a file; none where it is gone."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _plain(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9_-]", "-", text)[:NAME_PART_MAX]
