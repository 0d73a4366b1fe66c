"""The shape of every syscall: frozen data whose reply type rides on the call. Knows no room.

The wire schema, the handler table, the SDK and the documentation are derived from the classes
registered here; nothing else lists them.
"""

import sys
from typing import Any, ForwardRef, Generic, TypeVar, get_args

import msgspec

Reply = TypeVar("Reply", covariant=True)


class Syscall(msgspec.Struct, Generic[Reply], frozen=True, kw_only=True, tag_field="syscall"):
    """One typed request to the kernel, answered by exactly one `Reply` or one error."""


class Ok(msgspec.Struct, frozen=True):
    """The reply of a syscall that has nothing to tell."""


def name_of(kind: type[Syscall[object]]) -> str:
    """The syscall's name on the wire, `family.verb`."""
    tag = kind.__struct_config__.tag
    assert isinstance(tag, str)
    return tag


def reply_of(kind: type[Syscall[Any]]) -> Any:
    """The type of the reply that rides on a syscall's class."""
    base = next(one for one in kind.__orig_bases__ if get_args(one))  # type: ignore[attr-defined]  # every generic class has it
    reply = get_args(base)[0]
    if isinstance(reply, ForwardRef):
        return vars(sys.modules[kind.__module__])[reply.__forward_arg__]
    return reply
