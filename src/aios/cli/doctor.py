"""`aios doctor`: what AIOS needs, whether it is here, and what to do where it is not."""

import importlib.util
import os
import platform
import shutil
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import msgspec
import typer

from aios.bench.machine import cores, memory_bytes
from aios.config import Places

GIB = 1 << 30
MEMORY_MIN = 2 * GIB
SHARED_MIN = GIB
LOCAL_PACKAGES = ("torch", "transformers", "tokenizers", "safetensors", "llguidance")


class Check(msgspec.Struct, frozen=True):
    """One line. `advice` is empty where all is well."""

    what: str
    found: str
    advice: str = ""


def doctor() -> None:
    """Check that this machine has what AIOS needs."""
    found = list(checks(Places.default()))
    for one in found:
        print(line(one))
    if any(one.advice for one in found):
        raise typer.Exit(1)


def checks(places: Places) -> Iterator[Check]:
    """Every check, cheap ones first."""
    yield _python()
    yield Check("cores", str(cores()))
    yield _memory()
    yield from map(_package, LOCAL_PACKAGES)
    yield _device()
    yield _folder("shared memory", places.ram, SHARED_MIN)
    yield _folder("snapshots on disk", places.disk, SHARED_MIN)
    yield _pocket()


def line(check: Check) -> str:
    """`ok` or `missing`, what was looked at, what was found, what to do."""
    state = "missing" if check.advice else "ok"
    advice = f"; {check.advice}" if check.advice else ""
    return f"{state:8} {check.what}: {check.found}{advice}"


def _python() -> Check:
    enough = sys.version_info >= (3, 11)
    return Check("python", platform.python_version(), "" if enough else "use Python 3.11 or later")


def _memory() -> Check:
    size = memory_bytes()
    advice = "" if size >= MEMORY_MIN else "2 GiB or more are needed for a local model"
    return Check("memory", f"{size / GIB:.1f} GiB", advice)


def _package(name: str) -> Check:
    try:
        return Check(name, version(name))
    except PackageNotFoundError:
        return Check(name, "not installed", "pip install 'aios-kernel[local]'")


def _device() -> Check:
    """What torch would compute on; nothing but torch itself knows."""
    if importlib.util.find_spec("torch") is None:
        return Check("device", "none without torch", "pip install 'aios-kernel[local]'")
    from aios.cores.torch.device import best_device

    return Check("device", best_device())


def _folder(what: str, path: Path, bytes_min: int) -> Check:
    """A folder that is there or can be made, with room."""
    there = next(one for one in (path, *path.parents) if one.exists())
    if not os.access(there, os.W_OK | os.X_OK):
        return Check(what, f"{path} cannot be written", f"give this user the right to {there}")
    free = shutil.disk_usage(there).free
    advice = "" if free >= bytes_min else f"free {bytes_min / GIB:.0f} GiB in {there}"
    return Check(what, f"{path}, {free / GIB:.1f} GiB free", advice)


def _pocket() -> Check:
    path = _pocket_path()
    if path is not None and any(path.glob("*.safetensors")):
        return Check("pocket model", str(path))
    return Check("pocket model", "no weights", "make them: python -m aios.models.pocket.train")


def _pocket_path() -> Path | None:
    if importlib.util.find_spec("aios.models.pocket") is None:
        return None
    from aios.models.pocket import PATH

    return PATH
