"""Lets searches go first: whoever builds a graph stops between two vectors while anybody searches.

Both take turns at the graph, and the builder would have nearly all of them. Knows neither.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from aios.clock import Clock, WallClock

YIELD_S = 0.000_1
YIELD_EACH_S = 0.001  # of work
WAIT_S_MAX = 0.05  # a pause; searches that never end must not end all building


class Gate:
    """Searches are counted; `pause` waits for none."""

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or WallClock()
        self._changed = threading.Condition()
        self._searching = 0
        self._paused = 0.0  # when the last pause ended

    @contextmanager
    def search(self) -> Iterator[None]:
        """Hold building back."""
        with self._changed:
            self._searching += 1
        try:
            yield
        finally:
            with self._changed:
                self._searching -= 1
                self._changed.notify_all()

    def pause(self) -> None:
        """Called between two vectors: let searches, and every other thread, go first."""
        if not self._searching and self._clock.now() - self._paused < YIELD_EACH_S:
            return
        with self._changed:
            # Even with no search under way it waits once, so that an event loop gets its turn.
            self._changed.wait(YIELD_S)
            self._changed.wait_for(lambda: self._searching == 0, WAIT_S_MAX)
        self._paused = self._clock.now()
