"""Calls of durable programs as the journal keeps them: facts to changes, rows to facts. Pure."""

import dataclasses
import hashlib
from collections.abc import Mapping

import msgspec

from aios.errors import InvalidArgument
from aios.journal import statements
from aios.journal.base import Change, Row
from aios.kernel.durable.replay import ATTEMPT, REPORT, Recorded
from aios.kernel.keys import digest_of
from aios.syscalls.base import Syscall, name_of
from aios.syscalls.process import Pid, Report

ABANDONED = b""
"""Stands as the outcome of a call that its program gave up."""


def told(pid: Pid, call: Recorded) -> Change:
    """What is known of a call by now."""
    outcome = ABANDONED if call.is_abandoned else call.outcome
    row = (pid, call.number, call.kind, call.digest, call.seen, call.within, call.place, outcome)
    return Change(statements.PROGRAM_CALL_PUT, row)


def reported(pid: Pid, call: Report) -> Change:
    """What an attempt came to; it stands with the attempt."""
    return Change(statements.PROGRAM_CALL_REPORTED, (call.result, pid, call.attempt))


def digest(call: Syscall[object], key: str, speaker: bytes) -> bytes:
    """Tells a program's calls apart; `speaker` is empty where it speaks for itself.

    What a report says is left out: it is the same report if a tool that runs again says another
    thing.
    """
    if isinstance(call, Report):
        call = msgspec.structs.replace(call, result="")
    seal = hashlib.blake2b(digest_of(call), digest_size=16)
    seal.update(speaker + key.encode())
    return seal.digest()


class _Row(msgspec.Struct, array_like=True):
    number: int
    kind: str
    digest: bytes
    seen: int
    within: int | None
    place: int | None
    outcome: bytes | None
    reported: str | None


def recorded(rows: list[Row]) -> list[Recorded]:
    """All calls of a program, each attempt with its report."""
    calls = [_call(msgspec.convert(row, _Row)) for row in rows]
    reports = {one.digest: one.number for one in calls if one.kind == REPORT}
    return [_with_report(one, reports) if one.kind == ATTEMPT else one for one in calls]


def _with_report(attempt: Recorded, reports: Mapping[bytes, int]) -> Recorded:
    looks = digest(Report(attempt=attempt.number, result=""), "", b"")
    return dataclasses.replace(attempt, report=reports.get(looks), report_digest=looks)


def _call(row: _Row) -> Recorded:
    return Recorded(
        number=row.number,
        kind=row.kind,
        digest=row.digest,
        seen=row.seen,
        within=row.within,
        place=row.place,
        outcome=row.outcome or None,
        is_abandoned=row.outcome == ABANDONED,
        reported=row.reported,
    )


def kind_of(call: Syscall[object]) -> str:
    """The syscall's name. Raises `InvalidArgument` for what is none."""
    if not isinstance(call, Syscall):
        raise InvalidArgument(f"expected a syscall, got {type(call).__name__}")
    return name_of(type(call))
