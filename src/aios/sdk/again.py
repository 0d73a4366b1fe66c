"""When a call whose connection broke is made again, and how a stream goes on over the next one."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Any

from aios.errors import OutcomeUnknown, ShuttingDown
from aios.syscalls import Completion, Delta, Syscall, name_of
from aios.syscalls.table import REPEATABLE


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long the kernel may be away, and how often it is looked for."""

    total_s: float = 30.0
    first_s: float = 0.05
    most_s: float = 2.0


class Lost(Exception):
    """No whole answer came. `is_sent`: the kernel may have had the call."""

    def __init__(self, why: str, *, is_sent: bool) -> None:
        super().__init__(why)
        self.is_sent = is_sent


class Attempts:
    """Those of one call. It may be made twice where it only looks, or has a key."""

    def __init__(self, call: Syscall[Any], key: str, patience: Patience, random: Random) -> None:
        self._name = name_of(type(call))
        self.is_safe = bool(key) or type(call) in REPEATABLE
        self._patience = patience
        self._random = random
        self._pause_s = patience.first_s
        self._until: float | None = None

    async def after(self, lost: Lost, *, was_there: bool) -> None:
        """Wait for the next attempt; raise where there is none."""
        if lost.is_sent and not self.is_safe:
            raise OutcomeUnknown(
                f"{self._name}: {lost}; nobody knows whether it was done. With a key it could be "
                "asked for again"
            ) from None
        now = asyncio.get_running_loop().time()
        if self._until is None:
            self._until = now + self._patience.total_s
        pause_s = self._pause_s * self._random.uniform(0.5, 1.0)
        if not was_there or now + pause_s > self._until:
            raise ShuttingDown(str(lost)) from None
        self._pause_s = min(2 * self._pause_s, self._patience.most_s)
        await asyncio.sleep(pause_s)


@dataclass(slots=True)
class _Branch:
    text: str = ""
    ids: list[int] = field(default_factory=list)


class Continued:
    """One stream over several connections: nothing twice, nothing left out, or an error.

    The next connection may tell the answer from its beginning, or only its end.
    """

    def __init__(self) -> None:
        self._told: dict[int, _Branch] = {}  # what the reader has
        self._now: dict[int, _Branch] | None = None  # what this connection told; None: the first

    def again(self) -> None:
        """The connection is another from now on."""
        self._now = {}

    def items(self, item: Delta | Completion) -> Iterator[Delta | Completion]:
        """What of it is new to the reader."""
        if self._now is None:
            if isinstance(item, Delta):
                _add(self._told.setdefault(item.index, _Branch()), item)
            yield item
        elif isinstance(item, Delta):
            branch = self._now.setdefault(item.index, _Branch())
            _add(branch, item)
            yield from self._rest(item.index, branch)
        else:
            for choice in item.choices:
                told = self._told.get(choice.index, _Branch())
                text = choice.message.content or ""
                whole = text if text.startswith(told.text) else told.text
                yield from self._rest(choice.index, _Branch(whole, list(choice.token_ids)))
            yield item

    def _rest(self, index: int, now: _Branch) -> Iterator[Delta]:
        told = self._told.setdefault(index, _Branch())
        if not (_is_one(told.text, now.text) and _is_one(told.ids, now.ids)):
            raise OutcomeUnknown(
                "the stream broke off, and the answer made anew is another one; a seed, or a read "
                "of the whole answer, would make it the same"
            )
        more = Delta(index, now.text[len(told.text) :], tuple(now.ids[len(told.ids) :]))
        if more.text or more.token_ids:
            _add(told, more)
            yield more


def _add(branch: _Branch, delta: Delta) -> None:
    branch.text += delta.text
    branch.ids += delta.token_ids


def _is_one(some: Any, others: Any) -> bool:
    """Whether one of both is the other's beginning."""
    length = min(len(some), len(others))
    return bool(some[:length] == others[:length])
