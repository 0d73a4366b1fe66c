"""`approvals`, `budgets`, `audit`, `scheduler` of the client for threads: the same, blocking."""

from collections.abc import Callable, Coroutine
from typing import Any, Generic, TypeVar

from aios.sdk.approvals import ApprovalClient
from aios.sdk.audit import AuditClient
from aios.sdk.bridge import blocking
from aios.sdk.budgets import BudgetClient
from aios.sdk.scheduler import SchedulerClient

C = TypeVar("C")
Run = Callable[[Coroutine[Any, Any, Any]], Any]


class _Sync(Generic[C]):
    """A sub-client, and how its client waits for what it starts."""

    def __init__(self, client: C, run: Run) -> None:
        self._client = client
        self._run = run


class SyncApprovalClient(_Sync[ApprovalClient]):
    """An `ApprovalClient` for threads."""

    list = blocking(ApprovalClient.list)
    show = blocking(ApprovalClient.show)
    answer = blocking(ApprovalClient.answer)
    ask = blocking(ApprovalClient.ask)


class SyncBudgetClient(_Sync[BudgetClient]):
    """A `BudgetClient` for threads."""

    set = blocking(BudgetClient.set)
    top_up = blocking(BudgetClient.top_up)
    list = blocking(BudgetClient.list)


class SyncAuditClient(_Sync[AuditClient]):
    """An `AuditClient` for threads."""

    list = blocking(AuditClient.list)
    verify = blocking(AuditClient.verify)


class SyncSchedulerClient(_Sync[SchedulerClient]):
    """A `SchedulerClient` for threads."""

    show = blocking(SchedulerClient.show)
    set_policy = blocking(SchedulerClient.set_policy)
