"""How often a tool may begin: a token bucket per tool. Pure; the time is passed in."""

from aios.errors import Busy

PERIOD_S = 60.0


class Bucket:
    """Begins full with a minute's calls and fills evenly.

    Bound: in any minute at most twice `per_minute` calls begin, and over longer no more than
    `per_minute`.
    """

    def __init__(self, per_minute: float) -> None:
        assert per_minute > 0
        self._fills_per_s = per_minute / PERIOD_S
        self._most = max(1.0, per_minute)
        self._tokens = self._most  # below 0: so many calls wait, each for its own moment
        self._at: float | None = None

    def reserve(self, now: float, patience_s: float) -> float:
        """Seconds until the next call may begin; it has its place then, in order of asking.

        Raises `Busy` where that is longer than the caller waits, and takes nothing.
        """
        self._fill(now)
        wait_s = max(0.0, (1.0 - self._tokens) / self._fills_per_s)
        if wait_s > patience_s:
            raise Busy(
                f"the tool may begin {self._fills_per_s * PERIOD_S:g} times a minute; the next "
                f"place is free in {wait_s:.1f} s",
                retry_after_s=wait_s,
            )
        self._tokens -= 1.0
        return wait_s

    def give_back(self) -> None:
        """A call that had its place did not begin."""
        self._tokens = min(self._most, self._tokens + 1.0)

    def _fill(self, now: float) -> None:
        passed_s = max(0.0, now - self._at) if self._at is not None else 0.0
        self._at = now
        self._tokens = min(self._most, self._tokens + passed_s * self._fills_per_s)
