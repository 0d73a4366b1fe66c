"""The guard's parts on a desk: no kernel around them, virtual time, a journal that survives."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from aios.access.base import Act, Effect
from aios.journal.base import Work
from aios.kernel.guard.approval import Approver, Consent, Means, Staked
from aios.kernel.guard.approval_calls import ApprovalCalls
from aios.kernel.process import Process
from aios.kernel.waits import Waits
from aios.syscalls.access import Decision, Verdict
from aios.syscalls.approval import AnswerApproval, Approval
from aios.syscalls.base import Syscall, name_of
from aios.syscalls.file import Delete
from aios.telemetry.bus import Bus
from aios.telemetry.events import Event
from aios.testing.journal import InlineJournal
from aios.testing.loop import VirtualClock

PATIENCE_S = 600.0
ASKS = Verdict(decision=Decision.ASK, rule="final acts")
ALLOWS = Verdict(decision=Decision.ALLOW, rule="agent")
DENIES = Verdict(decision=Decision.DENY, rule="nothing allows it")


def process(pid: int = 2, agent: str = "travel") -> Process:
    return Process(
        pid=pid, parent=1, name=agent, agent=agent, token="", priority=0, program=None, born=0.0
    )


INIT = process(1, "init")


def act(call: Syscall[Any], effect: Effect = Effect.FINAL, owner: str = "travel") -> Act:
    return Act(name_of(type(call)), owner, getattr(call, "path", ""), effect)


class Plain:
    """Hides nothing."""

    def text(self, text: str) -> str:
        return text


@dataclass
class Desk:
    """One life of the parts; another life over the same journal is another desk."""

    journal: InlineJournal
    waits: Waits = field(default_factory=Waits)
    events: list[Event] = field(default_factory=list)
    is_stopping: bool = False
    patience_s: float = PATIENCE_S

    def __post_init__(self) -> None:
        bus = Bus()
        bus.listen(self.events.append)
        self.means = Means(
            clock=VirtualClock(),
            waits=self.waits,
            bus=bus,
            journal=self.journal,
            is_stopping=lambda: self.is_stopping,
        )
        self.approver = Approver(self.means, Plain(), patience_s=self.patience_s)
        self.calls = ApprovalCalls(self.approver)

    def work(self) -> Work:
        return Work(self.journal)

    def ask(
        self,
        call: Syscall[Any] | None = None,
        who: Process | None = None,
        work: Work | None = None,
    ) -> asyncio.Task[Consent | Staked]:
        """Ask in a task of its own."""
        call = call or Delete(path="a.txt")
        asked = self.approver.ask(
            who or process(), act(call), call, ASKS, work or Work(self.journal)
        )
        return asyncio.ensure_future(asked)

    def pending(self) -> list[Approval]:
        return list(self.approver.book.pending())

    async def answer(
        self, *, yes: bool, number: int = 0, digest: str = "", who: Process = INIT, note: str = ""
    ) -> Approval:
        """Answer the only question, or one by its number."""
        question = self.approver.book.get(number or self.pending()[0].id)
        call = AnswerApproval(id=question.id, digest=digest or question.digest, yes=yes, note=note)
        return await self.calls.answer(who, call, self.work())


async def settled() -> None:
    """Let everybody go as far as they get."""
    for _ in range(20):
        await asyncio.sleep(0)


Body = Callable[[], Awaitable[None]]
