"""The Mac's tier as a method: `sandbox-exec` with a profile of its own.

What Apple calls deprecated and its own system and others' agents use. No network, files as in the
profile; processes, memory, CPU time and disk of a whole tree cannot be held, only of each process.
Written by its documentation, and tried at start like every tier; on no Mac has it been tested.
"""

import os
import platform
from typing import Any

from aios.sandbox.launcher.cell import Shape
from aios.sandbox.launcher.methods import Here, OnMachine, order, worker_words
from aios.sandbox.launcher.slot import Slot

PROGRAM = "/usr/bin/sandbox-exec"
SYSTEM = ("/usr", "/bin", "/sbin", "/System", "/Library/Frameworks", "/private/var/db/timezone")
DEVICES = ("/dev/null", "/dev/zero", "/dev/random", "/dev/urandom")


class Seatbelt(OnMachine):
    """A profile that denies by default."""

    name = "seatbelt"
    strength = 1
    holds = True
    has_own_network = False
    own_users = False

    def __init__(self, here: Here) -> None:
        if platform.system() != "Darwin" or not os.path.exists(PROGRAM):
            raise OSError("sandbox-exec is a Mac's; this is none")
        super().__init__(here, here.image.interpreter.program, can_mount=False)

    def start(self, slot: Slot, shape: Shape) -> tuple[dict[str, Any], bytes]:
        workspace = shape.folder or self._folders.make(slot, shape.disk_bytes)
        readable = (*SYSTEM, *self._here.image.interpreter.folders, *shape.readable)
        words = [PROGRAM, "-p", profile(readable, workspace), *worker_words(self._program)]
        return order(words, None, environment={}) | {"workspace": workspace}, b""


def profile(readable: tuple[str, ...], workspace: str) -> str:
    """What may be done, in the profile's own language; everything else may not."""
    seen = " ".join(f"(subpath {quoted(path)})" for path in readable)
    devices = " ".join(f"(literal {quoted(path)})" for path in DEVICES)
    own = f"(subpath {quoted(os.path.realpath(workspace))})"
    return "\n".join(
        (
            "(version 1)",
            "(deny default)",
            "(allow process-fork)",
            "(allow signal (target same-sandbox))",
            "(allow sysctl-read)",
            "(allow file-read-metadata)",
            f'(allow process-exec file-read* (literal "/") {seen} {own})',
            f"(allow file-read* file-write* {devices} {own})",
        )
    )


def quoted(path: str) -> str:
    """A path as the profile's language writes text."""
    return '"' + path.replace("\\", "\\\\").replace('"', '\\"') + '"'
