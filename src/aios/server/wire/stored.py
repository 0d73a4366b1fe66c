"""Stored responses: what `previous_response_id` goes on from. Bounded; the oldest go first.

The protocol is small so that a store that survives the kernel can take this one's place.
"""

from collections import OrderedDict
from typing import Protocol

import msgspec

from aios.syscalls import Message


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """One response: its body as it was told, what it was asked, and the conversation after it."""

    id: str
    body: bytes
    input: bytes  # the request's items, as JSON
    messages: tuple[Message, ...]  # shared with the responses before it


class Responses(Protocol):
    """Responses by owner: a process sees its own only."""

    def find(self, owner: int, id: str) -> Kept | None: ...

    def keep(self, owner: int, kept: Kept) -> None: ...

    def forget(self, owner: int, id: str) -> bool:
        """Whether there was one."""
        ...


class ResponsesInMemory:
    """Invariant: `_bytes` is the sum over all that is kept, and at most `bytes_max`."""

    def __init__(self, *, count_max: int, bytes_max: int) -> None:
        self._count_max = count_max
        self._bytes_max = bytes_max
        self._kept: OrderedDict[tuple[int, str], Kept] = OrderedDict()  # oldest first
        self._counts: dict[int, int] = {}  # by owner; none is 0
        self._bytes = 0

    def find(self, owner: int, id: str) -> Kept | None:
        return self._kept.get((owner, id))

    def keep(self, owner: int, kept: Kept) -> None:
        size = _size(kept)
        if size > self._bytes_max:
            return  # It cannot be gone on from; asking for it says so.
        self._kept[owner, kept.id] = kept
        self._counts[owner] = self._counts.get(owner, 0) + 1
        self._bytes += size
        while self._bytes > self._bytes_max:
            self.forget(*next(iter(self._kept)))
        if self._counts[owner] > self._count_max:
            self.forget(*next(key for key in self._kept if key[0] == owner))

    def forget(self, owner: int, id: str) -> bool:
        kept = self._kept.pop((owner, id), None)
        if kept is None:
            return False
        self._bytes -= _size(kept)
        self._counts[owner] -= 1
        if not self._counts[owner]:
            del self._counts[owner]
        return True


def _size(kept: Kept) -> int:
    """Bytes that are its own: messages of earlier responses are counted with those."""
    return len(kept.body) + len(kept.input)
