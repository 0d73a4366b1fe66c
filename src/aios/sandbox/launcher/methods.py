"""How a sandbox's worker is started: what every tier answers, and what they share.

A method says only what is asked of the keeper; that it really holds is found by trying (`probe`).
"""

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from aios.sandbox.launcher.cell import Shape
from aios.sandbox.launcher.image import Image
from aios.sandbox.launcher.slot import Slot
from aios.sandbox.launcher.system import MS_NODEV, MS_NOSUID, mount, unmount

WORKER = Path(__file__).parent / "worker.py"
PATHS = "/usr/local/bin:/usr/bin:/bin"


@dataclass(frozen=True, slots=True, kw_only=True)
class Here:
    """What the launcher has to make sandboxes with."""

    place: Path
    image: Image
    machine: str
    is_root: bool
    has_own_mounts: bool
    groups: frozenset[str]  # controllers


class Method(Protocol):
    """One tier."""

    name: str
    strength: int
    holds: bool  # whether it is meant to confine at all
    has_own_network: bool
    own_users: bool  # a user of its own for each sandbox

    def start(self, slot: Slot, shape: Shape) -> tuple[dict[str, Any], bytes]:
        """The keeper's order and the filter. Raises `OSError` where the shape cannot be had."""
        ...

    def clean(self, slot: Slot) -> Path | None:
        """After the end; a folder that is still to be removed when nobody looks into it."""
        ...

    def environment(self, slot: Slot) -> dict[str, str]: ...

    def packages(self) -> list[str]: ...

    def limits(self, task: dict[str, int]) -> list[tuple[str, int]]:
        """The resource limits that the worker sets itself for a program with these bounds."""
        ...

    def unbounded(self) -> list[str]: ...


class Folders:
    """Workspaces in the machine's own file system: size-limited where mounting is allowed."""

    def __init__(self, place: Path, *, can_mount: bool) -> None:
        self._place = place
        self.can_mount = can_mount

    def make(self, slot: Slot, disk_bytes: int) -> str:
        """An empty one, the slot's user's."""
        workspace = self.of(slot)
        workspace.mkdir(mode=0o700)
        if self.can_mount:
            owner = f"uid={slot.uid},gid={slot.uid},mode=700" if slot.uid else "mode=700"
            options = f"size={disk_bytes},{owner}"
            mount("tmpfs", str(workspace), "tmpfs", MS_NOSUID | MS_NODEV, options)
        elif slot.uid is not None:
            os.chown(workspace, slot.uid, slot.uid)
        return str(workspace)

    def take_away(self, slot: Slot) -> Path | None:
        """What is still to be removed, when nobody looks into it any more."""
        workspace = self.of(slot)
        if not workspace.exists():
            return None
        if self.can_mount:
            with suppress(OSError):
                unmount(str(workspace))
                workspace.rmdir()
            return None
        left = workspace.with_name(f"left-{slot.number}-{os.urandom(4).hex()}")
        workspace.rename(left)
        return left

    def of(self, slot: Slot) -> Path:
        """Where that slot's is."""
        return self._place / f"workspace-{slot.number}"


class OnMachine:
    """What the methods share whose programs see the machine's own file system."""

    def __init__(self, here: Here, program: str, *, can_mount: bool) -> None:
        self._here = here
        self._folders = Folders(here.place, can_mount=can_mount)
        self._program = program

    def clean(self, slot: Slot) -> Path | None:
        return self._folders.take_away(slot)

    def environment(self, slot: Slot) -> dict[str, str]:
        home = str(self._folders.of(slot))
        path = f"{os.path.dirname(self._program)}:{PATHS}"
        return {"PATH": path, "LANG": "C.UTF-8", "HOME": home, "TMPDIR": home}

    def packages(self) -> list[str]:
        return list(self._here.image.interpreter.packages)

    def limits(self, task: dict[str, int]) -> list[tuple[str, int]]:
        return limits(task, self._here.groups, processes=None)

    def unbounded(self) -> list[str]:
        """What anybody may take as much of as the user may."""
        return ["memory_bytes", "cpu_s", "processes", "disk_bytes"]


def worker_words(program: str) -> list[str]:
    """An interpreter that knows nothing of the machine, at the worker's first line."""
    return [program, "-I", "-S", "-u", "-X", "utf8", "-c", WORKER.read_text()]


def order(argv: list[str], uid: int | None, environment: dict[str, str]) -> dict[str, Any]:
    """What a keeper is told, of a program that confines itself."""
    return {
        "argv": argv,
        "uid": uid,
        "gid": uid,
        "environment": environment,
        "confine": None,
        "workspace": "/",
    }


def limits(
    task: dict[str, int], groups: frozenset[str], *, processes: int | None
) -> list[tuple[str, int]]:
    """Per process; where a whole tree is bounded by a group or a file system, that one counts."""
    found = [
        ("RLIMIT_CORE", 0),
        ("RLIMIT_CPU", task["cpu_s"] + 1),
        ("RLIMIT_NOFILE", task["open_files"]),
        ("RLIMIT_FSIZE", task["disk_bytes"]),
        ("RLIMIT_MEMLOCK", 1 << 16),
    ]
    if processes is not None:
        found.append(("RLIMIT_NPROC", processes))
    if "memory" not in groups:
        found.append(("RLIMIT_AS", task["memory_bytes"]))
    return found


def unbounded(groups: frozenset[str]) -> list[str]:
    """What is held per process only, without control groups."""
    found = [] if "memory" in groups else ["memory_bytes"]
    return found if groups & {"cpuacct", "cpu"} else [*found, "cpu_s"]
