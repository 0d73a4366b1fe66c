"""Holds what a call may cost before it acts, waits where an account is at its limit, settles after.

The ledger of the guard. What is spent goes to the journal with the call's own commit, and at the
latest a second later: a killed kernel loses what was spent by calls that had no commit yet, and
what is held, which nobody has spent.
"""

import asyncio
from collections.abc import Awaitable, Callable, Generator, Sequence
from typing import Any, Generic, TypeVar

from aios.access.acts import ACTS
from aios.access.base import Act, Effect
from aios.access.budgets import UNIT, Accounts, Held, Line, Short, chain, settle, try_hold, units
from aios.access.budgets import newly_low as low_ones
from aios.access.policy import OPEN, Policy
from aios.access.spending import too_dear
from aios.clock import Clock
from aios.cores.base import Traits
from aios.errors import (
    AiosError,
    Cancelled,
    DeadlineExceeded,
    Denied,
    OutcomeUnknown,
    QuotaExceeded,
)
from aios.journal import statements as sql
from aios.journal.base import Change, Row, Work
from aios.kernel.guard.approval import Approver, Means
from aios.kernel.guard.costs import Dear, Wants, is_free, parts_of, wants_of
from aios.kernel.guard.pulse import Pulse
from aios.kernel.process import INIT, Process
from aios.syscalls.access import Verdict
from aios.syscalls.base import Syscall
from aios.syscalls.budget import Resource
from aios.syscalls.llm import Completion, Generate, Stream
from aios.telemetry import events

MAY_HAVE_RUN = (DeadlineExceeded, Cancelled, OutcomeUnknown, asyncio.CancelledError)
REFUSED = {Resource.CALLS}
STARTED = {Resource.CALLS, Resource.MONEY}
AGENTS_MAX = 100_000  # whose lines are remembered
Record = Sequence[Change]
H = TypeVar("H")


class Budgets:
    """All accounts, and who waits for them. `payer` is the account of whose an agent is, or ""."""

    def __init__(
        self,
        means: Means,
        *,
        prices: Callable[[str], float] = lambda tool: 0.0,
        payer: Callable[[str], str] = lambda agent: "",
        policy: Callable[[], Policy] = lambda: OPEN,
        asker: Approver | None = None,
    ) -> None:
        self._means = means
        self._policy = policy
        self._asker = asker
        self._dear = Dear(OPEN)
        self._clock: Clock = means.clock
        self._prices = prices
        self._payer = payer
        self.accounts = Accounts()
        self._lines: dict[str, tuple[Line, ...]] = {}  # by agent, until a line is made
        self._dirty: dict[Line, None] = {}  # spent more than the journal knows
        self._pulse = Pulse(means.clock, self._write)

    async def open(self) -> None:
        """Take over what an earlier kernel settled."""
        if self._means.journal is None:
            return
        for row in await self._means.journal.read(sql.BUDGETS_ALL):
            self.accounts.restore(line_of(row))
        self._pulse.start("budgets")

    async def close(self) -> None:
        """What was spent is durable."""
        await self._pulse.stop()

    def judge(self, process: Process, act: Act, call: Syscall[Any]) -> Verdict | None:
        """A human is asked first of what may cost more than the policy lets pass."""
        lines = self._dear_lines().by_kind.get(type(call))
        if lines is None:
            lines = self._dear.at_gate(type(call))
        if not lines or process.pid == INIT or is_free(act):
            return None
        for one, part in ((act, call), *parts_of(act, call)):
            wants = wants_of(one, process.agent, part, self._prices)
            found = too_dear(lines, process.agent, one, ACTS[type(part)], wants)
            if found is not None:
                return found
        return None

    def asks(
        self, process: Process, call: Generate, traits: Traits, prompt: int, most: int, work: Work
    ) -> Awaitable[None] | None:
        """The same of a generation, once its prompt is known. None: nobody is asked."""
        lines = self._dear_lines().lines
        if not lines or process.pid == INIT:
            return None
        wants = _tokens(prompt, most, (traits.price_in, traits.price_out))
        for kind in (Generate, Stream):
            act = Act(ACTS[kind].verb, process.agent, call.model, Effect.NONE)
            found = too_dear(lines, process.agent, act, ACTS[kind], wants)
            if found is not None:
                return self._allowed(process, act, call, found, work)
        return None

    async def _allowed(
        self, process: Process, act: Act, call: Generate, verdict: Verdict, work: Work
    ) -> None:
        """Return on a human's yes. It is used up, durably, before anything is spent."""
        if self._asker is None:
            raise Denied(f"{verdict.reason}; and nobody here can be asked")
        yes = await self._asker.ask(process, act, call, verdict, work, acts_first=True)
        try:
            await work.begin()
        finally:
            yes.settle(None)

    def _dear_lines(self) -> Dear:
        policy = self._policy()
        if policy is not self._dear.policy:
            self._dear = Dear(policy)
        return self._dear

    def hold(
        self, process: Process, act: Act, call: Syscall[Any]
    ) -> "CallHold | Awaitable[CallHold] | None":
        """None: no account of this process is limited. An awaitable: it waits to be topped up."""
        lines = self.lines_of(process.agent) if self.accounts.is_any else ()
        if not lines or is_free(act):
            return None
        wants = wants_of(act, process.agent, call, self._prices)
        got = self._tried(process, lines, wants)
        if isinstance(got, Short):
            return _Later(self, process, wants, lambda held: CallHold(self, held))
        return CallHold(self, got) if got.is_any else None

    def generation(
        self, process: Process, traits: Traits, prompt: int, most: int
    ) -> "GenerationHold | Awaitable[GenerationHold] | None":
        """Hold what a generation takes at most, once its accounts have that much."""
        lines = self.lines_of(process.agent) if self.accounts.is_any else ()
        if not lines:
            return None
        prices = (traits.price_in, traits.price_out)
        wants = _tokens(prompt, most, prices)
        got = self._tried(process, lines, wants)
        if isinstance(got, Short):
            return _Later(self, process, wants, lambda held: GenerationHold(self, held, prices))
        return GenerationHold(self, got, prices) if got.is_any else None

    def lines_of(self, agent: str) -> tuple[Line, ...]:
        """Those that pay for an agent."""
        lines = self._lines.get(agent)
        if lines is None:
            if len(self._lines) >= AGENTS_MAX:
                self._lines.clear()
            accounts = chain(agent, self._payer(agent))
            lines = self._lines[agent] = self.accounts.of(accounts)
        return lines

    def changed(self, line: Line) -> None:
        """An account has more or less than it had, or is new."""
        self._lines.clear()
        self.spent(line)
        self.wake(line)

    def spent(self, line: Line) -> None:
        """The journal is to know."""
        self._dirty[line] = None
        self._pulse.due()

    def wake(self, line: Line) -> None:
        """Somebody may have what it waits for."""
        if line.waiting:
            self._means.waits.wake(key_of(line))

    def rows(self) -> list[Change]:
        """What the journal does not know yet, to be posted at once."""
        dirty, self._dirty = self._dirty, {}
        return [spent_row(line) for line in dirty]

    def settle(self, held: Held, took: Wants) -> None:
        """A call has ended, or commits."""
        settle(held, took)
        for line in held.lines:
            if not line.is_time:
                self.spent(line)
                self.wake(line)

    def _tried(self, process: Process, lines: Sequence[Line], wants: Wants) -> Held | Short:
        utc = self._clock.utc()
        got = try_hold(lines, wants, utc)
        if isinstance(got, Short):
            if got.is_hopeless:
                raise QuotaExceeded(_hopeless(got, utc))
            return got
        for line in low_ones(got.lines, utc):
            self._warn(process, line, utc)
        for line in got.lines:
            if line.since == utc:  # Its time begins with this call.
                self.spent(line)
        return got

    async def granted(self, process: Process, wants: Wants) -> Held:
        """Wait until it can be held; who is ended meanwhile leaves with an error."""
        while True:
            got = self._tried(process, self.lines_of(process.agent), wants)
            if isinstance(got, Held):
                return got
            process.check_alive()  # Who waits has been told already.
            line = got.line
            self._means.bus.publish(
                events.BudgetShort(
                    at=self._clock.now(),
                    pid=process.pid,
                    account=line.account,
                    resource=line.resource.value,
                )
            )
            line.waiting += 1
            try:
                await self._means.waits.wait(key_of(line), process.pid, None)
            finally:
                line.waiting -= 1

    def _warn(self, process: Process, line: Line, utc: float) -> None:
        assert line.limit is not None
        self._means.bus.publish(
            events.BudgetLow(
                at=self._clock.now(),
                pid=process.pid,
                account=line.account,
                resource=line.resource.value,
                limit=line.limit / UNIT,
                used=line.used(utc) / UNIT,
            )
        )

    async def _write(self) -> None:
        lines = list(self._dirty)
        if not lines or self._means.journal is None:
            return
        try:
            await self._means.journal.post(self.rows())
        except AiosError:
            for line in lines:
                self.spent(line)
            raise


class _Later(Generic[H]):
    """A hold that an account must be topped up for. Nothing waits before it is awaited."""

    def __init__(
        self, budgets: Budgets, process: Process, wants: Wants, made: Callable[[Held], H]
    ) -> None:
        self._budgets = budgets
        self._process = process
        self._wants = wants
        self._made = made

    def __await__(self) -> Generator[Any, Any, H]:
        held = yield from self._budgets.granted(self._process, self._wants).__await__()
        return self._made(held)


class CallHold:
    """What one call holds at the gate."""

    def __init__(self, budgets: Budgets, held: Held) -> None:
        self._budgets = budgets
        self._held = held

    def bind(self, work: Work) -> None:
        """From now on it is settled in the commit of `work`."""
        work.remember(self._committed)

    def settle(self, reply: object) -> None:
        """Spend what the call took. One that failed was a call; what it wrote is not there."""
        if self._held.is_open:
            self._budgets.settle(self._held, self._took(reply))

    def _took(self, reply: object) -> Wants:
        if not isinstance(reply, BaseException):
            return self._held.wants
        taken = STARTED if isinstance(reply, MAY_HAVE_RUN) else REFUSED
        return {r: amount for r, amount in self._held.wants.items() if r in taken}

    def _committed(self, reply: object) -> Record:
        self.settle(reply)
        return self._budgets.rows()


class GenerationHold:
    """What one generation holds from the moment its prompt is known."""

    def __init__(self, budgets: Budgets, held: Held, prices: tuple[float, float]) -> None:
        self._budgets = budgets
        self._held = held
        self._prices = prices

    def bind(self, work: Work) -> None:
        """From now on its completion settles it, in the commit of `work`."""
        work.remember(self._committed)

    def spend(self, prompt: int, produced: int) -> None:
        """It has ended, however: these tokens it took."""
        if self._held.is_open:
            self._budgets.settle(self._held, _tokens(prompt, produced, self._prices))

    def _committed(self, reply: object) -> Record:
        if isinstance(reply, Completion):
            self.spend(reply.usage.prompt_tokens, reply.usage.completion_tokens)
        return self._budgets.rows()


def key_of(line: Line) -> tuple[str, str, str, str]:
    """What a process waits for, as `ps` shows it."""
    return ("budget", line.resource.value, "of", line.account)


def line_of(row: Row) -> Line:
    """A row as the table has it."""
    account, resource, most, spent, since = row
    assert isinstance(account, str)
    assert isinstance(resource, str)
    assert isinstance(spent, float)
    assert most is None or isinstance(most, float)
    assert since is None or isinstance(since, float)
    limit = None if most is None else units(most)
    return Line(account, Resource(resource), limit=limit, spent=units(spent), since=since)


def spent_row(line: Line) -> Change:
    values = (line.spent / UNIT, line.since, line.account, line.resource.value)
    return Change(sql.BUDGET_SPENT, values)


def _tokens(prompt: int, produced: int, prices: tuple[float, float]) -> dict[Resource, int]:
    money = units(prompt * prices[0] + produced * prices[1])
    return {Resource.TOKENS: (prompt + produced) * UNIT, Resource.MONEY: money}


def _hopeless(short: Short, utc: float) -> str:
    line = short.line
    assert line.limit is not None
    wanted, limit, used = (one / UNIT for one in (short.wanted, line.limit, line.used(utc)))
    return (
        f"{wanted:g} {line.resource.value} can never be had: the limit of account "
        f"{line.account!r} is {limit:g}, of which {used:g} are used or held; ask for less, or "
        f"have the limit raised (`aios budgets top-up {line.account} {line.resource.value} "
        f"{wanted - limit + used:g}`)"
    )
