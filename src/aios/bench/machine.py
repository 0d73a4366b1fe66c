"""The machine and the source that a figure was measured on. Only looks, never fails."""

import os
import platform
import subprocess
from pathlib import Path

import msgspec


class Machine(msgspec.Struct, frozen=True, kw_only=True):
    """What every result is stored with; empty where the system does not tell."""

    git_sha: str
    cpu: str
    cores: int
    python: str


def this_machine() -> Machine:
    """Where this process runs."""
    return Machine(
        git_sha=_git_sha(Path(__file__).parent),
        cpu=_cpu(),
        cores=cores(),
        python=platform.python_version(),
    )


def cores() -> int:
    """Processor cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def memory_bytes() -> int:
    """Memory of the machine."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def resident_bytes(pid: int | None = None) -> int:
    """Memory that this process, or another one, holds now."""
    pages = int(Path(f"/proc/{pid or 'self'}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor())


def _git_sha(folder: Path) -> str:
    """The commit of the source, `+` where it was changed since; empty outside its checkout.

    An installed copy may lie inside another project's checkout, which does not track it.
    """
    if not _git(folder, "ls-files", "--error-unmatch", "__init__.py"):
        return ""
    sha = _git(folder, "rev-parse", "HEAD")
    return f"{sha}+" if _git(folder, "status", "--porcelain", "-uno") else sha


def _git(folder: Path, *words: str) -> str:
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *words], capture_output=True, text=True, timeout=10
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
