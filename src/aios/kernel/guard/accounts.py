"""Approvals, budgets, audit and vault as one fitting of the guard: made of what the kernel has."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from aios.access.policy import Policy
from aios.kernel.guard import audit_place
from aios.kernel.guard.approval import Approver, Means
from aios.kernel.guard.approval_calls import ApprovalCalls
from aios.kernel.guard.audit import Audit, Telling
from aios.kernel.guard.audit_book import AuditBook
from aios.kernel.guard.audit_calls import AuditCalls
from aios.kernel.guard.budget import Budgets
from aios.kernel.guard.budget_calls import BudgetCalls
from aios.kernel.guard.parts import Parts, Setting, TermsOf
from aios.kernel.guard.vault import Vault
from aios.kernel.process import Process
from aios.sandbox.egress import Decision as Dial
from aios.syscalls import approval, audit, budget

POLICY_HEX = 16  # digits of a policy's hash that a record tells


class WatchesExits(Protocol):
    """What decides about connections, and tells."""

    def watch_exits(self, decided: Callable[[Dial], None]) -> None: ...


def _no_vault() -> Vault:
    return Vault(None, {})


def _unlabelled(process: Process) -> str:
    return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Accounts:
    """A fitting. `label_of` tells a process's label; `exits` lead to the network, guarded.

    `home` is where the audit's key and head lie; None: nothing outlives the kernel.
    """

    home: Path | None = None
    vault: Vault = field(default_factory=_no_vault)
    label_of: Callable[[Process], str] = _unlabelled
    exits: Sequence[WatchesExits] = ()

    def __call__(self, setting: Setting) -> Parts:
        journal = setting.environment.journal
        means = Means(
            clock=setting.environment.clock,
            waits=setting.waits,
            bus=setting.bus,
            journal=journal,
            is_stopping=setting.is_stopping,
        )
        limits = setting.environment.limits
        approver = Approver(means, self.vault, patience_s=limits.approval_s)
        budgets = Budgets(
            means,
            prices=_prices(setting.terms_of),
            payer=lambda agent: setting.monitor.policy.user_account(agent),
            policy=lambda: setting.monitor.policy,
            asker=approver,
        )
        asking, spending = ApprovalCalls(approver), BudgetCalls(budgets, means.clock)
        witnessing = self._witnessing(setting)
        return Parts(
            asker=approver,
            vault=self.vault,
            ledger=budgets,
            meter=budgets,
            witness=witnessing.witness,
            readings={
                approval.Approvals: asking.list,
                budget.Budgets: spending.list,
                **witnessing.readings,
            },
            handlers={
                approval.AnswerApproval: asking.answer,
                approval.AskHuman: asking.ask,
                budget.SetBudget: spending.set,
                budget.TopUp: spending.top_up,
            },
            open=(approver.load, budgets.open, *witnessing.open),
            close=(budgets.close, *witnessing.close),
        )

    def _witnessing(self, setting: Setting) -> Parts:
        """The audit; none without a journal to keep it in."""
        given = setting.environment
        if given.journal is None:
            return Parts()
        safe: audit_place.Safe = audit_place.RamSafe(given.random)
        if self.home is not None:
            safe = audit_place.FileSafe(self.home / audit_place.FOLDER, given.random)
        policy = _PolicyHash(lambda: setting.monitor.policy)
        telling = Telling(self.vault, label=self.label_of, policy=policy)
        witness = Audit(given.journal, safe, given.clock, telling)
        for one in self.exits:
            one.watch_exits(witness.dialled)
        looking = AuditCalls(witness, AuditBook(given.journal, safe))
        return Parts(
            witness=witness,
            readings={audit.AuditRecords: looking.list, audit.VerifyAudit: looking.verify},
            open=(witness.open,),
            close=(witness.close,),
        )


def _prices(terms_of: TermsOf) -> Callable[[str], float]:
    """What a call of a tool costs, by its name; nothing where nobody knows it."""

    def price(tool: str) -> float:
        terms = terms_of(tool)
        return terms.price if terms is not None else 0.0

    return price


class _PolicyHash:
    """The hash of the policy in force, computed once for each."""

    def __init__(self, policy: Callable[[], Policy]) -> None:
        self._policy = policy
        self._known: Policy | None = None
        self._hash = ""

    def __call__(self) -> str:
        policy = self._policy()
        if policy is not self._known:
            self._known, self._hash = policy, policy.hash[:POLICY_HEX]
        return self._hash
