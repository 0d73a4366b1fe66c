"""Which version is meant, and what changed between two. Pure functions."""

import difflib
from collections.abc import Sequence

from aios.errors import InvalidArgument, NotFound
from aios.storage.texts import as_text
from aios.syscalls.file import Difference, RollbackFile, VersionInfo


def wanted(versions: Sequence[VersionInfo], call: RollbackFile) -> VersionInfo:
    """The version, of all of them newest first, that a rollback names."""
    given = (call.steps, call.time, call.version)
    if sum(one is not None for one in given) != 1:
        raise InvalidArgument("expected exactly one of steps, time and version")
    if call.version is not None:
        return numbered(versions, call.version)
    if call.steps is not None:
        if call.steps < len(versions):
            return versions[call.steps]
        raise NotFound(f"{len(versions) - 1} older versions are kept, not {call.steps}")
    for version in versions:
        if call.time is not None and version.time <= call.time:
            return version
    raise NotFound(f"no version of that time is kept; the oldest is of {versions[-1].time:.0f}")


def numbered(versions: Sequence[VersionInfo], number: int) -> VersionInfo:
    """The version of that number."""
    for version in versions:
        if version.version == number:
            return version
    newest, oldest = versions[0].version, versions[-1].version
    raise NotFound(f"no version {number} is kept; there are some from {oldest} to {newest}")


def difference(path: str, old: bytes, new: bytes, numbers: tuple[int, int]) -> Difference:
    """Unified diff of two contents, under the numbers of their versions."""
    before, after = as_text(old), as_text(new)
    if old == new:
        return Difference("", binary=before is None)
    if before is None or after is None:
        return Difference(f"{path}: binary contents differ\n", binary=True)
    lines = difflib.unified_diff(
        _lines(before),
        _lines(after),
        f"{path} (version {numbers[0]})",
        f"{path} (version {numbers[1]})",
    )
    return Difference("".join(lines))


def _lines(text: str) -> list[str]:
    """Lines that end in a newline, all of them: the last one says it if it had none."""
    lines = [f"{line}\n" for line in text.split("\n")]
    last = lines.pop()
    return lines if last == "\n" else [*lines, f"{last}\\ No newline at end of file\n"]
