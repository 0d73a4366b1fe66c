"""Handlers of the approval family: what waits for a human, and the human's answer."""

from aios.access.approvals import Book
from aios.errors import Denied
from aios.journal.base import Work
from aios.kernel.guard.approval import Approver, row_of
from aios.kernel.process import INIT, Process
from aios.syscalls.approval import (
    AnswerApproval,
    Approval,
    ApprovalList,
    Approvals,
    AskHuman,
    HumanAnswer,
)


class ApprovalCalls:
    """Who may answer is the gate's to say; but nobody its own question, or that of whom
    it works for or who works for it: an agent could have another ask, and allow it itself."""

    def __init__(self, approver: Approver) -> None:
        self._approver = approver

    @property
    def _book(self) -> Book:
        return self._approver.book

    async def list(self, process: Process, call: Approvals) -> ApprovalList:
        self._approver.sweep()
        if call.id is not None:
            return ApprovalList((await self._approver.in_full(call.id),))
        known = self._book.all() if call.all else list(self._book.pending())
        return ApprovalList(tuple(known[: call.limit]))

    async def ask(self, process: Process, call: AskHuman, work: Work) -> HumanAnswer:
        answered = await self._approver.consult(process, call, work)
        question, consent = answered.question, answered.consent
        said = HumanAnswer(text=question.note, is_no=consent is None, by=question.answered_by)
        try:
            await work.commit(said)
        except BaseException as problem:
            if consent is not None:
                consent.settle(problem)
            raise
        if consent is not None:
            consent.settle(said)
        return said

    async def answer(self, process: Process, call: AnswerApproval, work: Work) -> Approval:
        self._approver.sweep()
        question = self._book.answered(
            call.id, call.digest, yes=call.yes, by=process.agent, note=call.note
        )
        if process.pid != INIT and _are_kin(process.agent, question.agent):
            raise Denied(
                f"approval {call.id} is asked by {question.agent!r}; expected an answer from "
                "somebody who does not work for it, and for whom it does not work"
            )
        self._book.begin_answer(call.id)
        is_kept = False
        try:
            work.extend([row_of(question)])
            await work.commit(question)
            is_kept = True
        finally:
            self._approver.answered(question, is_kept=is_kept)
        return question


def _are_kin(one: str, other: str) -> bool:
    """Whether they are the same agent, or one is above the other."""
    return f"{one}/".startswith(f"{other}/") or f"{other}/".startswith(f"{one}/")
