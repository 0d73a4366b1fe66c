"""Where the running server is, and the first process's token, for this user's own commands."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from aios.errors import InvalidArgument, NotFound


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """The record's file is readable by its owner alone: the token may do everything."""

    url: str
    token: str
    pid: int  # of the server, on this machine


def expect_place(path: Path) -> None:
    """Make the folder of a record, or say that it cannot be."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as problem:
        raise InvalidArgument(f"cannot keep the server's record: {problem}") from None
    if not os.access(path.parent, os.W_OK):
        raise InvalidArgument(f"cannot keep the server's record: {path.parent} is not writable")


@contextmanager
def kept(record: Record, path: Path) -> Iterator[None]:
    """The record lies at `path` while the block runs; a later server's is left alone.

    An earlier server's is there again afterwards, where that one goes on.
    """
    expect_place(path)
    before = _read(path)
    _write(record, path)
    try:
        yield
    finally:
        if _read(path) == record:
            if before is not None and _lives(before.pid):
                _write(before, path)
            else:
                path.unlink()


def _write(record: Record, path: Path) -> None:
    made, name = tempfile.mkstemp(dir=path.parent)  # readable by its owner alone
    with os.fdopen(made, "wb") as file:
        file.write(msgspec.json.encode(record))
    Path(name).replace(path)


def find(path: Path) -> Record:
    """The record of the running server; one that was killed has left its own."""
    record = _read(path)
    if record is None or not _lives(record.pid):
        raise NotFound("no kernel runs here; start one with `aios serve`, or set AIOS_URL")
    return record


def _read(path: Path) -> Record | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Record)
    except (OSError, msgspec.DecodeError):
        return None


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # somebody else's, but there
        pass
    return True
