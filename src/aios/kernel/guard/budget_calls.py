"""Handlers of the budget family: limits, top-ups, and what is spent."""

from aios.access.budgets import UNIT, Line, units
from aios.clock import Clock
from aios.errors import NotFound, WrongState
from aios.journal import statements as sql
from aios.journal.base import Work
from aios.kernel.guard.budget import Budgets
from aios.kernel.process import INIT, Process
from aios.syscalls import budget as calls
from aios.syscalls.budget import Budget, BudgetList, SetBudget, TopUp


class BudgetCalls:
    """Whose account it may be is the gate's to say."""

    def __init__(self, budgets: Budgets, clock: Clock) -> None:
        self._budgets = budgets
        self._clock = clock

    async def set(self, process: Process, call: SetBudget, work: Work) -> Budget:
        work.add(sql.BUDGET_LIMIT, call.account, call.resource.value, _real(call.limit))
        line = self._budgets.accounts.find(call.account, call.resource)
        limit = None if call.limit is None else units(call.limit)
        seen = line or Line(call.account, call.resource)
        await work.commit(self._shown(seen, limit))
        line = self._budgets.accounts.line(call.account, call.resource)
        line.set(limit, self._clock.utc())
        self._budgets.changed(line)
        return self._shown(line, line.limit)

    async def top_up(self, process: Process, call: TopUp, work: Work) -> Budget:
        line = self._budgets.accounts.find(call.account, call.resource)
        what = f"{call.resource.value} of account {call.account!r}"
        if line is None:
            raise NotFound(f"{what}: no such budget; `budget.set` makes one")
        if line.limit is None:
            raise WrongState(f"{what}: expected a limit to raise; it has none")
        more = units(call.amount)
        work.add(sql.BUDGET_TOP_UP, float(call.amount), call.account, call.resource.value)
        await work.commit(self._shown(line, line.limit + more))
        if line.limit is not None:  # It may have lost its limit meanwhile.
            line.raise_by(more, self._clock.utc())
        self._budgets.changed(line)
        return self._shown(line, line.limit)

    async def list(self, process: Process, call: calls.Budgets) -> BudgetList:
        account = call.account or ("" if process.pid == INIT else process.agent)
        lines = [
            line
            for line in self._budgets.accounts.all()
            if not account or line.account == account or line.account.startswith(f"{account}/")
        ]
        return BudgetList(tuple(self._shown(line, line.limit) for line in lines))

    def _shown(self, line: Line, limit: int | None) -> Budget:
        return Budget(
            account=line.account,
            resource=line.resource,
            limit=None if limit is None else limit / UNIT,
            held=line.held / UNIT,
            spent=(line.used(self._clock.utc()) - line.held) / UNIT,
            waiting=line.waiting,
        )


def _real(amount: float | None) -> float | None:
    return None if amount is None else float(amount)
