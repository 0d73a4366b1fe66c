"""Tool calls that can be asked for again: which have begun, and what they came to.

A call that has a name (a key, or a place in a durable program) is written down before its tool
begins. Whoever asks for it again and finds it begun and without an outcome is told that nobody
knows. The row goes with the commit of the call's reply. Knows no tool.
"""

from collections import OrderedDict
from typing import NamedTuple

import msgspec

from aios.clock import Clock
from aios.errors import InvalidArgument
from aios.journal import statements
from aios.journal.base import Change, Journal, Work
from aios.syscalls.codec import encode
from aios.syscalls.tool import ToolResult


class RunName(NamedTuple):
    """By which a process asks for a call again; without `name` it never does."""

    pid: int
    name: str


class _Begun:
    """One call: its digest, and by its place in a batch what each part came to, None: unknown."""

    __slots__ = ("digest", "parts")

    def __init__(self, digest: bytes) -> None:
        self.digest = digest
        self.parts: dict[int, ToolResult | None] = {}


class _Row(msgspec.Struct, array_like=True):
    pid: int
    name: str
    place: int
    digest: bytes
    outcome: bytes | None


class Runs:
    """What has begun and is not over. The oldest are forgotten beyond a number."""

    def __init__(self, journal: Journal | None, clock: Clock, runs_max: int) -> None:
        self._journal = journal
        self._clock = clock
        self._runs_max = runs_max
        self._begun: OrderedDict[RunName, _Begun] = OrderedDict()  # oldest first

    async def load(self) -> None:
        """Learn what an earlier kernel began."""
        if self._journal is None or not await self._journal.read(statements.TOOL_RUNS):
            return
        await self._journal.post([Change(statements.TOOL_RUNS_SWEEP, ())])
        for row in await self._journal.read(statements.TOOL_RUNS):
            one = msgspec.convert(row, _Row)
            begun = self._begun.setdefault(RunName(one.pid, one.name), _Begun(one.digest))
            begun.parts[one.place] = (
                msgspec.msgpack.decode(one.outcome, type=ToolResult) if one.outcome else None
            )

    def known(self, name: RunName, digest: bytes) -> dict[int, ToolResult | None]:
        """Parts of the call that have begun before; None is what nobody knows.

        Raises `InvalidArgument` where the name is another call's.
        """
        begun = self._begun.get(name)
        if begun is None:
            return {}
        if begun.digest != digest:
            raise InvalidArgument(f"{name.name}: it is another call's; expected the same call")
        return dict(begun.parts)

    async def begin(self, name: RunName, place: int, digest: bytes) -> None:
        """Durable when it returns: from now on the outcome is unknown."""
        if not name.name:
            return
        begun = self._begun.setdefault(name, _Begun(digest))
        begun.parts[place] = None
        if len(self._begun) > self._runs_max:
            oldest, _ = self._begun.popitem(last=False)
            self._post(Change(statements.TOOL_RUNS_DROP, oldest))
        if self._journal is not None:
            row = (*name, place, digest, self._clock.utc())
            await self._journal.post([Change(statements.TOOL_RUN_BEGIN, row)])

    def done(self, name: RunName, place: int, result: ToolResult, *, is_part: bool) -> None:
        """It came to this. What is a part of a batch is written down: the rest takes its time."""
        begun = self._begun.get(name)
        if begun is None or place not in begun.parts:
            return
        begun.parts[place] = result
        if is_part:
            self._post(Change(statements.TOOL_RUN_DONE, (encode(result), *name, place)))

    def failed(self, name: RunName) -> None:
        """It came to an error that no key remembers: it may be made again."""
        if name in self._begun:
            self._forget(name)
            self._post(Change(statements.TOOL_RUNS_DROP, name))

    async def commit(self, name: RunName, work: Work, outcome: object) -> None:
        """Commit the call's reply or error, and forget that it had begun.

        Where there was no room for that it is known still, until the call is made again.
        """
        if name in self._begun:
            work.add(statements.TOOL_RUNS_DROP, *name)
        await work.commit(outcome)
        self._forget(name)

    def __len__(self) -> int:
        return len(self._begun)

    def _forget(self, name: RunName) -> None:
        self._begun.pop(name, None)

    def _post(self, change: Change) -> None:
        if self._journal is not None:
            self._journal.post([change])
