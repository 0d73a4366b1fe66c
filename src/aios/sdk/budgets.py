"""`client.budgets`: limits of accounts, and what is spent. A method is named after its verb."""

from aios.sdk.caller import Caller
from aios.syscalls.budget import Budget, BudgetList, Budgets, Resource, SetBudget, TopUp


class BudgetClient:
    """The budget family over one client."""

    def __init__(self, client: Caller) -> None:
        self._client = client

    async def set(self, account: str, resource: Resource, limit: float | None) -> Budget:
        """Limit an account; None: count only."""
        return await self._client.call(SetBudget(account=account, resource=resource, limit=limit))

    async def top_up(
        self, account: str, resource: Resource, amount: float, key: str = ""
    ) -> Budget:
        """Raise a limit; with a `key` once, however often it is asked for."""
        call = TopUp(account=account, resource=resource, amount=amount)
        return await self._client.call(call, key=key)

    async def list(self, account: str = "") -> BudgetList:
        return await self._client.call(Budgets(account=account))
