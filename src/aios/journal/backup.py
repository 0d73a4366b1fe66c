"""Copies a journal that may be in use to a folder, and a backup to where no journal is.

A copy is made beside its place and renamed at the end: there is all of it or none.
"""

import shutil
from contextlib import closing
from pathlib import Path

import apsw

from aios.errors import Damaged, NotFound, WrongState
from aios.journal.blobs import (
    blob_names,
    blob_path,
    lock_path,
    make_blob_folder,
    read_blob,
    refused,
    write_blob,
)  # fmt: skip
from aios.journal.check import blobs_in_use
from aios.journal.connection import connect, told
from aios.journal.database import counted
from aios.journal.disk import Disk
from aios.journal.layout import Layout
from aios.journal.witness import Witness


def backup(folder: Path, target: Path, *, disk: Disk | None = None) -> None:
    """A copy of everything that was durable when this was called, verified on the way.

    Raises `WrongState` where something is at `target`, `Damaged`, `NoSpace`. Blocks.
    """
    _copy(Layout(folder), target, disk or Disk())


def restore(source: Path, folder: Path, *, disk: Disk | None = None) -> None:
    """The backup as a journal. Raises `WrongState` where there is one, `Damaged`, `NoSpace`."""
    _copy(Layout(source), folder, disk or Disk())


def _copy(source: Layout, target: Path, disk: Disk) -> None:
    if not disk.size(source.database):
        raise NotFound(f"expected a journal in {source.folder}, found no {source.database.name}")
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise WrongState(f"expected nothing at {target}: a copy never overwrites")
    part = Layout(target.with_name(f"{target.name}.part"))
    with refused(target):
        shutil.rmtree(part.folder, ignore_errors=True)  # of a copy that was interrupted
        disk.make_folder(part.folder)
        with disk.lock(lock_path(source.blobs), is_shared=True):
            commits = _copy_database(source, part)
            _copy_blobs(source, part, disk)
        Witness(disk, part.witness).create(commits)
        disk.sync_folder(part.folder)
        disk.rename(part.folder, target)
        disk.sync_folder(target.parent)


def _copy_database(source: Layout, target: Layout) -> int:
    """Through SQLite, so that a commit under way is in it or not; tells the last commit."""
    with (
        told(str(source.database)),
        closing(connect(source.database)) as old,
        closing(connect(target.database)) as new,
    ):
        with new.backup("main", old, "main") as copying:
            copying.step()  # In one go: done in steps, it begins again with each commit between.
        new.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
        return counted(new)


def _copy_blobs(source: Layout, target: Layout, disk: Disk) -> None:
    make_blob_folder(disk, target.blobs)
    names = blob_names(disk, source.blobs)
    gone = sorted(blobs_in_use(target.folder) - set(names))
    if gone:
        raise Damaged(f"{source.blobs}: {len(gone)} blobs are gone, such as {gone[0]}")
    shelves = set()
    for name in names:
        write_blob(disk, target.blobs, name, read_blob(disk, source.blobs, name))
        shelves.add(blob_path(target.blobs, name).parent)
    for shelf in shelves:
        disk.sync_folder(shelf)
