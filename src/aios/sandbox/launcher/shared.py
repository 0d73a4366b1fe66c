"""The Landlock tier as a method: Landlock, seccomp, and under root a user of its own."""

import os
import sys
from pathlib import Path
from typing import Any

from aios.sandbox.launcher import landlock, seccomp
from aios.sandbox.launcher.cell import Shape
from aios.sandbox.launcher.image import is_reachable
from aios.sandbox.launcher.methods import Here, OnMachine, limits, order, unbounded, worker_words
from aios.sandbox.launcher.slot import Slot

HOST_FILES = (
    "/etc/ld.so.cache", "/etc/localtime", "/etc/ssl/certs", "/etc/alternatives", "/etc/hosts",
    "/etc/nsswitch.conf",
)  # fmt: skip
VERSION_MIN = 1
VERSION_SCOPED = 6  # from here on signals of a shared user are held back too


class Landlock(OnMachine):
    """The machine's own file system, network and processes, of which little may be touched."""

    name = "landlock"
    strength = 2
    holds = True
    has_own_network = False

    def __init__(self, here: Here) -> None:
        interpreter = here.image.interpreter
        can_mount = here.has_own_mounts and here.is_root
        super().__init__(here, here.image.where(interpreter.program), can_mount=can_mount)
        self.own_users = here.is_root
        known = landlock.version()
        if known < (VERSION_MIN if here.is_root else VERSION_SCOPED):
            raise OSError(_missing(known))
        if here.is_root and any(
            lies == seen and not is_reachable(seen) for lies, seen in here.image.folders
        ):
            raise OSError(f"the interpreter {interpreter.program} lies where only root may go")
        more = () if here.is_root else seccomp.SHARED_USER
        rules = (*seccomp.BASE, *seccomp.SHARED_MACHINE, *more)
        self._filter = seccomp.filter_bytes(here.machine, rules)
        self._readable = [lies for lies, _ in here.image.folders]
        self._readable += [path for path in HOST_FILES if os.path.exists(path)]

    def start(self, slot: Slot, shape: Shape) -> tuple[dict[str, Any], bytes]:
        if shape.folder is not None and self._here.is_root:
            raise OSError("under Landlock as root a sandbox has a user of its own, which no folder "
                          "of root's can be given to")  # fmt: skip
        workspace = shape.folder or self._folders.make(slot, shape.disk_bytes)
        confine = {"readable": [*self._readable, *shape.readable], "own": [workspace]}
        told = order(worker_words(self._program), slot.uid, environment=self._libraries())
        return told | {"confine": confine, "workspace": workspace}, self._filter

    def environment(self, slot: Slot) -> dict[str, str]:
        return super().environment(slot) | self._libraries()

    def packages(self) -> list[str]:
        return [self._here.image.where(path) for path in self._here.image.interpreter.packages]

    def limits(self, task: dict[str, int]) -> list[tuple[str, int]]:
        has_user = self._here.is_root
        return limits(task, self._here.groups, processes=task["processes"] if has_user else None)

    def unbounded(self) -> list[str]:
        found = unbounded(self._here.groups)
        if not self._here.is_root and "pids" not in self._here.groups:
            found.append("processes")
        return found if self._folders.can_mount else [*found, "disk_bytes"]

    def _libraries(self) -> dict[str, str]:
        """Where the interpreter's own library lies, if the interpreter was shown elsewhere."""
        if self._program == self._here.image.interpreter.program:
            return {}
        return {"LD_LIBRARY_PATH": str(Path(self._program).parent.parent / "lib")}


def _missing(known: int) -> str:
    if sys.platform != "linux" or known == 0:
        return "this kernel has no Landlock: Linux 5.13 or later with lsm=landlock has"
    return f"Landlock version {VERSION_SCOPED} (Linux 6.12) is needed without root, got {known}"
