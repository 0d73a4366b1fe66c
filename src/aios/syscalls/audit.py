"""The audit family: the hash-chained record of every decision. Pure data.

A record tells who did what to which object, what was decided by which rule, under which labels and
policy, and the hash of the arguments; never a content. Reads of an agent's own things are counted,
one record for each flush, agent and verb; everything else has a record of its own.
"""

from typing import Annotated

import msgspec
from msgspec import Meta

from aios.syscalls.base import Syscall


class AuditRecords(Syscall["AuditPage"], frozen=True, tag="audit.list"):
    """Records from number `start` on; filters are exact, empty ones pass all."""

    start: Annotated[int, Meta(ge=1)] = 1
    limit: Annotated[int, Meta(ge=1, le=10_000)] = 100
    agent: str = ""
    verb: str = ""
    decision: str = ""
    newest: bool = False  # the last ones instead, newest first


class VerifyAudit(Syscall["AuditState"], frozen=True, tag="audit.verify"):
    """Check every link of the chain and the signed head; what is wrong is named."""


class AuditRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One decision, or `count` equal ones."""

    number: int
    at: float
    pid: int
    agent: str
    verb: str
    object: str
    decision: str
    rule: str
    policy: str  # hash of the policy in force, shortened
    label: str = ""
    arguments: str = ""  # SHA-256, shortened
    count: int = 1


class AuditPage(msgspec.Struct, frozen=True):
    """In order of number."""

    records: tuple[AuditRecord, ...]
    last: int  # the number of the newest record there is


class AuditState(msgspec.Struct, frozen=True, kw_only=True):
    """`first_wrong` is the number of the first record that is not what was written."""

    is_whole: bool
    records: int
    head: str
    first_wrong: int | None = None
    detail: str = ""
