"""Tries a tier by what it is for: a program inside must run, and must fail at what is forbidden.

A tier that starts but does not hold is as bad as none, so both are asked.
"""

from pathlib import Path

from aios.sandbox.launcher.cell import Cell, Shape, State, Task
from aios.sandbox.launcher.floor import Floor, remove_later

CANARY = "canary"  # a file of the machine that no sandbox may read
HELD = b"held\n"
PROGRAM = """
import os, socket
def refused(what, *arguments):
    try:
        what(*arguments)
    except (OSError, ValueError):
        return True
    return False
open("own", "w").write("x")
checks = {
    "reads the machine's files": refused(open, CANARY),
    "writes beside its workspace": refused(open, "/usr/aios-probe", "w"),
    "opens sockets of the machine": refused(socket.socket, socket.AF_UNIX),
    "gains rights": refused(os.setuid, 0),
    "sees the launcher's environment": refused(open, f"/proc/{LAUNCHER}/environ"),
}
broken = [what for what, is_refused in checks.items() if not is_refused]
print("; ".join(broken) or "held")
"""
BOUNDS = {"cpu_s": 10, "open_files": 64, "disk_bytes": 1 << 20, "processes": 8,
          "memory_bytes": 256 << 20}  # fmt: skip


class Failed(Exception):
    """The tier does not work here; why."""


class Trial:
    """The owner of one cell, for as long as the trial lasts."""

    def __init__(self) -> None:
        self.cell: Cell | None = None

    def ready(self, cell: Cell) -> None: ...

    def said(self, cell: Cell, what: bytes, fds: list[int]) -> None: ...

    def gone(self, cell: Cell) -> None:
        self.cell = cell

    def left(self, cell: Cell, folder: str) -> None:
        remove_later(folder)


def probe(floor: Floor, place: Path, launcher: int) -> None:
    """Run the program; raises `Failed`."""
    canary = place / CANARY
    canary.write_text("secret\n")
    trial = floor.owner = Trial()
    try:
        cell = floor.start(Shape(disk_bytes=BOUNDS["disk_bytes"]))
    except OSError as problem:
        raise Failed(str(problem)) from None
    names = f"CANARY, LAUNCHER = {str(canary)!r}, {launcher}\n"
    floor.give(cell, _task(floor, cell, names + PROGRAM))
    while trial.cell is None:
        floor.turn()
    _judge(cell, floor.method.holds)


def _task(floor: Floor, cell: Cell, source: str) -> Task:
    order = {
        "mode": "python",
        "source": source,
        "files": [],
        "listen": False,
        "talk": False,
        "path": [],
        "limits": floor.method.limits(BOUNDS),
        "environment": floor.method.environment(cell.slot),
    }
    return Task(
        id=0,
        order=order,
        stdin=b"",
        wall_s=10.0,
        cpu_s=10.0,
        memory_bytes=BOUNDS["memory_bytes"],
        processes=BOUNDS["processes"] + 4,
        output_bytes=4096,
    )


def _judge(cell: Cell, must_hold: bool) -> None:
    assert cell.state is State.GONE
    end = cell.ended()
    ran = end.ended == "exited" and end.code == 0 and end.stdout.strip()
    if ran and (end.stdout == HELD or not must_hold):
        return
    if ran:
        raise Failed(f"it started, but a program inside {end.stdout.decode().strip()}")
    said = end.stderr.decode(errors="replace").strip().splitlines()
    raise Failed(said[-1] if said else f"the probe ended as {end.ended} {end.code}")
