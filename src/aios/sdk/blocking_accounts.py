"""`approvals`, `budgets` and `audit` of the client for threads: the same methods, blocking."""

from aios.sdk.approvals import ApprovalClient
from aios.sdk.audit import AuditClient
from aios.sdk.bridge import Sync, blocking
from aios.sdk.budgets import BudgetClient


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
