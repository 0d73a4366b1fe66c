"""How much an agent's files may take, and what is kept of the past. Pure rules."""

from collections.abc import Sequence
from dataclasses import dataclass

from aios.errors import QuotaExceeded
from aios.syscalls.file import FILE_BYTES_MAX, Deleted, VersionInfo

DAY_S = 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class FileLimits:
    """Bounds of every agent's files. Bytes count all kept versions, those in the bin included."""

    bytes_max: int = 10 << 30
    files_max: int = 100_000  # files and folders
    file_bytes_max: int = FILE_BYTES_MAX
    versions_max: int = 100  # of one file; older ones go
    versions_days: float | None = None  # older ones go, but for the newest; None: no such limit
    bin_days: float = 30.0
    bin_max: int = 1_000  # deletions in the bin
    links_max: int = 1_000
    text_bytes_max: int = 1 << 20  # longer texts are found by their names only
    adopt_max: int = 1_000  # outside changes taken over in one go


def check_file(size: int, limits: FileLimits) -> None:
    if size > limits.file_bytes_max:
        raise QuotaExceeded(f"a file of {size} bytes; at most {limits.file_bytes_max}")


def check_files(used: int, more: int, limits: FileLimits) -> None:
    if more > 0 and used + more > limits.files_max:
        raise QuotaExceeded(
            f"{used} files and folders, {more} more needed; at most {limits.files_max}"
        )


def check_bytes(used: int, more: int, limits: FileLimits) -> None:
    if more > 0 and used + more > limits.bytes_max:
        raise QuotaExceeded(
            f"{used} bytes of files and versions, {more} more needed; at most {limits.bytes_max}"
        )


def outdated(versions: Sequence[VersionInfo], now: float, limits: FileLimits) -> list[VersionInfo]:
    """Which of a file's versions, newest first, are not kept. Never the newest."""
    days = limits.versions_days
    oldest = now - days * DAY_S if days is not None else float("-inf")
    return [
        version
        for place, version in enumerate(versions)
        if place and (place >= limits.versions_max or version.time < oldest)
    ]


def overdue(deletions: Sequence[Deleted], now: float, limits: FileLimits) -> list[Deleted]:
    """Which of the bin's entries, newest first, go: they are too many, or too old."""
    oldest = now - limits.bin_days * DAY_S
    return [
        one for place, one in enumerate(deletions) if place >= limits.bin_max or one.time < oldest
    ]
