"""When a tool call may run: its holds, its tool's instances and rate, with a limit to the wait.

The decisions are those of `tools.holds` and `tools.rates`; here is waited. Knows no journal.
"""

from collections.abc import Mapping
from contextvars import ContextVar

from aios.clock import Clock
from aios.errors import Busy, DeadlineExceeded
from aios.kernel.waits import Waits
from aios.tools.base import Mode, Tool
from aios.tools.holds import Holds, Ticket
from aios.tools.rates import Bucket

# The call whose tool runs in a task and in those that it starts.
WITHIN: ContextVar[Ticket | None] = ContextVar("within", default=None)


class Turns:
    """Whoever gets a ticket gives it back with `leave` once its tool has ended."""

    def __init__(self, waits: Waits, clock: Clock) -> None:
        self._waits = waits
        self._clock = clock
        self._holds = Holds()
        self._buckets: dict[str, tuple[float, Bucket]] = {}  # of tools: a rate, and where it stands

    async def take(
        self, pid: int, tool: Tool, needs: Mapping[str, Mode], patience_s: float
    ) -> Ticket:
        """The ticket of a call that may run now.

        Raises `DeadlineExceeded` where it did not get its turn in time, and `Busy` where it never
        could, or where its tool's rate says so.
        """
        name = tool.info.name
        ticket = self._holds.request(
            needs, slot=name, instances=tool.terms.instances, within=WITHIN.get()
        )
        if ticket is None:
            raise Busy(
                f"{name}: the call it is made from waits for it, and what it needs waits for that "
                "call; it was not run"
            )
        try:
            until = self._clock.now() + patience_s
            if not ticket.is_granted:
                await self._granted(pid, name, ticket, patience_s)
            if tool.terms.per_minute is not None:
                await self._paced(pid, tool, until)
        except BaseException:
            self.leave(ticket)
            raise
        return ticket

    def leave(self, ticket: Ticket) -> None:
        """The tool has ended, or never began; whose turn it is now is woken."""
        for one in self._holds.leave(ticket):
            self._waits.wake(("turn", one))

    @property
    def resources(self) -> int:
        """How many are held or waited for."""
        return self._holds.resources

    async def _granted(self, pid: int, name: str, ticket: Ticket, patience_s: float) -> None:
        try:
            await self._waits.wait(("turn", ticket), pid, patience_s)
        except DeadlineExceeded:
            raise DeadlineExceeded(
                f"{name}: others hold what it needs, longer than {patience_s:g} s; it was not run"
            ) from None

    async def _paced(self, pid: int, tool: Tool, until: float) -> None:
        """Wait for the moment that the tool's rate gives this call."""
        name, rate = tool.info.name, tool.terms.per_minute
        assert rate is not None
        known = self._buckets.get(name)
        if known is None or known[0] != rate:
            known = self._buckets[name] = rate, Bucket(rate)
        now = self._clock.now()
        wait_s = known[1].reserve(now, until - now)
        if wait_s <= 0:
            return
        try:
            await self._waits.wait(("turn at rate of", name), pid, wait_s)
        except DeadlineExceeded:  # That is the moment: nobody wakes it before.
            return
        except BaseException:
            known[1].give_back()
            raise
