"""A number beside the database: the last commit that was promised to somebody.

SQLite ends its recovery at the first frame of the write-ahead log that does not fit, so one flipped
bit would silently take back every commit behind it. The number tells. It is written after each
commit, before anybody is told of it, and synced only now and then: a killed process leaves it
exact, a power cut leaves an older one, which promises less but never more than there is.
"""

import struct
import zlib
from pathlib import Path

from aios.errors import Damaged
from aios.journal.disk import Disk

_RECORD = struct.Struct("<8sQI")  # magic, number, checksum of both
_MAGIC = b"AIOSwit1"
_SLOT_BYTES = 4096  # The two records lie in different sectors: a torn write hits one of them.


class Witness:
    """Two records; the newer one counts, and the older where the newer was damaged."""

    def __init__(self, disk: Disk, path: Path) -> None:
        self._disk = disk
        self._path = path
        self.is_synced = True

    def load(self) -> int | None:
        """The number, or None where there is no file. Raises `Damaged`."""
        if self._disk.size(self._path) is None:
            return None
        data = self._disk.read(self._path)
        found = [_number(data[at : at + _RECORD.size]) for at in (0, _SLOT_BYTES)]
        known = [number for number in found if number is not None]
        if not known:
            raise Damaged(f"{self._path}: expected the number of the last commit, both copies lost")
        return max(known)

    def create(self, number: int) -> None:
        """Begin with that number, on the disk when it returns."""
        part = self._path.with_name(f"{self._path.name}.part")
        self._disk.remove(part)
        self._disk.create(part, _record(number).ljust(_SLOT_BYTES, b"\0") * 2)
        self._disk.rename(part, self._path)
        self._disk.sync_folder(self._path.parent)

    def note(self, number: int) -> None:
        """The commit of that number is on the disk."""
        self.is_synced = False
        self._disk.patch(self._path, number % 2 * _SLOT_BYTES, _record(number))

    def sync(self) -> None:
        """From now on a power cut leaves the number as it is."""
        if not self.is_synced:
            self._disk.sync(self._path)
            self.is_synced = True


def _record(number: int) -> bytes:
    body = _MAGIC + number.to_bytes(8, "little")
    return body + zlib.crc32(body).to_bytes(4, "little")


def _number(record: bytes) -> int | None:
    if len(record) < _RECORD.size:
        return None
    magic, number, checksum = _RECORD.unpack(record)
    is_whole = magic == _MAGIC and checksum == zlib.crc32(record[:16])
    return int(number) if is_whole else None
