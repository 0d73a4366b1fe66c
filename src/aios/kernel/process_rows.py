"""Processes and mail as the journal keeps them: facts to changes, rows to processes. Pure.

Only a hash of a token is kept, with two exceptions: a durable program gets the very same token
when it is run again, because what it does may depend on it, and so does the first process.
"""

import hashlib
from typing import Any

import msgspec

from aios.journal import statements
from aios.journal.base import Change, Row
from aios.kernel.process import INIT, Letter, Process
from aios.syscalls.codec import encode
from aios.syscalls.process import Exited, Mail, Pid, ProcessState

LAST_PID = "last_pid"


def hash_of(token: str) -> bytes:
    """What is kept of a token. It is too long to be guessed, so one round is enough."""
    return hashlib.blake2b(token.encode(errors="surrogatepass"), digest_size=16).digest()


def born(process: Process, argument: Any, utc: float) -> Change:
    """There is a new process."""
    row = (
        process.pid,
        process.parent,
        process.name,
        process.agent,
        hash_of(process.token),
        process.token if process.is_durable or process.pid == INIT else None,
        process.priority,
        process.program,
        encode(argument) if process.is_durable else None,
        process.code,
        int(process.is_durable),
        process.state.value,
        utc,
    )
    return Change(statements.PROCESS_ADD, row)


def ended(how: Exited, utc: float) -> list[Change]:
    """It has ended, and owns nothing any more."""
    return [
        Change(statements.PROCESS_END, (how.state.value, encode(how), utc, how.pid)),
        Change(statements.MAIL_FORGET, (how.pid,)),
        Change(statements.PROGRAM_CALLS_FORGET, (how.pid,)),
    ]


def forgotten(pid: Pid, last: Pid) -> list[Change]:
    """Nobody can ask for it any more. `last` is the highest pid so far, which is never reused."""
    return [
        Change(statements.PROCESS_FORGET, (pid,)),
        Change(statements.PROGRAM_CALLS_FORGET, (pid,)),
        Change(statements.META_PUT, (LAST_PID, last)),
    ]


class _Row(msgspec.Struct, array_like=True):
    """The columns of `PROCESSES_LIVING`, and one more of `PROCESSES_ENDED`."""

    pid: int
    parent: int
    name: str
    agent: str
    token_hash: bytes
    token: str | None
    priority: int
    program: str | None
    code: str
    is_durable: int
    state: ProcessState
    born: float
    exited: bytes = b""


def restored(row: Row, *, now: float, utc: float) -> Process:
    """The process in a row; its age counts the time that no kernel ran."""
    kept = msgspec.convert(row, _Row)
    return Process(
        pid=kept.pid,
        parent=kept.parent,
        name=kept.name,
        agent=kept.agent,
        token=kept.token or "",
        token_hash=b"" if kept.token else kept.token_hash,
        priority=kept.priority,
        program=kept.program,
        code=kept.code,
        is_durable=bool(kept.is_durable),
        born=now - (utc - kept.born),
        state=kept.state,
        exited=msgspec.msgpack.decode(kept.exited, type=Exited) if kept.exited else None,
    )


def sent(letter: Letter, to: Pid) -> Change:
    """A message lies in a mailbox."""
    mail = letter.mail
    return Change(statements.MAIL_ADD, (letter.number, to, mail.sender, encode(mail.body)))


def lost(letter: Letter) -> Change:
    """A message has no mailbox any more."""
    return Change(statements.MAIL_TAKE, (letter.number,))


def letter_of(row: Row) -> tuple[Pid, Letter]:
    """A message, and in whose mailbox it lies."""
    number, pid, sender, body = msgspec.convert(row, tuple[int, int, int, bytes])
    return pid, Letter(number, Mail(sender=sender, body=msgspec.msgpack.decode(body)))
