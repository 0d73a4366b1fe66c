"""No tier at all: a program as it is, with limits. Only where the operator asked for it by name."""

from typing import Any

from aios.sandbox.launcher.cell import Shape
from aios.sandbox.launcher.methods import Here, OnMachine, order, worker_words
from aios.sandbox.launcher.slot import Slot


class Plain(OnMachine):
    """Runs as the launcher's user, and may do what that user may."""

    name = "none"
    strength = 0
    holds = False
    has_own_network = False
    own_users = False

    def __init__(self, here: Here) -> None:
        can_mount = here.has_own_mounts and here.is_root
        super().__init__(here, here.image.interpreter.program, can_mount=can_mount)

    def start(self, slot: Slot, shape: Shape) -> tuple[dict[str, Any], bytes]:
        workspace = shape.folder or self._folders.make(slot, shape.disk_bytes)
        told = order(worker_words(self._program), None, environment={})
        return told | {"workspace": workspace}, b""
