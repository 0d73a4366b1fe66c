"""What the kernel asks, carried to the floor; what the floor tells, carried to the kernel."""

from collections import deque
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from aios.sandbox.launcher.cell import (
    DONE,
    LISTENS,
    OWN_PROCESSES,
    RAISED,
    TALKS,
    Cell,
    Ended,
    Shape,
    State,
    Task,
)
from aios.sandbox.launcher.floor import Floor, remove_later
from aios.sandbox.launcher.owners import Owner, Owners
from aios.sandbox.launcher.stock import Stock
from aios.sandbox.wire import Channel, Frame

_HANDED_ON = {LISTENS: "listens", TALKS: "talks"}  # what comes with a descriptor for the kernel


@dataclass(slots=True, eq=False)
class _Session:
    """A cell that is told source after source."""

    cell: Cell
    idle_s: float
    asked: int = 0  # the number of the call that waits for its answer; 0 for none


class Desk:
    """Orders in, replies out, by the number that the kernel gave."""

    def __init__(
        self, channel: Channel, floor: Floor, stock: Stock, live_max: int, waiting_max: int
    ) -> None:
        # Of anybody's: what is left over is for the others.
        self._owners = Owners(max(1, live_max - live_max // 4))
        self._each_waits = max(1, waiting_max - waiting_max // 4)
        self._channel = channel
        self._floor = floor
        self._stock = stock
        self._live_max = live_max
        self._waiting_max = waiting_max
        self._waiting: deque[tuple[Task, Shape]] = deque()
        self._cells: dict[int, Cell] = {}  # with a task, by its number
        self._sessions: dict[int, _Session] = {}
        self._of_stock: set[Cell] = set()
        self._left: dict[int, str] = {}  # folders that the kernel still reads
        self._is_open = True
        self._obey = {
            "run": self._run,
            "say": self._say,
            "kill": self._kill,
            "read": self._was_read,
        }
        floor.owner = self

    def serve(self) -> None:
        """Until the kernel is gone."""
        self._floor.watch(self._channel.fileno(), self._hear)
        while self._is_open:
            self._begin_waiting()
            self._stock.fill()
            # What the kernel does not take off us is offered again soon; it seldom waits.
            pause = 0.001 if self._channel.has_unsent else self._stock.wakes_s()
            self._floor.turn(pause)
            with suppress(OSError):
                self._channel.flush()

    def ready(self, cell: Cell) -> None:
        """What it is for begins by itself; who opened a session is told."""
        if cell.task is not None and cell.task.id in self._sessions:
            self._reply({"re": "opened", "id": cell.task.id})

    def said(self, cell: Cell, what: bytes, fds: list[int]) -> None:
        assert cell.task is not None
        session = self._sessions.get(cell.task.id)
        if what in _HANDED_ON and fds:
            self._reply({"re": _HANDED_ON[what], "id": cell.task.id}, fds=[fds.pop(0)])
        elif what in (DONE, RAISED) and session is not None and session.asked:
            self._answered(session, 0 if what == DONE else 1)

    def gone(self, cell: Cell) -> None:
        task = cell.task
        if self._stock.gone(cell) or task is None:
            return
        del self._cells[task.id]
        task.owner.live -= 1
        self._stock.ended()
        session = self._sessions.pop(task.id, None)
        if self._is_of_stock(cell) and cell.died_early:
            self._waiting.appendleft((task, cell.shape))  # It had waited too long: once more.
            return
        fds = [cell.take_workspace()] if task.collects and cell.workspace >= 0 else []
        number = task.id if session is None else session.asked
        self._end(number, cell.ended(), fds, session=task.id if session else 0)

    def left(self, cell: Cell, folder: str) -> None:
        if cell.task is not None and cell.task.collects and not cell.died_early:
            self._left[cell.task.id] = folder  # Until the kernel has read it.
        else:
            remove_later(folder)

    def _is_of_stock(self, cell: Cell) -> bool:
        found = cell in self._of_stock
        self._of_stock.discard(cell)
        return found

    def _hear(self) -> None:
        frames = self._channel.receive()
        if frames is None:
            self._is_open = False
        for frame in frames or ():
            self._obey[frame.header["do"]](frame)

    def _run(self, frame: Frame) -> None:
        owner = self._owners.of(frame.header["owner"], self._floor.now())
        of_it = sum(task.owner is owner for task, _ in self._waiting)
        if len(self._waiting) >= self._waiting_max or of_it >= self._each_waits:
            self._reply({"re": "busy", "id": frame.header["id"]})
            return
        self._waiting.append(_asked(frame, owner))
        self._begin_waiting()

    def _begin_waiting(self) -> None:
        while len(self._cells) < self._live_max:
            place = self._owners.next(task.owner for task, _ in self._waiting)
            if place is None:
                return
            task, shape = self._waiting[place]
            del self._waiting[place]
            try:
                cell = self._taken(task, shape)
            except OSError as problem:
                self._reply({"re": "refused", "id": task.id, "why": str(problem)})
                continue
            task.owner.live += 1
            self._cells[task.id] = cell
            if task.order["mode"] == "session":
                self._sessions[task.id] = _Session(cell, task.wall_s, 0)
            self._floor.give(cell, self._completed(task, cell))
            if cell.state is State.RUNNING:  # It was ready before.
                self.ready(cell)

    def _taken(self, task: Task, shape: Shape) -> Cell:
        """A sandbox that waits, or a new one."""
        cell = self._stock.take(shape, is_greedy=task.owner.is_greedy(self._floor.now()))
        if cell is None:
            return self._floor.start(shape)
        self._of_stock.add(cell)
        return cell

    def _completed(self, task: Task, cell: Cell) -> Task:
        """With what only the method knows: the environment, the packages, the limits."""
        method = self._floor.method
        known = {
            "environment": method.environment(cell.slot) | task.order["environment"],
            "path": method.packages(),
            "limits": method.limits(task.order["bounds"]),
        }
        return replace(task, order=task.order | known)

    def _say(self, frame: Frame) -> None:
        header = frame.header
        session = self._sessions.get(header["session"])
        if session is None or session.cell.state not in (State.RUNNING, State.STARTING):
            self._reply({"re": "over", "id": header["id"]})
            return
        session.asked = header["id"]
        self._floor.say(session.cell, frame.blobs[0].decode(), header["wall_s"])

    def _answered(self, session: _Session, code: int) -> None:
        number, session.asked = session.asked, 0
        self._end(number, session.cell.answered(code, session.idle_s), [], session=0)

    def _kill(self, frame: Frame) -> None:
        number = frame.header["id"]
        cell = self._cells.get(number)
        if cell is not None:
            cell.kill("cancelled")
            return
        for waiting in [one for one in self._waiting if one[0].id == number]:
            self._waiting.remove(waiting)
            self._reply({"re": "refused", "id": number, "why": "cancelled"})

    def _was_read(self, frame: Frame) -> None:
        folder = self._left.pop(frame.header["id"], None)
        if folder is not None:
            remove_later(folder)

    def _end(self, number: int, end: Ended, fds: list[int], session: int) -> None:
        header = {
            "re": "ended",
            "id": number,
            "ended": end.ended,
            "code": end.code,
            "is_cut": end.is_cut,
            "wall_s": end.wall_s,
            "over": session,
        }
        self._reply(header, [end.stdout, end.stderr], fds)

    def _reply(
        self, header: dict[str, Any], blobs: list[bytes] | None = None, fds: list[int] | None = None
    ) -> None:
        with suppress(OSError):  # The kernel is gone; the next turn hears it.
            self._channel.send(header, blobs or (), fds or ())


def _asked(frame: Frame, owner: Owner) -> tuple[Task, Shape]:
    header = frame.header
    bounds = header["bounds"]
    stdin, source, *datas = frame.blobs
    order = {
        "mode": header["mode"],
        "argv": header["argv"],
        "source": source.decode(),
        "files": list(zip(header["files"], datas, strict=True)),
        "listen": header["listen"],
        "talk": header["talk"],
        "environment": header["environment"],
        "bounds": bounds,
    }
    task = Task(
        id=header["id"],
        order=order,
        stdin=stdin,
        wall_s=header["wall_s"],
        cpu_s=header["cpu_s"],
        memory_bytes=bounds["memory_bytes"],
        processes=bounds["processes"] + OWN_PROCESSES,
        output_bytes=header["output_bytes"],
        collects=header["collects"],
        owner=owner,
    )
    shape = Shape(
        disk_bytes=bounds["disk_bytes"],
        folder=header["folder"],
        readable=tuple(header["readable"]),
    )
    return task, shape
