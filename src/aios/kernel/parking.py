"""Generations kept over a shutdown: asked for again, they go on where they stopped.

A record is found by the digest of the whole call, so nobody gets a generation without knowing its
prompt, its parameters and its `call_id`. Knows no core; the KV lies in the snapshot's own file.
"""

import contextlib
import hashlib
import os
from pathlib import Path

import msgspec

from aios.context.snapshot import SnapshotRef
from aios.syscalls.codec import encode
from aios.syscalls.llm import Decoding, Generate

RECORDS_MAX = 10_000


class Parked(msgspec.Struct, frozen=True, kw_only=True):
    """What a suspended generation needs beside its snapshot's file, which bears its `id`."""

    id: str
    fingerprint: str  # of the core that ran it: its token ids mean nothing to another model
    prompt: tuple[int, ...]
    decoding: Decoding
    produced: tuple[tuple[int, ...], ...]
    snapshot: SnapshotRef | None


class Parking:
    """A folder of records. Without a folder nothing is kept."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        exists = folder is not None and folder.exists()
        self._kept = {path.stem for path in folder.glob("*.parked")} if folder and exists else set()

    def keep(self, call: Generate, parked: Parked) -> bool:
        """Write a record; False where it is not kept: a call without a `call_id`, or no room."""
        if self._folder is None or not call.call_id or len(self._kept) >= RECORDS_MAX:
            return False
        body = msgspec.msgpack.encode(parked)
        key = _digest(call)
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            _write(self._folder / f"{key}.parked", _checksum(body) + body)
        except OSError:
            return False
        self._kept.add(key)
        return True

    def take(self, call: Generate, fingerprint: str) -> Parked | None:
        """The record of this very call, once; None where there is none for this core's model."""
        if self._folder is None or not self._kept or not call.call_id:
            return None
        key = _digest(call)
        if key not in self._kept:
            return None
        path = self._folder / f"{key}.parked"
        parked = _read(path)
        if parked is not None and parked.fingerprint != fingerprint:
            return None  # It waits for its own model to come back.
        self._kept.remove(key)
        path.unlink(missing_ok=True)
        return parked

    def snapshots(self) -> set[str]:
        """Paths of the snapshots that records point to."""
        if self._folder is None:
            return set()
        records = (_read(self._folder / f"{key}.parked") for key in self._kept)
        return {one.snapshot.path for one in records if one and one.snapshot}


def _digest(call: Generate) -> str:
    patient = msgspec.structs.replace(call, deadline_s=None, priority=0)
    return hashlib.blake2b(encode(patient), digest_size=16).hexdigest()


def _checksum(body: bytes) -> bytes:
    return hashlib.blake2b(body, digest_size=16).digest()


def _write(path: Path, data: bytes) -> None:
    """Aside, synced, renamed: there is the whole record or none."""
    aside = path.with_suffix(".tmp")
    with aside.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    aside.replace(path)


def _read(path: Path) -> Parked | None:
    try:
        data = path.read_bytes()
    except OSError:
        return None
    checksum, body = data[:16], data[16:]
    if _checksum(body) != checksum:
        return None
    with contextlib.suppress(msgspec.DecodeError):
        return msgspec.msgpack.decode(body, type=Parked)
    return None
