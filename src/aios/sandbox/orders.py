"""A job as the launcher is told of it: checked here, so that nothing odd goes any further. Pure."""

import os
from pathlib import Path
from typing import Any

from aios.errors import InvalidArgument
from aios.sandbox.base import Bounds, Job, Whose

WORDS_BYTES_MAX = 1 << 20  # of arguments and environment together
STDIN_BYTES_MAX = 64 << 20
SOURCE_BYTES_MAX = 8 << 20
NAME_BYTES_MAX = 255


def order(number: int, job: Job) -> tuple[dict[str, Any], list[bytes]]:
    """The header and blobs that say it. Raises `InvalidArgument`."""
    if bool(job.argv) == (job.python is not None):
        raise InvalidArgument("expected exactly one of argv and python")
    source = source_blob(job.python or "")
    _check_size("stdin", len(job.stdin), STDIN_BYTES_MAX)
    _check_words(job)
    _check_files(job)
    header = {
        "do": "run",
        "id": number,
        "mode": "argv" if job.argv else "python",
        "argv": list(job.argv),
        "environment": dict(job.environment),
        "listen": job.egress is not None,
        "talk": False,
        "files": [file.path for file in job.files],
        "folder": None if job.folder is None else str(real_folder("folder", job.folder)),
        "readable": [str(real_path(path)) for path in job.readable],
        "collects": bool(job.collect),
        "owner": job.whose.agent,
        **bounds_told(job.bounds),
    }
    return header, [job.stdin, source, *(file.data for file in job.files)]


def session_order(
    number: int, bounds: Bounds, idle_s: float, whose: Whose
) -> tuple[dict[str, Any], list[bytes]]:
    """The header and blobs that ask for a session."""
    header, blobs = order(number, Job(python="", bounds=bounds, whose=whose))
    timing = {"mode": "session", "wall_s": idle_s, "bounds_wall_s": bounds.wall_s}
    return header | timing, blobs


def source_blob(source: str) -> bytes:
    """A program's text as bytes. Raises `InvalidArgument`."""
    try:
        blob = source.encode()
    except UnicodeEncodeError:
        raise InvalidArgument("python: expected text, got half of a surrogate pair") from None
    _check_size("python", len(blob), SOURCE_BYTES_MAX)
    return blob


def bounds_told(bounds: Bounds) -> dict[str, Any]:
    """The bounds, as the launcher takes them. Raises `InvalidArgument`."""
    for name in bounds.__struct_fields__:
        if getattr(bounds, name) <= 0:
            raise InvalidArgument(f"bounds.{name}: expected more than 0")
    return {
        "wall_s": bounds.wall_s,
        "cpu_s": bounds.cpu_s,
        "output_bytes": bounds.output_bytes,
        "bounds": {
            "cpu_s": int(bounds.cpu_s),
            "open_files": max(bounds.open_files, 16),
            "disk_bytes": bounds.disk_bytes,
            "processes": bounds.processes,
            "memory_bytes": bounds.memory_bytes,
        },
    }


def real_path(path: Path) -> Path:
    """Where it is, every link followed now, so that no later one changes what was meant."""
    try:
        return path.resolve(strict=True)
    except OSError as problem:
        raise InvalidArgument(f"{path}: {problem.strerror}") from None


def real_folder(what: str, path: Path) -> Path:
    """The same, of a folder."""
    real = real_path(path)
    if not real.is_dir():
        raise InvalidArgument(f"{what}: expected a folder, got {path}")
    return real


def _check_words(job: Job) -> None:
    words = [*job.argv, *job.environment.keys(), *job.environment.values()]
    for word in words:
        if "\0" in word or not _is_text(word):
            raise InvalidArgument(f"expected text without NUL, got {word[:40]!r}")
    for name in job.environment:
        if not name or "=" in name:
            raise InvalidArgument(f"expected a variable's name, got {name[:40]!r}")
    _check_size("argv and environment", sum(len(word) for word in words) * 4, WORDS_BYTES_MAX)


def _check_files(job: Job) -> None:
    _check_size("files", sum(len(file.data) for file in job.files), job.bounds.disk_bytes)
    if len(job.files) > job.bounds.files:
        raise InvalidArgument(f"expected at most {job.bounds.files} files, got {len(job.files)}")
    for file in job.files:
        names = file.path.split("/")
        if not all(map(_is_name, names)):
            raise InvalidArgument(
                f"expected a path of names below the workspace, got {file.path[:80]!r}"
            )


def _is_name(name: str) -> bool:
    if name in ("", ".", "..") or "\0" in name or not _is_text(name):
        return False
    return len(os.fsencode(name)) <= NAME_BYTES_MAX


def _is_text(word: str) -> bool:
    return not any("\ud800" <= letter <= "\udfff" for letter in word)


def _check_size(what: str, size: int, most: int) -> None:
    if size > most:
        raise InvalidArgument(f"{what}: expected at most {most:,} bytes, got {size:,}")
