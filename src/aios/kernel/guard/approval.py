"""Asks a human and waits: the asker of the guard. The call waits, and holds no lane meanwhile.

A question is durable before anybody is shown it. The yes that an act uses becomes used in the
commit of the act: killed in between, neither is done, and the same act finds its yes again. What
runs a tool takes effect before any commit: its yes is used, durably, before the tool begins. A no
stands as long as its question would have: an agent does not wear a human out by asking again.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from msgspec.structs import replace

from aios.access.acts import ACTS
from aios.access.approvals import Book, consequence, digest_of
from aios.access.base import Act, Effect
from aios.access.showing import brief, plain, whole
from aios.clock import Clock
from aios.errors import AiosError, Busy, DeadlineExceeded, Denied, ShuttingDown, WrongState
from aios.journal import statements as sql
from aios.journal.base import Change, Journal, Work
from aios.kernel.guard.approval_whole import Wholes, readable
from aios.kernel.guard.vault import Hider
from aios.kernel.process import Process
from aios.kernel.waits import Waits
from aios.syscalls.access import Decision, Verdict
from aios.syscalls.approval import Answer, Approval, AskHuman
from aios.syscalls.base import Syscall, name_of
from aios.syscalls.codec import encode
from aios.telemetry import events
from aios.telemetry.bus import Bus

EACH_MAX = 32  # questions of one agent that wait
ALL_MAX = 1_000
QUESTION_MAX = 200  # characters of an agent's own question in a list
ITSELF = Verdict(decision=Decision.ASK, rule="its own question")
FORGET_AFTER = 10_000  # numbers after which a question leaves the journal, if it is over


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What the asker, and those who answer, work with."""

    clock: Clock
    waits: Waits
    bus: Bus
    journal: Journal | None
    is_stopping: Callable[[], bool]


class Approver:
    """The book of questions, and its copy in the journal."""

    def __init__(self, means: Means, hidden: Hider, *, patience_s: float) -> None:
        self._means = means
        self._hidden = hidden
        self._patience_s = patience_s  # how long a human has
        self._wholes = Wholes(means.journal)
        self.book = Book(each_max=EACH_MAX, all_max=ALL_MAX)

    async def load(self) -> None:
        """Take over an earlier kernel's questions."""
        if self._means.journal is None:
            return
        for (body,) in await self._means.journal.read(sql.APPROVALS_ALL):
            assert isinstance(body, bytes)
            self.book.restore(msgspec.msgpack.decode(body, type=Approval))
        self.sweep()

    async def ask(
        self,
        process: Process,
        act: Act,
        call: Syscall[Any],
        verdict: Verdict,
        work: Work,
        *,
        acts_first: bool = False,
    ) -> "Consent | Staked":
        """Return on a yes, which `work` uses up; raise `Denied` on a no or when time is up.

        `acts_first`: it is used as the call begins, whatever kind of call it is.
        """
        if not self._patience_s:
            raise Denied(f"{act.verb} needs a human's yes ({verdict.rule}); nobody can be asked")
        digest = digest_of(act.verb, act.object, encode(call))
        while True:
            self.sweep()
            question = self.book.find(process.agent, digest)
            if question is None:
                question = self._question(process, act, call, verdict, digest)
                await self._put(question, call)
            if question.answer is Answer.NO:
                raise Denied(_said_no(question))
            if self.book.take(question.id):
                if acts_first or ACTS[type(call)].acts_first:
                    staked = Staked(self, question.id, work)
                    work.stake(staked)
                    return staked
                consent = Consent(self, question.id)
                work.remember(consent.used)
                return consent
            await self._wait(process, question)

    async def consult(self, process: Process, call: AskHuman, work: Work) -> "Answered":
        """A human's answer to an agent's own question; a no is an answer too."""
        act = Act(name_of(AskHuman), process.agent, call.question[:QUESTION_MAX], Effect.NONE)
        if not self._patience_s:
            raise WrongState("nobody can be asked here: this kernel waits for no human")
        digest = digest_of(act.verb, act.object, encode(call))
        while True:
            self.sweep()
            question = self.book.find(process.agent, digest)
            if question is None:
                question = self._question(process, act, call, ITSELF, digest)
                await self._put(question, call)
            if question.answer is Answer.NO:
                return Answered(question)
            if self.book.take(question.id):
                consent = Consent(self, question.id)
                work.remember(consent.used)
                return Answered(question, consent)
            await self._wait(process, question)

    def sweep(self) -> None:
        """Whose time is up is over."""
        for question in self.book.due(self._means.clock.utc()):
            self.end(question.id, Answer.EXPIRED)

    def end(self, number: int, why: Answer) -> Approval:
        """A question is over; the journal learns it, and whoever waits."""
        question = self.book.close(number, why)
        self._post(question)
        self.tell(question)
        return question

    def answered(self, question: Approval, *, is_kept: bool) -> None:
        """An answer was given and is durable, or could not be kept and is none."""
        now = self.book.end_answer(question, is_kept=is_kept)
        if is_kept:
            self.tell(now)
        else:
            self._means.waits.wake(_key(question.id))

    def use(self, number: int) -> Sequence[Change]:
        """The changes, to be committed with the act, by which a yes is used up."""
        return self.over(self.book.close(number, Answer.USED)) if self.book.is_open(number) else []

    def over(self, question: Approval) -> Sequence[Change]:
        """The changes by which a question is over."""
        return [row_of(question), *self._wholes.drop(question.id)]

    async def in_full(self, number: int) -> Approval:
        """A question with all its arguments, while they are kept."""
        question = self.book.get(number)
        text = await self._wholes.get(number)
        return question if text is None else replace(question, arguments=text)

    def tell(self, question: Approval) -> None:
        """Wake whoever waits for this, and the bus."""
        means = self._means
        means.waits.wake(_key(question.id))
        means.bus.publish(
            events.Answered(
                at=means.clock.now(),
                pid=question.pid,
                approval=question.id,
                answer=question.answer.value,
            )
        )

    def _question(
        self, process: Process, act: Act, call: Syscall[Any], verdict: Verdict, digest: str
    ) -> Approval:
        asked = self._means.clock.utc()
        return Approval(
            id=self.book.last + 1,
            digest=digest,
            agent=process.agent,
            pid=process.pid,
            verb=act.verb,
            object=act.object,
            arguments=brief(plain(readable(call), self._hidden.text)),
            consequence=consequence(act, process.agent),
            reason=": ".join(part for part in (verdict.rule, verdict.reason) if part),
            asked=asked,
            expires=asked + self._patience_s,
        )

    async def _put(self, question: Approval, call: Syscall[Any]) -> None:
        """Ask: durable first, then for everybody to see."""
        self.book.check_room(question.agent)
        self.book.post(question)
        text = whole(plain(readable(call), self._hidden.text))
        more = [] if text == question.arguments else self._wholes.put(question.id, text)
        try:
            if self._means.journal is not None:
                forgotten = Change(sql.APPROVAL_FORGET, (question.id - FORGET_AFTER,))
                await self._means.journal.post([row_of(question), *more, forgotten])
        except BaseException as problem:
            # What is posted is durable in a moment: the same act finds it after the restart.
            if isinstance(problem, AiosError) or not self._means.is_stopping():
                self.end(question.id, Answer.GONE)
            raise
        self.book.show(question.id)
        self._means.bus.publish(
            events.Asked(
                at=self._means.clock.now(),
                pid=question.pid,
                approval=question.id,
                agent=question.agent,
                verb=question.verb,
            )
        )

    async def _wait(self, process: Process, question: Approval) -> None:
        """Wait for the answer. Whoever leaves takes the question along."""
        left_s = max(0.0, question.expires - self._means.clock.utc())
        late = self.book.is_being_answered(question.id)  # What is said in time is waited for.
        try:
            process.check_alive()  # Who waits has been told already.
            await self._means.waits.wait(_key(question.id), process.pid, None if late else left_s)
        except DeadlineExceeded:
            if self.book.is_being_answered(question.id):
                return
            self._expire(question)
        except ShuttingDown:
            raise  # It is asked still: the same act finds it after the restart.
        except BaseException:
            self._leave(question)
            raise
        if self.book.state(question.id) is Answer.EXPIRED:
            raise Denied(_too_late(question))

    def _expire(self, question: Approval) -> None:
        if self.book.is_open(question.id):
            self.end(question.id, Answer.EXPIRED)
        raise Denied(_too_late(question)) from None

    def _leave(self, question: Approval) -> None:
        """Nobody waits any more, unless another process of the agent does the same."""
        others = self._means.waits.waiting(_key(question.id))
        is_pending = self.book.state(question.id) is Answer.PENDING
        if is_pending and not others and not self._means.is_stopping():
            self.end(question.id, Answer.GONE)

    def _post(self, question: Approval) -> None:
        if self._means.journal is None:
            return
        try:
            self._means.journal.post(self.over(question))
        except Busy:
            return  # Its time is in the row: the next kernel finds it expired.


@dataclass(frozen=True, slots=True)
class Answered:
    """What a human said; a yes is in the hands of whoever asked."""

    question: Approval
    consent: "Consent | None" = None


class Consent:
    """A yes in the hands of one act: used when that commits, given back when it does not."""

    def __init__(self, approver: Approver, number: int) -> None:
        self._approver = approver
        self.number = number

    def used(self, outcome: object) -> Sequence[Change]:
        """The record of the act's commit. An error is no act."""
        return [] if isinstance(outcome, Exception) else self._approver.use(self.number)

    def settle(self, reply: object) -> None:
        """The call has ended; a yes that it did not use is the agent's still."""
        if not self._approver.book.is_open(self.number):
            return
        if isinstance(reply, BaseException):
            self._approver.book.give_back(self.number)
        else:
            self._approver.end(self.number, Answer.USED)


class Staked:
    """A yes in the hands of an act that takes effect before it commits: used when that begins."""

    def __init__(self, approver: Approver, number: int, work: Work) -> None:
        self._approver = approver
        self._work = work
        self.number = number

    def changes(self) -> Sequence[Change]:
        used = replace(self._approver.book.get(self.number), answer=Answer.USED)
        return self._approver.over(used)

    def gone(self) -> None:
        self._approver.tell(self._approver.book.close(self.number, Answer.USED))

    def settle(self, reply: object) -> None:
        """The call has ended; the yes of one that never began is the agent's still."""
        if not self._work.has_begun:
            self._approver.book.give_back(self.number)


def row_of(approval: Approval) -> Change:
    return Change(sql.APPROVAL_PUT, (approval.id, encode(approval)))


def _key(number: int) -> tuple[str, int]:
    return ("approval", number)


def _said_no(question: Approval) -> str:
    why = f": {question.note}" if question.note else ""
    return (
        f"approval {question.id}: {question.answered_by} said no to {question.verb} on "
        f"{question.object!r}{why}; it is not asked again before the question would have ended"
    )


def _too_late(question: Approval) -> str:
    return (
        f"approval {question.id}: nobody answered in time whether {question.verb} on "
        f"{question.object!r} may be done, which is a no; `aios approvals` lists what waits"
    )
