"""`client.budgets`: limits of accounts, and what is spent. A method is named after its verb."""

from aios.sdk.caller import Family, verb
from aios.syscalls.budget import Budget, Budgets, Resource, SetBudget, TopUp


class BudgetClient(Family):
    """The budget family over one client."""

    set = verb(SetBudget)
    list = verb(Budgets)

    async def top_up(
        self, account: str, resource: Resource, amount: float, key: str = ""
    ) -> Budget:
        """Raise a limit; with a `key` once, however often it is asked for."""
        call = TopUp(account=account, resource=resource, amount=amount)
        return await self._client.call(call, key=key)
