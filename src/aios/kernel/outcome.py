"""What a syscall came to, as bytes and back: a reply of its kind, or an error. Knows no journal."""

import sys
from functools import cache
from typing import Any, get_args

import msgspec

from aios.errors import (
    AiosError,
    Busy,
    Cancelled,
    Damaged,
    NoSpace,
    ShuttingDown,
    error_from,
)
from aios.syscalls.base import Syscall
from aios.syscalls.codec import encode

PASSING = (Busy, Cancelled, Damaged, NoSpace, ShuttingDown)
"""Errors of a moment: the same call may do better later, so no key remembers them."""


class _Error(msgspec.Struct, frozen=True):
    code: str
    message: str
    more: dict[str, Any]  # what the error tells beside its message


class _Outcome(msgspec.Struct, frozen=True, array_like=True):
    error: _Error | None
    reply: msgspec.Raw = msgspec.Raw(b"\xc0")


def sealed(outcome: object) -> bytes:
    """A reply or an `AiosError` as bytes."""
    if isinstance(outcome, AiosError):
        error = _Error(outcome.code, outcome.message, vars(outcome))
        return encode(_Outcome(error))
    return encode(_Outcome(None, msgspec.Raw(encode(outcome))))


def opened(kind: type[Syscall[Any]], data: bytes) -> Any:
    """The reply to a syscall of that kind; an error is raised."""
    outcome = msgspec.msgpack.decode(data, type=_Outcome)
    if outcome.error is not None:
        error = error_from(outcome.error.code, outcome.error.message)
        vars(error).update(outcome.error.more)
        raise error
    return msgspec.msgpack.decode(outcome.reply, type=_reply_of(kind))


@cache
def _reply_of(kind: type[Syscall[Any]]) -> Any:
    """The type of the reply that rides on a syscall."""
    base = next(one for one in vars(kind)["__orig_bases__"] if get_args(one))
    reply = get_args(base)[0]
    if isinstance(reply, type):
        return reply
    return vars(sys.modules[kind.__module__])[reply.__forward_arg__]
