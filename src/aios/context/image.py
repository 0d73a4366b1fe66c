"""The file format of a snapshot: bytes in memory to a `Snapshot` and back. Knows no folder.

    magic | version | header length | header checksum | header | zeros to 64 | KV bytes

The header checksum covers everything before the KV except itself; the header holds the KV's. So
every byte of an image is covered, and no length in it is believed before its checksum is right.
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType

import msgspec
import xxhash

from aios.context.snapshot import Snapshot
from aios.errors import Damaged

MAGIC = b"AIOSSNAP"
VERSION = 1
ALIGNMENT = 64
PREFIX = struct.Struct("<8sIIQ")
# Always set in a KV checksum, so that the number, and with it the header, has one width.
CHECKSUM_MARK = 1 << 63

_BEFORE_CHECKSUM = PREFIX.size - 8
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Snapshot).decode


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Where the parts of a snapshot's image lie."""

    kv_offset: int
    total_bytes: int


class Loaded:
    """A verified snapshot and its KV, which is readable until `close`."""

    def __init__(self, snapshot: Snapshot, kv: memoryview, done: Callable[[], None]) -> None:
        self.snapshot = snapshot
        self.kv = kv
        self._done = done

    def close(self) -> None:
        """Give the KV's memory back."""
        done, self._done = self._done, _nothing
        done()

    def __enter__(self) -> "Loaded":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def layout(snapshot: Snapshot) -> Layout:
    """Where the parts will lie, whatever the KV's checksum turns out to be."""
    marked = msgspec.structs.replace(snapshot, kv_checksum=CHECKSUM_MARK)
    offset = _aligned(PREFIX.size + len(_encode(marked)))
    return Layout(kv_offset=offset, total_bytes=offset + snapshot.kv_bytes)


def seal(image: memoryview, snapshot: Snapshot) -> None:
    """Write everything but the KV, which is in place already, into an image of the right size."""
    plan = layout(snapshot)
    assert len(image) == plan.total_bytes
    checksum = kv_checksum(image[plan.kv_offset :])
    header = _encode(msgspec.structs.replace(snapshot, kv_checksum=checksum))
    body = header.ljust(plan.kv_offset - PREFIX.size, b"\0")
    assert len(body) + PREFIX.size == plan.kv_offset
    front = PREFIX.pack(MAGIC, VERSION, len(header), 0)[:_BEFORE_CHECKSUM]
    digest = xxhash.xxh3_64_intdigest(front + body)
    image[: plan.kv_offset] = front + digest.to_bytes(8, "little") + body


def unseal(image: memoryview, total_bytes: int, where: str) -> tuple[Snapshot, memoryview]:
    """The snapshot and KV in an image that should be of that size; anything wrong is `Damaged`."""
    if len(image) < max(total_bytes, PREFIX.size):
        raise Damaged(f"{where}: expected {total_bytes} bytes, got {len(image)}")
    snapshot, offset = _header(image, where)
    if snapshot.kv_bytes < 0 or snapshot.tokens < 0 or offset + snapshot.kv_bytes != total_bytes:
        raise Damaged(
            f"{where}: the header's {snapshot.kv_bytes} KV bytes after {offset} "
            f"are not the expected {total_bytes} bytes in all"
        )
    kv = image[offset:total_bytes]
    if kv_checksum(kv) != snapshot.kv_checksum:
        raise Damaged(f"{where}: the KV's checksum is wrong")
    return snapshot, kv


def kv_checksum(kv: memoryview) -> int:
    """The checksum that a header holds for this KV."""
    return int(xxhash.xxh3_64_intdigest(kv)) | CHECKSUM_MARK


def _header(image: memoryview, where: str) -> tuple[Snapshot, int]:
    magic, version, length, checksum = PREFIX.unpack_from(image)
    if magic != MAGIC:
        raise Damaged(f"{where}: not a snapshot, it begins with {magic!r}")
    if version != VERSION:
        raise Damaged(f"{where}: expected snapshot version {VERSION}, got {version}")
    offset = _aligned(PREFIX.size + length)
    if offset > len(image):
        raise Damaged(f"{where}: a header of {length} bytes in {len(image)} bytes")
    digest = xxhash.xxh3_64(image[:_BEFORE_CHECKSUM])
    digest.update(image[PREFIX.size : offset])
    if digest.intdigest() != checksum:
        raise Damaged(f"{where}: the header's checksum is wrong")
    try:
        return _decode(image[PREFIX.size : PREFIX.size + length]), offset
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
        raise Damaged(f"{where}: the header is no snapshot's: {problem}") from None


def _aligned(size: int) -> int:
    return -(-size // ALIGNMENT) * ALIGNMENT


def _nothing() -> None:
    pass
