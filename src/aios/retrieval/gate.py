"""Lets searches go first: whoever indexes stops between two documents while anybody searches.

Indexing is one long computation in Python, and a search beside it would wait for its turn many
times over. Knows neither.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from aios.clock import Clock, WallClock

YIELD_S = 0.000_1
YIELD_EACH_S = 0.001  # of work; many notes are done in that time, or a part of one file
WAIT_S_MAX = 0.05  # a document; searches that never end must not end all indexing


class Gate:
    """Searches are counted; `pause` waits for none."""

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or WallClock()
        self._changed = threading.Condition()
        self._searching = 0
        self._paused = 0.0  # when the last pause ended

    @contextmanager
    def search(self) -> Iterator[None]:
        """Hold indexing back."""
        with self._changed:
            self._searching += 1
        try:
            yield
        finally:
            with self._changed:
                self._searching -= 1
                self._changed.notify_all()

    def pause(self) -> None:
        """Called between two documents: let searches, and every other thread, go first."""
        if not self._searching and self._clock.now() - self._paused < YIELD_EACH_S:
            return
        with self._changed:
            # Even with no search under way it waits once, so that an event loop gets its turn.
            self._changed.wait(YIELD_S)
            self._changed.wait_for(lambda: self._searching == 0, WAIT_S_MAX)
        self._paused = self._clock.now()
