"""The sandboxes that are alive: their descriptors watched, their times kept. Knows no orders."""

import os
import selectors
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from aios.sandbox.launcher.capture import Capture
from aios.sandbox.launcher.cell import ACCEPTED, READY, Cell, Shape, Task
from aios.sandbox.launcher.methods import Method
from aios.sandbox.launcher.slot import Slot
from aios.sandbox.launcher.slots import Slots
from aios.sandbox.removal import remove

REST_S = 0.005  # of a pipe whose output is thrown away: 12 MiB a second


class Owner(Protocol):
    """Who is told what happens."""

    def ready(self, cell: Cell) -> None: ...

    def said(self, cell: Cell, what: bytes, fds: list[int]) -> None:
        """The worker spoke; a descriptor that the owner takes, it takes out of the list."""
        ...

    def gone(self, cell: Cell) -> None:
        """No process is left of it."""
        ...

    def left(self, cell: Cell, folder: str) -> None:
        """A folder is left of it, to be removed when nobody reads it any more."""
        ...


class Floor:
    """All cells of one method."""

    def __init__(self, method: Method, slots: Slots, now: Callable[[], float]) -> None:
        self.method = method
        self.owner: Owner
        self._slots = slots
        self.now = now
        self._selector = selectors.DefaultSelector()
        self._cells: dict[Slot, Cell] = {}
        self._watched: set[Slot] = set()
        self._resting: list[tuple[float, Capture]] = []  # until when nothing is read of it

    @property
    def has_room(self) -> bool:
        return self._slots.has_room

    @property
    def cells(self) -> list[Cell]:
        return list(self._cells.values())

    def watch(self, fd: int, react: Callable[[], None]) -> None:
        """Call when there is something to read."""
        self._selector.register(fd, selectors.EVENT_READ, react)

    def start(self, shape: Shape) -> Cell:
        """A new sandbox of that shape. Raises `OSError` where it cannot be had."""
        slot = self._slots.take()
        if slot not in self._watched:
            self._watched.add(slot)
            self.watch(slot.channel.fileno(), lambda: self._hear(slot))
        try:
            order, seccomp = self.method.start(slot, shape)
        except OSError:
            self._slots.give_back(slot)
            raise
        cell = self._cells[slot] = Cell(slot, shape, self.now)
        slot.spawn(order | {"processors": cell.processors}, seccomp, cell.ends)
        self.watch(cell.channel.fileno(), lambda: self._listen(cell))
        for capture in (cell.stdout, cell.stderr):
            self._watch_output(capture)
        return cell

    def give(self, cell: Cell, task: Task) -> None:
        cell.give(task)
        self._watch_writes(cell)

    def say(self, cell: Cell, source: str, wall_s: float) -> None:
        cell.say(source, wall_s)
        self._watch_writes(cell)

    def turn(self, limit_s: float | None = None) -> None:
        """Wait for what happens next, and see to it."""
        now = self.now()
        self._resume(now)
        dues = [due for cell in self._cells.values() if (due := cell.due()) is not None]
        dues += [until for until, _ in self._resting[:1]]
        waits = [max(0.0, min(dues) - now)] if dues else []
        waits += [] if limit_s is None else [limit_s]
        for key, _ in self._selector.select(min(waits, default=None)):
            if (
                self._selector.get_map().get(key.fileobj) is key
            ):  # An earlier one may have ended it.
                key.data()
        now = self.now()
        for cell in self.cells:
            cell.look(now)

    def close(self) -> None:
        self._slots.close()
        self._selector.close()

    def _hear(self, slot: Slot) -> None:
        frames = slot.channel.receive()
        if frames is None:
            self._lost(slot)
            return
        for frame in frames:
            self._end(self._cells[slot], frame.header["status"])
            self._slots.give_back(slot)

    def _lost(self, slot: Slot) -> None:
        self._unwatch(slot.channel.fileno())
        self._watched.discard(slot)
        cell = self._cells.get(slot)
        self._slots.lose(slot)
        if cell is not None:
            self._end(cell, 9)

    def _end(self, cell: Cell, status: int) -> None:
        del self._cells[cell.slot]
        self._unwatch(cell.channel.fileno())
        for end in (cell.feed, cell.stdout, cell.stderr):
            if end.is_open:  # A closed one's number may be another's by now.
                self._unwatch(end.fd)
        cell.gone(status)
        self.owner.gone(cell)
        left = self.method.clean(cell.slot)
        if left is not None:
            self.owner.left(cell, str(left))
        cell.close()

    def _listen(self, cell: Cell) -> None:
        data, fds = cell.spoken()
        if not data:
            self._unwatch(cell.channel.fileno())
            return
        for at in range(len(data)):
            self._heard(cell, data[at : at + 1], fds)
        for fd in fds:
            os.close(fd)

    def _heard(self, cell: Cell, what: bytes, fds: list[int]) -> None:
        if what == READY and fds:
            cell.is_ready(fds.pop(0))
            self._watch_writes(cell)
            self.owner.ready(cell)
        elif what == ACCEPTED:
            cell.is_accepted = True
        else:
            self.owner.said(cell, what, fds)

    def _read(self, capture: Capture) -> None:
        fd = capture.fd
        capture.read()
        if not capture.is_open:
            self._unwatch(fd)
        elif capture.is_cut:  # What is thrown away must not keep this process busy.
            self._unwatch(fd)
            self._resting.append((self.now() + REST_S, capture))

    def _resume(self, now: float) -> None:
        while self._resting and self._resting[0][0] <= now:
            _, capture = self._resting.pop(0)
            if capture.is_open:
                self._watch_output(capture)

    def _watch_output(self, capture: Capture) -> None:
        self.watch(capture.fd, lambda: self._read(capture))

    def _watch_writes(self, cell: Cell) -> None:
        if cell.has_to_write:
            self._unwatch(cell.channel.fileno())
            both = selectors.EVENT_READ | selectors.EVENT_WRITE
            self._selector.register(cell.channel.fileno(), both, lambda: self._write(cell))
        if cell.feed.has_more:
            self._unwatch(cell.feed.fd)
            self._selector.register(cell.feed.fd, selectors.EVENT_WRITE, lambda: self._feed(cell))

    def _write(self, cell: Cell) -> None:
        cell.write()
        if not cell.has_to_write:
            self._unwatch(cell.channel.fileno())
            self.watch(cell.channel.fileno(), lambda: self._listen(cell))

    def _feed(self, cell: Cell) -> None:
        cell.feed.write()
        if not cell.feed.is_open:
            self._unwatch(cell.feed.fd)

    def _unwatch(self, fd: int) -> None:
        with suppress(KeyError, ValueError):
            self._selector.unregister(fd)


def remove_later(folder: str) -> None:
    """Remove a folder that a sandbox left, in a process of its own: it may be a wide one."""
    if os.fork() == 0:
        # Whatever happens, the child never goes on as a second launcher.
        try:
            remove(Path(folder))
        finally:
            os._exit(0)
