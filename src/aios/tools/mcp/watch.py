"""What one server may say: how much a second, and how much that nobody asked for. Pure.

Too fast is slowed down: the server waits, nobody else does. Beside the point too often is a liar,
and the connection ends.
"""

from aios.errors import WrongState

MESSAGE_BYTES_MAX = 4 << 20
BYTES_PER_S, BYTES_AT_ONCE = 8 << 20, 16 << 20
UNASKED_PER_S, UNASKED_AT_ONCE = 50, 1_000


class Watch:
    """One connection's. Times are passed in."""

    def __init__(self) -> None:
        self._bytes = _Leak(BYTES_PER_S, BYTES_AT_ONCE)
        self._beside = _Leak(UNASKED_PER_S, UNASKED_AT_ONCE)
        self._asked = 0  # requests that have no answer yet

    def asked(self) -> None:
        """A request was sent."""
        self._asked += 1

    def heard(self, size: int, now: float) -> float:
        """So many bytes came; the seconds to wait before listening again."""
        return self._bytes.over(size, now) / BYTES_PER_S

    def answered(self, now: float) -> None:
        """An answer came. Raises `WrongState` where answers keep coming that nobody asked for."""
        if self._asked:
            self._asked -= 1
        else:
            self.unasked(now)

    def unasked(self, now: float) -> None:
        """Something else came. Raises `WrongState` where there is no end of it."""
        if self._beside.over(1, now):
            raise WrongState(
                f"it said more than {UNASKED_AT_ONCE:,} things that nobody had asked for"
            )


class _Leak:
    """Fills with what comes and empties evenly; tells how much is above the brim."""

    def __init__(self, per_s: float, most: float) -> None:
        self._per_s = per_s
        self._most = most
        self._level = 0.0
        self._at: float | None = None

    def over(self, amount: float, now: float) -> float:
        if self._at is not None:
            self._level = max(0.0, self._level - (now - self._at) * self._per_s)
        self._at = now
        self._level += amount
        return max(0.0, self._level - self._most)
