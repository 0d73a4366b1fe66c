"""Hands each event to every listener, in order, at once. Keeps nothing."""

from collections.abc import Callable

from aios.telemetry.events import Event

Listener = Callable[[Event], None]


class Bus:
    """One per kernel. A listener must return quickly and must not raise."""

    def __init__(self) -> None:
        self._listeners: tuple[Listener, ...] = ()

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Add a listener; the returned function removes it."""
        self._listeners = (*self._listeners, listener)
        return lambda: self._forget(listener)

    def publish(self, event: Event) -> None:
        for listener in self._listeners:
            listener(event)

    def _forget(self, listener: Listener) -> None:
        self._listeners = tuple(one for one in self._listeners if one is not listener)
