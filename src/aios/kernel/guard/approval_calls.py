"""Handlers of the approval family: what waits for a human, and the human's answer."""

from aios.access.approvals import Book
from aios.errors import Denied
from aios.journal.base import Work
from aios.kernel.guard.approval import Approver, Means, row_of
from aios.kernel.process import INIT, Process
from aios.syscalls.approval import Answer, AnswerApproval, Approval, ApprovalList, Approvals


class ApprovalCalls:
    """Nobody answers its own question, nor that of whoever it works for."""

    def __init__(self, approver: Approver, means: Means) -> None:
        self._approver = approver
        self._means = means

    @property
    def _book(self) -> Book:
        return self._approver.book

    async def list(self, process: Process, call: Approvals) -> ApprovalList:
        self._approver.sweep()
        known = self._book.all() if call.all else list(self._book.pending())
        mine = [one for one in known if process.pid == INIT or _is_below(process, one.agent)]
        return ApprovalList(tuple(mine[: call.limit]))

    async def answer(self, process: Process, call: AnswerApproval, work: Work) -> Approval:
        self._approver.sweep()
        question = self._book.answered(
            call.id, call.digest, yes=call.yes, by=process.agent, note=call.note
        )
        if process.pid != INIT and not question.agent.startswith(f"{process.agent}/"):
            raise Denied(
                f"approval {call.id} is asked by {question.agent!r}; expected an answer from the "
                "first process, or from an agent above it"
            )
        self._book.begin_answer(call.id)
        is_kept = False
        try:
            work.extend([row_of(question)])
            await work.commit(question)
            is_kept = True
        finally:
            now = self._book.end_answer(question, is_kept=is_kept)
            if now.answer is Answer.PENDING:
                self._means.waits.wake(("approval", call.id))
        self._approver.tell(now)
        return question


def _is_below(process: Process, agent: str) -> bool:
    return agent == process.agent or agent.startswith(f"{process.agent}/")
