"""The budget family: allowances held before and settled after, in a tree of accounts. Pure data.

An account is an agent's path; the accounts above it are those of its path's parents, then `@user`
where its tree belongs to one, then `@all`, the organisation. What is spent is spent in all of them,
and the tightest decides. At its limit an agent waits, and goes on when somebody tops it up.
"""

from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta

from aios.syscalls.base import Syscall

Account = Annotated[str, Meta(min_length=1, max_length=512)]
Amount = Annotated[float, Meta(ge=0, le=1e15)]
EVERYBODY = "@all"


class Resource(StrEnum):
    TOKENS = "tokens"
    MONEY = "money"
    CALLS = "calls"
    BYTES = "bytes"
    SECONDS = "seconds"  # of wall time, from its first call on


class SetBudget(Syscall["Budget"], frozen=True, tag="budget.set"):
    """Limit an account; None: no limit any more. Below what is spent, nothing more is granted."""

    account: Account
    resource: Resource
    limit: Amount | None


class TopUp(Syscall["Budget"], frozen=True, tag="budget.top_up"):
    """Raise a limit by an amount; whoever waits for it goes on."""

    account: Account
    resource: Resource
    amount: Amount


class Budgets(Syscall["BudgetList"], frozen=True, tag="budget.list"):
    """The caller's account and those below it; all of them for the first process."""

    account: Annotated[str, Meta(max_length=512)] = ""


class Budget(msgspec.Struct, frozen=True, kw_only=True):
    """One limit. Invariant: held + spent never exceeds the limit by what was granted."""

    account: str
    resource: Resource
    limit: float | None
    held: float
    spent: float
    waiting: int = 0  # calls that wait for more


class BudgetList(msgspec.Struct, frozen=True):
    """In order of account and resource."""

    budgets: tuple[Budget, ...]
