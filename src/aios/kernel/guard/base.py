"""What the guard asks of its parts, in the order in which it asks them. Pure shape.

A call passes: the monitor (may it, by capability, group and policy), the flow (may these labels
lead to this effect), the asker where either says so (does a human allow it), the ledger (is there
budget, held now), and the witness, who writes down what was decided. While it acts, the
flow follows what it does to labels; when it has ended, whoever held something settles it.
"""

from collections.abc import Awaitable
from typing import Any, Protocol

from aios.access.base import Act
from aios.journal.base import Work
from aios.kernel.process import Process
from aios.syscalls.access import Verdict
from aios.syscalls.base import Syscall


class Flow(Protocol):
    """Labels: where what a process knows came from, and who may see it."""

    def judge(self, process: Process, act: Act, call: Syscall[Any]) -> Verdict | None:
        """None: nothing against it. One that allows tells what the policy only warns of."""
        ...

    def marks(self, process: Process) -> tuple[str, ...]:
        """Where what it tells may come from, for whoever takes no label with it."""
        ...

    def begin(
        self, process: Process, act: Act, call: Syscall[Any], work: Work
    ) -> "Carrying | None":
        """The call acts now. What it does to labels is committed with what it does."""
        ...

    def hears(self, process: Process, call: Syscall[Any], reply: object) -> None:
        """The process knows this from now on: what it writes bears its label."""
        ...


class Carrying(Protocol):
    """A call that may change labels."""

    def settle(self, outcome: object) -> None:
        """It has ended."""
        ...


class Asker(Protocol):
    """A human's answer to exactly this call."""

    async def ask(
        self, process: Process, act: Act, call: Syscall[Any], verdict: Verdict, work: Work
    ) -> "Consent":
        """Return on a yes, which `work` uses up; raise `Denied` on a no or when time is up."""
        ...


class Consent(Protocol):
    """A yes in the hands of one call."""

    def settle(self, reply: object) -> None:
        """The call has ended: its yes is used up, or the agent's still where nothing was done."""
        ...


class Hold(Protocol):
    """An allowance set aside for one call."""

    def bind(self, work: Work) -> None:
        """What `work` commits tells what the call took."""
        ...

    def settle(self, reply: object) -> None:
        """Spend what the call really took; give back the rest. An error took what it took."""
        ...


class Ledger(Protocol):
    """Budgets of accounts."""

    def judge(self, process: Process, act: Act, call: Syscall[Any]) -> Verdict | None:
        """Whether a human is asked before this is spent. None: no."""
        ...

    def hold(self, process: Process, act: Act, call: Syscall[Any]) -> Hold | Awaitable[Hold] | None:
        """None: no account of this process is limited. An awaitable: it waits to be topped up."""
        ...


class Witness(Protocol):
    """The audit."""

    def note(self, process: Process, act: Act, call: Syscall[Any], verdict: Verdict) -> None:
        """Remember it; what had no effect may be durable a moment later."""
        ...

    def begins(self, act: Act, work: Work) -> None:
        """The call acts now: what was noted of it is durable no later than what it commits."""
        ...
