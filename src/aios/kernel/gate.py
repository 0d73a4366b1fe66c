"""The gate that every syscall passes: who asks, and is there room. Waits for nothing."""

from aios.config import Limits
from aios.errors import Busy, ShuttingDown
from aios.kernel.process import INIT, Process
from aios.kernel.table import ProcessTable


class Gate:
    """Counts the calls that are not answered yet. Invariant: `live` is the sum over processes."""

    def __init__(self, table: ProcessTable, limits: Limits) -> None:
        self._table = table
        self._limits = limits
        self.live = 0
        self.is_closed = False

    def enter(self, token: str) -> Process:
        """The caller, if it is known and has room for one more call."""
        if self.is_closed:
            raise ShuttingDown("the kernel is stopping; it takes no more calls")
        process = self._table.by_token(token)
        if process.live_calls >= self._limits.calls_per_process_max:
            raise Busy(
                f"process {process.pid} has {process.live_calls} calls open, the most there may be"
            )
        if self.live >= self._limits.calls_max:
            raise Busy(f"{self.live} calls are open, the most there may be")
        process.live_calls += 1
        process.calls += 1
        self.live += 1
        return process

    def first(self) -> str:
        """The token of the process by which the kernel speaks for itself."""
        return self._table.find(INIT).token

    def reenter(self, process: Process) -> None:
        """A call that an earlier kernel took goes on; it has its room already."""
        process.live_calls += 1
        self.live += 1

    def leave(self, process: Process) -> None:
        """The call got its one reply or one error."""
        process.live_calls -= 1
        self.live -= 1
        assert process.live_calls >= 0
