"""The namespaces tier as a method: bubblewrap with seccomp."""

import os
import shutil
from pathlib import Path
from typing import Any

from aios.sandbox.launcher import bwrap, seccomp
from aios.sandbox.launcher.cell import Shape
from aios.sandbox.launcher.methods import PATHS, Here, limits, order, unbounded, worker_words
from aios.sandbox.launcher.slot import Slot


class Bubblewrap:
    """Namespaces with seccomp."""

    name = "bubblewrap"
    strength = 3
    holds = True
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
        return order(argv, uid, environment={}), self._filter

    def clean(self, slot: Slot) -> Path | None:
        return None

    def environment(self, slot: Slot) -> dict[str, str]:
        home = {"HOME": bwrap.WORKSPACE, "TMPDIR": "/tmp"}
        return {"PATH": self._path(), "LANG": "C.UTF-8", **home}

    def packages(self) -> list[str]:
        return list(self._here.image.interpreter.packages)

    def limits(self, task: dict[str, int]) -> list[tuple[str, int]]:
        # bubblewrap's own process inside counts too.
        return limits(task, self._here.groups, processes=task["processes"] + 1)

    def unbounded(self) -> list[str]:
        return unbounded(self._here.groups)

    def _path(self) -> str:
        return f"{os.path.dirname(self._here.image.interpreter.program)}:{PATHS}"
