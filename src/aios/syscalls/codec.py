"""Syscalls to bytes and back. Knows every syscall and no transport.

A call that crosses the border, in process too, is encoded and decoded: that checks each field
against its type and limits, and the caller keeps no reference into the kernel.
"""

from functools import cache
from typing import Any, TypeVar, Union

import msgspec

from aios.errors import InvalidArgument
from aios.syscalls.base import Syscall
from aios.syscalls.table import SYSCALLS

R = TypeVar("R")
MALFORMED = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_encoder = msgspec.msgpack.Encoder()


def encode(value: object) -> bytes:
    """MessagePack bytes of a syscall or a reply."""
    try:
        return _encoder.encode(value)
    except (TypeError, ValueError, OverflowError, RecursionError) as problem:
        raise InvalidArgument(f"expected plain data: {problem}") from None


def decode(data: bytes) -> Syscall[object]:
    """The syscall in `data`, every field checked."""
    try:
        call: Syscall[object] = _any_syscall().decode(data)
    except MALFORMED as problem:
        raise InvalidArgument(str(problem)) from None
    return call


def checked(call: Syscall[R]) -> Syscall[R]:
    """The same call, proved to be well formed and shared with nobody."""
    kind = type(call)
    try:
        copy: Syscall[R] = _one_syscall(kind).decode(encode(call))
    except MALFORMED as problem:
        raise InvalidArgument(str(problem)) from None
    return copy


@cache
def _one_syscall(kind: type[Any]) -> msgspec.msgpack.Decoder[Any]:
    return msgspec.msgpack.Decoder(kind)


@cache
def _any_syscall() -> msgspec.msgpack.Decoder[Any]:
    return msgspec.msgpack.Decoder(Union[tuple(SYSCALLS.values())])  # noqa: UP007
