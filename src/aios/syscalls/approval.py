"""The approval family: a human's durable yes to exactly one act. Pure data.

An approval is bound to the hash of the act and its exact arguments, to the agent, and to a time by
which it ends. Unanswered then, it is a no. A yes is used up by the act it names.
"""

from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta

from aios.syscalls.base import Syscall

ApprovalId = Annotated[int, Meta(ge=1)]


class Answer(StrEnum):
    PENDING = "pending"
    YES = "yes"
    NO = "no"
    EXPIRED = "expired"  # nobody answered in time
    USED = "used"  # the act was done
    GONE = "gone"  # whoever asked does not wait any more


class Approvals(Syscall["ApprovalList"], frozen=True, tag="approval.list"):
    """What waits for an answer, oldest first; with `all`, what was answered too.

    With `id` that one, whatever became of it; its arguments are not shortened while it is open.
    """

    all: bool = False
    id: ApprovalId | None = None
    limit: Annotated[int, Meta(ge=1, le=10_000)] = 1_000


class AnswerApproval(Syscall["Approval"], frozen=True, tag="approval.answer"):
    """Say yes or no, to the digest that was looked at. A second answer raises `WrongState`."""

    id: ApprovalId
    digest: Annotated[str, Meta(min_length=64, max_length=64)]
    yes: bool
    note: Annotated[str, Meta(max_length=1_000)] = ""


class AskHuman(Syscall["HumanAnswer"], frozen=True, tag="approval.ask"):
    """Ask whoever answers approvals a question, and wait for what they say.

    The answer's note is what was said; a no is an answer as well. Raises `Denied` where nobody
    answers in time, and `WrongState` where nobody can be asked.
    """

    question: Annotated[str, Meta(min_length=1, max_length=4_000)]
    choices: Annotated[
        tuple[Annotated[str, Meta(min_length=1, max_length=200)], ...], Meta(max_length=64)
    ] = ()


class HumanAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What a human said; the text is empty where it was no more than yes or no."""

    text: str
    is_no: bool = False
    by: str = ""


class Approval(msgspec.Struct, frozen=True, kw_only=True):
    """One question to a human. `consequence` says in plain words what a yes does."""

    id: int
    digest: str  # SHA-256 of verb, object and arguments
    agent: str
    pid: int
    verb: str
    object: str
    arguments: str  # as JSON, what is long cut for a list; the digest is of the whole
    consequence: str
    reason: str  # the rule that asks
    asked: float
    expires: float
    answer: Answer = Answer.PENDING
    answered_by: str = ""
    note: str = ""


class ApprovalList(msgspec.Struct, frozen=True):
    """Oldest first."""

    approvals: tuple[Approval, ...]
