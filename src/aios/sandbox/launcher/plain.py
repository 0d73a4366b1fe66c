"""No tier at all: a program as it is, with limits. Only where the operator asked for it by name."""

import os
from pathlib import Path
from typing import Any

from aios.sandbox.launcher.cell import Shape
from aios.sandbox.launcher.methods import PATHS, Folders, Here, limits, order, worker_words
from aios.sandbox.launcher.slot import Slot


class Plain:
    """Runs as the launcher's user, and may do what that user may."""

    name = "none"
    strength = 0
    holds = False
    has_own_network = False
    own_users = False

    def __init__(self, here: Here) -> None:
        self._here = here
        self._folders = Folders(here.place, can_mount=here.has_own_mounts and here.is_root)
        self._program = here.image.interpreter.program

    def start(self, slot: Slot, shape: Shape) -> tuple[dict[str, Any], bytes]:
        workspace = shape.folder or self._folders.make(slot, shape.disk_bytes)
        told = order(worker_words(self._program), None, environment={})
        return told | {"workspace": workspace}, b""

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
