"""`aios doctor`: what AIOS needs, whether it is here, and what to do where it is not."""

import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

import typer

from aios.bench.machine import cores, memory_bytes
from aios.cli import sources
from aios.cli.check import Check
from aios.config import shared_memory
from aios.errors import NotFound

GIB = 1 << 30
MIB = 1 << 20
JOURNAL_MAX = GIB
JOURNAL_ADVICE = "`aios journal check` names all of it, `aios journal restore` takes a backup"
MEMORY_MIN = 2 * GIB
SHARED_MIN = GIB
LOCAL_PACKAGES = ("torch", "transformers", "tokenizers", "safetensors", "llguidance")
INSTALL = "pip install 'aios-kernel[local]'"
DEVICE_S = 120.0
NAME_DEVICE = "from aios.cores.torch.device import told; print(told())"


def doctor() -> None:
    """Check that this machine has what AIOS needs."""
    is_well = True
    for one in checks():
        print(line(one))
        is_well = is_well and not one.advice
    if not is_well:
        raise typer.Exit(1)


def checks() -> Iterator[Check]:
    """Every check, made as it is asked for."""
    yield _python()
    yield Check("cores", str(cores()))
    yield _memory()
    yield from map(package, LOCAL_PACKAGES)
    yield _device()
    yield folder("shared memory", shared_memory(), SHARED_MIN)
    yield folder("temporary files", Path(tempfile.gettempdir()), SHARED_MIN)
    yield _pocket()
    yield from _sandboxes()
    yield journal(sources.home())


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


def package(name: str) -> Check:
    """Whether that package is installed."""
    try:
        return Check(name, version(name))
    except PackageNotFoundError:
        return Check(name, "not installed", INSTALL)


def _device() -> Check:
    """What the device `auto` is here, asked in a process that a broken torch may take with it."""
    if find_spec("torch") is None:
        return Check("device", "unknown without torch", INSTALL)
    try:
        told = subprocess.run(
            [sys.executable, "-c", NAME_DEVICE], capture_output=True, text=True, timeout=DEVICE_S
        )
    except subprocess.TimeoutExpired:
        return Check("device", f"torch did not start within {DEVICE_S:g} s", "try again")
    if told.returncode:
        return Check("device", "torch does not start", f"reinstall it: {INSTALL}")
    return Check("device", told.stdout.strip())


def folder(what: str, path: Path, bytes_min: int) -> Check:
    """A folder to write in, with room."""
    if not os.access(path, os.W_OK | os.X_OK):
        return Check(what, f"{path} cannot be written", "give this user the right to write there")
    free = shutil.disk_usage(path).free
    advice = "" if free >= bytes_min else f"free {bytes_min / GIB:.0f} GiB there"
    return Check(what, f"{path}, {free / GIB:.1f} GiB free", advice)


def journal(home: Path) -> Check:
    """Whether what the kernel keeps is as it was written; a large one is not read here."""
    from aios.cli.journal import found_in, journal_of

    try:
        folder = journal_of(home)
    except NotFound:
        return Check("journal", f"none yet in {home}")
    size = _bytes_in(folder)
    shown = f"{folder}, {size / MIB:.1f} MiB"
    if size > JOURNAL_MAX:
        return Check("journal", f"{shown}, not read; `aios journal check` does")
    troubles = found_in(folder)
    if not troubles:
        return Check("journal", f"{shown}, whole")
    first = f"{troubles[0].place}: {troubles[0].problem}"
    return Check("journal", f"{shown}, {len(troubles)} damaged, {first}", JOURNAL_ADVICE)


def _bytes_in(folder: Path) -> int:
    size = 0
    for file in folder.rglob("*"):
        with suppress(FileNotFoundError):  # A kernel may be at work there.
            size += file.stat().st_size
    return size


def _sandboxes() -> Iterator[Check]:
    from aios.cli.sandboxes import sandboxes

    yield from sandboxes()


def _pocket() -> Check:
    from aios.models.pocket import PATH

    if any(PATH.glob("*.safetensors")):
        return Check("pocket model", str(PATH))
    return Check("pocket model", f"no weights in {PATH}", f"reinstall AIOS: {INSTALL}")
