"""Sandboxes started before anybody asked, each for one use. Bounded, refilled, never trusted."""

from collections.abc import Callable

from aios.sandbox.launcher.cell import Cell, Shape, State
from aios.sandbox.launcher.floor import Floor

STARTING_MAX = 2  # at once, beside what is asked for
REST_S = 0.05  # after one was taken, unless what it was taken for ends before
PAUSE_S = 1.0  # after one that died before it was used


class Stock:
    """A number of cells of one shape that wait."""

    def __init__(self, floor: Floor, shape: Shape, size: int, now: Callable[[], float]) -> None:
        self._floor = floor
        self._shape = shape
        self._size = size
        self._now = now
        self._cells: list[Cell] = []
        self._not_before = self._rests_until = 0.0

    @property
    def ready(self) -> int:
        return sum(cell.state is State.READY for cell in self._cells)

    def take(self, shape: Shape, *, is_greedy: bool) -> Cell | None:
        """One of that shape, the most advanced; None where there is none.

        Half is kept for short calls: who computes for long anyway can wait for a new one.
        """
        if shape != self._shape or not self._cells:
            return None
        if is_greedy and self.ready <= self._size // 2:
            return None
        best = next((cell for cell in self._cells if cell.state is State.READY), self._cells[0])
        self._cells.remove(best)
        # Whoever asked runs first: what replaces it would take the processor from it.
        self._rests_until = self._now() + REST_S if self.ready else 0.0
        return best

    def ended(self) -> None:
        """Somebody's job has."""
        self._rests_until = 0.0

    def fill(self) -> None:
        """Start what is missing, as far as may be started now."""
        starting = sum(cell.state is State.STARTING for cell in self._cells)
        while (
            len(self._cells) < self._size
            and starting < STARTING_MAX
            and self._floor.has_room
            and self._now() >= self._begins
        ):
            self._cells.append(self._floor.start(self._shape))
            starting += 1

    def gone(self, cell: Cell) -> bool:
        """Forget it, if it was one of these: it died unused."""
        if cell not in self._cells:
            return False
        self._cells.remove(cell)
        self._not_before = self._now() + PAUSE_S
        return True

    def wakes_s(self) -> float | None:
        """After how long to look again, where a pause holds the filling up."""
        if len(self._cells) >= self._size or self._begins <= self._now():
            return None
        return self._begins - self._now()

    @property
    def _begins(self) -> float:
        return max(self._not_before, self._rests_until)
