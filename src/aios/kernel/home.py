"""Folders of one running kernel: shared memory for itself, and a home where work is kept.

Without a home everything is temporary. A home belongs to one kernel at a time.
"""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from aios.config import shared_memory
from aios.errors import Busy, InvalidArgument


@dataclass(frozen=True, slots=True, kw_only=True)
class Folders:
    """`ram` ends with the kernel, and everything with it where there is no home."""

    ram: Path
    disk: Path
    journal: Path


@contextmanager
def home(path: Path | None) -> Iterator[Folders]:
    """The kernel's folders while it runs; those of kernels that died are cleared away."""
    base = shared_memory() / f"aios-{os.getuid()}"
    base.mkdir(mode=0o700, exist_ok=True)
    if base.stat().st_uid != os.getuid():
        raise InvalidArgument(f"expected {base} to belong to user {os.getuid()}")
    _clear_dead(base)
    ram = Path(tempfile.mkdtemp(prefix=f"{os.getpid()}-", dir=base))
    try:
        if path is None:
            with tempfile.TemporaryDirectory(prefix="aios-") as disk:
                yield _folders(ram, Path(disk))
        else:
            with _lock(path):
                yield _folders(ram, path)
    finally:
        shutil.rmtree(ram, ignore_errors=True)


def _folders(ram: Path, path: Path) -> Folders:
    return Folders(ram=ram, disk=path / "snapshots", journal=path / "journal")


def _clear_dead(base: Path) -> None:
    """Remove shared memory of kernels that were killed; it would fill the RAM for ever."""
    for folder in base.iterdir():
        owner = folder.name.partition("-")[0]
        if owner.isdigit() and not _is_alive(int(owner)):
            shutil.rmtree(folder, ignore_errors=True)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def expect_free(path: Path) -> None:
    """Raise `Busy` where a kernel has its home there now."""
    with _lock(path):
        pass


@contextmanager
def _lock(path: Path) -> Iterator[None]:
    try:
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.chmod(0o700)  # Also one that was there: what agents keep is nobody else's to read.
        lock = (path / "lock").open("w")
    except OSError as problem:
        raise InvalidArgument(f"expected a folder for a home: {problem}") from None
    with lock as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Busy(
                f"another kernel has its home in {path}; stop it, or name another folder (--state)"
            ) from None
        yield
