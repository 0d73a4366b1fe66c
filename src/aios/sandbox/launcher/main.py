"""The launcher's process: finds the tiers, then starts sandboxes as the kernel asks for them.

Standard library only. One thread, one loop. When the kernel is gone so is this, and every sandbox.
"""

import os
import platform
import socket
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from aios.sandbox.launcher import cgroup
from aios.sandbox.launcher.cell import Shape
from aios.sandbox.launcher.desk import Desk
from aios.sandbox.launcher.floor import Floor
from aios.sandbox.launcher.image import Image, Interpreter, clear, prepare
from aios.sandbox.launcher.methods import Here, Method
from aios.sandbox.launcher.probe import Failed, probe
from aios.sandbox.launcher.slots import Slots, claim_users
from aios.sandbox.launcher.stock import Stock
from aios.sandbox.launcher.system import PR_SET_CHILD_SUBREAPER, own_mounts, prctl
from aios.sandbox.launcher.tiers import TIERS, ways
from aios.sandbox.wire import Channel

now = time.monotonic  # noqa: TID251 - handed to everything else from here


def main(fd: int) -> int:
    """Serve the kernel at the other end of that descriptor."""
    os.set_inheritable(fd, False)
    connection = socket.socket(fileno=fd)
    channel = Channel(connection)
    asked = _first(channel)
    if asked is None:
        return 0
    launcher = Launcher(channel, asked)
    try:
        launcher.find()
        launcher.serve()
    finally:
        launcher.close()
    return 0


class Launcher:
    """What was found here, and the floor of the tier that is in force."""

    def __init__(self, channel: Channel, asked: dict[str, Any]) -> None:
        self._channel = channel
        self._asked = asked
        self._place = Path(asked["place"])
        if sys.platform == "linux":
            prctl(PR_SET_CHILD_SUBREAPER, 1)
        self._has_own_mounts = own_mounts()
        is_root = sys.platform == "linux" and os.getuid() == 0
        self._users = claim_users() if is_root else None
        self._groups = cgroup.find(Path("/proc"), f"{cgroup.PREFIX}{os.getpid()}")
        if self._groups is not None:
            cgroup.clear_left(self._groups)
        self._method: Method | None = None  # the first that holds
        self._here = Here(
            place=self._place,
            image=self._image(),
            machine=platform.machine(),
            is_root=is_root,
            has_own_mounts=self._has_own_mounts,
            groups=self._groups.holds if self._groups else frozenset(),
        )

    def find(self) -> None:
        """Try the tiers in the order asked, and tell; the first that holds is in force."""
        found = []
        for name in self._asked["tiers"]:
            told = self._try(name)
            found.append(told)
            if told["works"] and not self._asked["all"]:
                break
        tier = next((one["name"] for one in found if one["works"]), "")
        self._channel.send({"re": "open", "id": 0, "tier": tier, "found": found})

    def serve(self) -> None:
        """Until the kernel is gone."""
        if self._method is None:
            return
        floor = self._new_floor(self._method)
        shape = Shape(disk_bytes=self._asked["disk_bytes"])
        stock = Stock(floor, shape, self._asked["pool"], now)
        try:
            Desk(self._channel, floor, stock, self._asked["live"], self._asked["waiting"]).serve()
        finally:
            floor.close()

    def close(self) -> None:
        if self._groups is not None:
            self._groups.close()
        clear(self._place)

    def _try(self, name: str) -> dict[str, Any]:
        """Every way to have that tier, until one holds."""
        whys = []
        for way in ways(name):
            try:
                method = way(self._here)
                self._prove(method)
            except (OSError, ValueError, Failed) as problem:
                whys.append(str(problem))
                continue
            return _works(method, self._here)
        why = "; or: ".join(dict.fromkeys(whys)) or f"no such tier; known: {', '.join(TIERS)}"
        return {"name": name, "works": False, "detail": why}

    def _prove(self, method: Method) -> None:
        floor = self._new_floor(method)
        try:
            probe(floor, self._place, os.getpid())
        finally:
            floor.close()
        self._method = self._method or method

    def _new_floor(self, method: Method) -> Floor:
        first = self._users[0] if self._users is not None and method.own_users else None
        most = self._asked["live"] + self._asked["pool"]
        return Floor(method, Slots(self._groups, most, first), now)

    def _image(self) -> Image:
        told = self._asked["interpreter"]
        interpreter = Interpreter(
            program=told["program"],
            folders=tuple(told["folders"]),
            packages=tuple(told["packages"]),
        )
        return prepare(self._place, interpreter, has_own_mounts=self._has_own_mounts)


def _works(method: Method, here: Here) -> dict[str, Any]:
    groups = ", ".join(sorted(here.groups)) or "none"
    user = "a user of its own for each sandbox" if method.own_users else "this user"
    return {
        "name": method.name,
        "works": True,
        "strength": method.strength,
        "unbounded": method.unbounded(),
        "has_own_network": method.has_own_network,
        "detail": f"probed; {user}; control groups: {groups}",
    }


def _first(channel: Channel) -> dict[str, Any] | None:
    """The kernel's first words; None where it left before them."""
    os.set_blocking(channel.fileno(), True)
    frames = channel.receive()
    while frames == []:
        frames = channel.receive()
    os.set_blocking(channel.fileno(), False)
    return frames[0].header if frames else None


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        sys.exit(main(int(sys.argv[1])))
