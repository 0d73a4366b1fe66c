"""What must survive of a suspended generation, as one checksummed file image. Knows no core.

    magic | version | header length | header checksum | header (MessagePack) | padding | KV bytes

The KV checksum, the fingerprint and the generation's id stand in the header, so that the header's
checksum covers them. The header's `state` belongs to the core that wrote it.
"""

from enum import StrEnum

import msgspec


class Tier(StrEnum):
    """Where a snapshot rests. DEVICE: its KV never left the core's block pool."""

    DEVICE = "device"
    RAM = "ram"
    DISK = "disk"


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a suspended generation needs to go on exactly where it stopped.

    `state` is the core's own record (token ids of every branch, block tables, beam tree,
    position, seed, grammar position); `kv_bytes` is the size of the KV that follows the header.
    """

    generation: str
    fingerprint: str
    state: bytes
    kv_bytes: int
    kv_checksum: int
    tokens: int  # KV length in tokens, for accounting


class SnapshotRef(msgspec.Struct, frozen=True, kw_only=True):
    """Where a snapshot lies. `path` is empty in the tier DEVICE, which no other process reads."""

    tier: Tier
    path: str
    bytes: int
    tokens: int
