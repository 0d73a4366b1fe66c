"""The shape of every syscall: frozen data whose reply type rides on the call. Knows no room.

The wire schema, the handler table, the SDK and the documentation are derived from the classes
registered here; nothing else lists them.
"""

from typing import Generic, TypeVar

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
