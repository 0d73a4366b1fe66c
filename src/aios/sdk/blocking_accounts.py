"""`approvals`, `budgets`, `audit`, `scheduler` of the client for threads: the same, blocking."""

from aios.sdk.approvals import ApprovalClient
from aios.sdk.audit import AuditClient
from aios.sdk.bridge import Sync, blocking
from aios.sdk.budgets import BudgetClient
from aios.sdk.scheduler import SchedulerClient


class SyncApprovalClient(Sync[ApprovalClient]):
    """An `ApprovalClient` for threads."""

    list = blocking(ApprovalClient.list)
    show = blocking(ApprovalClient.show)
    answer = blocking(ApprovalClient.answer)
    ask = blocking(ApprovalClient.ask)


class SyncBudgetClient(Sync[BudgetClient]):
    """A `BudgetClient` for threads."""

    set = blocking(BudgetClient.set)
    top_up = blocking(BudgetClient.top_up)
    list = blocking(BudgetClient.list)


class SyncAuditClient(Sync[AuditClient]):
    """An `AuditClient` for threads."""

    list = blocking(AuditClient.list)
    verify = blocking(AuditClient.verify)


class SyncSchedulerClient(Sync[SchedulerClient]):
    """A `SchedulerClient` for threads."""

    show = blocking(SchedulerClient.show)
    set_policy = blocking(SchedulerClient.set_policy)
