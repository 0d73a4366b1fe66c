"""What a question is about, in full: for whoever wants to see more than the list shows.

Kept as long as the question is open, in the journal where there is one. Knows no answers.
"""

from collections.abc import Sequence
from typing import Any

from aios.errors import InvalidArgument
from aios.journal import statements as sql
from aios.journal.base import Change, Journal
from aios.syscalls.base import Syscall
from aios.syscalls.tool import CallTool, CallTools
from aios.tools.reading import read


def readable(call: Syscall[Any]) -> object:
    """The call, with a tool's arguments as the tool will read them instead of one long text."""
    if isinstance(call, CallTool):
        return {"name": call.name, "arguments": _read(call), "timeout_s": call.timeout_s}
    if isinstance(call, CallTools):
        return {"calls": [readable(one) for one in call.calls]}
    return call


def _read(call: CallTool) -> object:
    try:
        return read(call.arguments).values
    except InvalidArgument:  # Its tool refuses it too.
        return call.arguments


class Wholes:
    """By the questions' numbers."""

    def __init__(self, journal: Journal | None) -> None:
        self._journal = journal
        self._kept: dict[int, str] = {}  # where there is no journal

    def put(self, number: int, text: str) -> Sequence[Change]:
        if self._journal is None:
            self._kept[number] = text
        return [Change(sql.APPROVAL_WHOLE_PUT, (number, text))]

    def drop(self, number: int) -> Sequence[Change]:
        """The question is over."""
        self._kept.pop(number, None)
        return [Change(sql.APPROVAL_WHOLE_DROP, (number,))]

    async def get(self, number: int) -> str | None:
        """None where the question's own text is all there is, or the question is over."""
        if self._journal is None:
            return self._kept.get(number)
        rows = await self._journal.read(sql.APPROVAL_WHOLE, number)
        return str(rows[0][0]) if rows else None
