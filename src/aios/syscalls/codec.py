"""Syscalls to bytes and back. Knows every syscall and no transport.

A call that crosses the border, in process too, is encoded and decoded: that checks each field
against its type and limits, and the caller keeps no reference into the kernel.
"""

from collections.abc import Iterator
from functools import cache
from typing import Any, TypeVar, Union

import msgspec

from aios.errors import InvalidArgument
from aios.syscalls.base import Syscall
from aios.syscalls.table import SYSCALLS

R = TypeVar("R")
UNENCODABLE = (TypeError, ValueError, OverflowError, RecursionError)
PLACE_DEPTH = 8  # how deep a value that cannot be encoded is looked for
MALFORMED = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_encoder = msgspec.msgpack.Encoder()


def encode(value: object) -> bytes:
    """MessagePack bytes of a syscall or a reply."""
    try:
        return _encoder.encode(value)
    except UNENCODABLE as problem:
        place = _place(value)
        raise InvalidArgument(f"expected plain data: {problem} - at `{place}`") from None


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


def _place(value: object) -> str:
    """Where in a value that cannot be encoded the reason lies."""
    place = "$"
    for _ in range(PLACE_DEPTH):
        found = next((part for part in _parts(value) if not _is_plain(part[1])), None)
        if found is None:
            break
        place, value = f"{place}{found[0]}", found[1]
    return place


def _parts(value: object) -> Iterator[tuple[str, object]]:
    if isinstance(value, msgspec.Struct):
        yield from ((f".{name}", getattr(value, name)) for name in value.__struct_fields__)
    elif isinstance(value, dict):
        yield from ((f"[{ascii(key)[:40]}]", one) for key, one in value.items())
    elif isinstance(value, list | tuple):
        yield from ((f"[{at}]", one) for at, one in enumerate(value))


def _is_plain(value: object) -> bool:
    try:
        _encoder.encode(value)
    except UNENCODABLE:
        return False
    return True


@cache
def _one_syscall(kind: type[Any]) -> msgspec.msgpack.Decoder[Any]:
    return msgspec.msgpack.Decoder(kind)


@cache
def _any_syscall() -> msgspec.msgpack.Decoder[Any]:
    return msgspec.msgpack.Decoder(Union[tuple(SYSCALLS.values())])  # noqa: UP007
