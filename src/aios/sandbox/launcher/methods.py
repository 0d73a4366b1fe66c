"""The ways to start a sandbox's worker, one for each tier: an order for a keeper, and the filter.

A method says only what is asked of the keeper; that it really holds is found by trying (`probe`).
"""

import os
import shutil
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from aios.sandbox.launcher import bwrap, landlock, seccomp
from aios.sandbox.launcher.cell import Shape
from aios.sandbox.launcher.image import Image
from aios.sandbox.launcher.slot import Slot
from aios.sandbox.launcher.system import MS_NODEV, MS_NOSUID, mount, unmount

WORKER = Path(__file__).parent / "worker.py"
PATHS = "/usr/local/bin:/usr/bin:/bin"
HOST_FILES = (
    "/etc/ld.so.cache", "/etc/localtime", "/etc/ssl/certs", "/etc/alternatives", "/etc/hosts",
    "/etc/nsswitch.conf",
)  # fmt: skip
LANDLOCK_MIN = 1
LANDLOCK_SCOPED = 6  # from this version on signals of a shared user are held back too


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


class Bubblewrap:
    """Namespaces with seccomp."""

    name = "bubblewrap"
    strength = 3
    has_own_network = True

    def __init__(self, here: Here, *, own_users: bool) -> None:
        program = shutil.which("bwrap")
        if program is None:
            raise OSError("bubblewrap is not installed: `apt install bubblewrap`")
        self._here = here
        self._view = here.image.view(program)
        self._filter = seccomp.filter_bytes(here.machine, seccomp.BASE + seccomp.OWN_NETWORK)
        self._worker = worker_words(here.image.interpreter.program)
        self.own_users = own_users

    def start(self, slot: Slot, shape: Shape) -> tuple[dict[str, Any], bytes]:
        words = bwrap.words(self._view, shape.disk_bytes, shape.folder, shape.readable)
        # What belongs to the launcher's user, that user must open.
        is_special = shape.folder is not None or bool(shape.readable)
        uid = None if is_special else slot.uid
        argv = [*words, *self._worker]
        return _order(argv, uid, environment={}), self._filter

    def clean(self, slot: Slot) -> Path | None:
        return None

    def environment(self, slot: Slot) -> dict[str, str]:
        home = {"HOME": bwrap.WORKSPACE, "TMPDIR": "/tmp"}
        return {"PATH": self._path(), "LANG": "C.UTF-8", **home}

    def packages(self) -> list[str]:
        return list(self._here.image.interpreter.packages)

    def limits(self, task: dict[str, int]) -> list[tuple[str, int]]:
        # bubblewrap's own process inside counts too.
        return _limits(task, self._here.groups, processes=task["processes"] + 1)

    def unbounded(self) -> list[str]:
        return _unbounded(self._here.groups)

    def _path(self) -> str:
        return f"{os.path.dirname(self._here.image.interpreter.program)}:{PATHS}"


class Landlock:
    """The machine's own file system, network and processes, of which little may be touched."""

    name = "landlock"
    strength = 2
    has_own_network = False

    def __init__(self, here: Here) -> None:
        self._here = here
        self.own_users = here.is_root
        known = landlock.version()
        if known < (LANDLOCK_MIN if here.is_root else LANDLOCK_SCOPED):
            raise OSError(_landlock_missing(known))
        interpreter = here.image.interpreter
        self._program = here.image.where(interpreter.program)
        if here.is_root and any(
            lies == seen and not _is_open(seen) for lies, seen in here.image.folders
        ):
            raise OSError(f"the interpreter {interpreter.program} lies where only root may go")
        rules = seccomp.BASE + seccomp.SHARED_MACHINE
        rules += () if here.is_root else seccomp.SHARED_USER
        self._filter = seccomp.filter_bytes(here.machine, rules)
        self._readable = [lies for lies, _ in here.image.folders]
        self._readable += [path for path in HOST_FILES if os.path.exists(path)]

    def start(self, slot: Slot, shape: Shape) -> tuple[dict[str, Any], bytes]:
        if shape.folder is not None and self._here.is_root:
            raise OSError("under Landlock as root a sandbox has a user of its own, which no folder "
                          "of root's can be given to")  # fmt: skip
        workspace = shape.folder or self._workspace(slot, shape.disk_bytes)
        confine = {"readable": [*self._readable, *shape.readable], "own": [workspace]}
        order = _order(worker_words(self._program), slot.uid, environment=self._libraries())
        return order | {"confine": confine, "workspace": workspace}, self._filter

    def clean(self, slot: Slot) -> Path | None:
        workspace = self._place(slot)
        if not workspace.exists():
            return None
        if self._can_mount():
            with suppress(OSError):
                unmount(str(workspace))
            workspace.rmdir()
            return None
        left = workspace.with_name(f"left-{slot.number}-{os.urandom(4).hex()}")
        workspace.rename(left)
        return left

    def environment(self, slot: Slot) -> dict[str, str]:
        home = str(self._place(slot))
        path = f"{os.path.dirname(self._program)}:{PATHS}"
        own = {"PATH": path, "LANG": "C.UTF-8", "HOME": home, "TMPDIR": home}
        return own | self._libraries()

    def packages(self) -> list[str]:
        return [self._here.image.where(path) for path in self._here.image.interpreter.packages]

    def limits(self, task: dict[str, int]) -> list[tuple[str, int]]:
        has_user = self._here.is_root
        return _limits(task, self._here.groups, processes=task["processes"] if has_user else None)

    def unbounded(self) -> list[str]:
        found = _unbounded(self._here.groups)
        if not self._here.is_root and "pids" not in self._here.groups:
            found.append("processes")
        return found if self._can_mount() else [*found, "disk_bytes"]

    def _workspace(self, slot: Slot, disk_bytes: int) -> str:
        workspace = self._place(slot)
        workspace.mkdir(mode=0o700)
        if self._can_mount():
            owner = f"uid={slot.uid},gid={slot.uid},mode=700" if slot.uid else "mode=700"
            options = f"size={disk_bytes},{owner}"
            mount("tmpfs", str(workspace), "tmpfs", MS_NOSUID | MS_NODEV, options)
        elif slot.uid is not None:
            os.chown(workspace, slot.uid, slot.uid)
        return str(workspace)

    def _place(self, slot: Slot) -> Path:
        return self._here.place / f"workspace-{slot.number}"

    def _can_mount(self) -> bool:
        return self._here.has_own_mounts and self._here.is_root

    def _libraries(self) -> dict[str, str]:
        """Where the interpreter's own library lies, if the interpreter was shown elsewhere."""
        if self._program == self._here.image.interpreter.program:
            return {}
        return {"LD_LIBRARY_PATH": str(Path(self._program).parent.parent / "lib")}


METHODS: dict[str, Callable[[Here], list[Method]]] = {
    "bubblewrap": lambda here: [
        Bubblewrap(here, own_users=own) for own in ((True, False) if here.is_root else (False,))
    ],
    "landlock": lambda here: [Landlock(here)],
}
"""By a tier's name, the ways to have it, best first."""


def worker_words(program: str) -> list[str]:
    """An interpreter that knows nothing of the machine, at the worker's first line."""
    return [program, "-I", "-S", "-u", "-X", "utf8", "-c", WORKER.read_text()]


def _order(argv: list[str], uid: int | None, environment: dict[str, str]) -> dict[str, Any]:
    return {
        "argv": argv,
        "uid": uid,
        "gid": uid,
        "environment": environment,
        "confine": None,
        "workspace": "/",
    }


def _limits(
    task: dict[str, int], groups: frozenset[str], *, processes: int | None
) -> list[tuple[str, int]]:
    """Per process; where a whole tree is bounded by a group or a file system, that one counts."""
    limits = [
        ("RLIMIT_CORE", 0),
        ("RLIMIT_CPU", task["cpu_s"] + 1),
        ("RLIMIT_NOFILE", task["open_files"]),
        ("RLIMIT_FSIZE", task["disk_bytes"]),
        ("RLIMIT_MEMLOCK", 1 << 16),
    ]
    if processes is not None:
        limits.append(("RLIMIT_NPROC", processes))
    if "memory" not in groups:
        limits.append(("RLIMIT_AS", task["memory_bytes"]))
    return limits


def _unbounded(groups: frozenset[str]) -> list[str]:
    found = [] if "memory" in groups else ["memory_bytes"]
    return found if groups & {"cpuacct", "cpu"} else [*found, "cpu_s"]


def _landlock_missing(known: int) -> str:
    if sys.platform != "linux" or known == 0:
        return "this kernel has no Landlock: Linux 5.13 or later with lsm=landlock has"
    return f"Landlock version {LANDLOCK_SCOPED} (Linux 6.12) is needed without root, got {known}"


def _is_open(path: str) -> bool:
    from aios.sandbox.launcher.image import is_reachable

    return is_reachable(path)
