"""Tools that are being called, as labels see them: what they tell, and what stays in them.

What a tool keeps from call to call bears a label like any other thing: a call gives it the caller's
before the tool begins, and tells it to the caller when the tool has ended. Knows no journal; it
tells which labels the journal is to keep.
"""

from collections import Counter
from collections.abc import Collection, Iterator
from typing import NamedTuple

from aios.access.carries import TOOL_STATE, Place
from aios.access.labels import Label, joined, label
from aios.kernel.guard.flow_acts import parts, results_label
from aios.kernel.guard.flow_book import Book
from aios.kernel.guard.parts import TermsOf
from aios.syscalls.base import Syscall
from aios.syscalls.tool import CallTool, ToolResult, ToolResults
from aios.tools.base import Keeping


class InUse(NamedTuple):
    """One call of tools, and what was known of them when it began."""

    agent: str
    call: Syscall[object]
    told: Label
    kept: frozenset[Place]


class FlowTools:
    """Invariant: a place of a tool's in which a call may still write is not cleared."""

    def __init__(self, book: Book, terms_of: TermsOf) -> None:
        self._book = book
        self._terms_of = terms_of
        self._open: Counter[Place] = Counter()  # calls under way

    def is_plain(self, call: Syscall[object]) -> bool:
        """Whether nothing that they tell or keep can bear a label, for certain."""
        for part in parts(call):
            terms = self._terms_of(part.name) if isinstance(part, CallTool) else None
            if terms is None or terms.keeps or terms.source or terms.readers is not None:
                return False
        return True

    def enter(
        self, agent: str, call: Syscall[object], known: Label
    ) -> tuple[InUse, Collection[Place]]:
        """They begin; and the places whose labels this has changed."""
        changed: set[Place] = set()
        keeping = dict(self._keeping(agent, call))
        for place, one in keeping.items():
            if self._is_gone(place, one, agent):
                self._book.forget(place)
                changed.add(place)
            self._open[place] += 1
            changed |= self._book.raised(place, known).will.keys()
        told = joined(results_label(call, self._terms_of))
        return InUse(agent, call, told, frozenset(keeping)), changed

    def leave(self, used: InUse) -> None:
        """The call has ended."""
        self._open -= Counter(used.kept)

    def kept(self, used: InUse) -> frozenset[Place]:
        """Also of a server that was there only after the call had begun."""
        return used.kept.union(place for place, _ in self._keeping(used.agent, used.call))

    def told(self, used: InUse, reply: object) -> Label:
        """What the caller hears, of tools that may have come, changed or gone meanwhile."""
        return joined([
            used.told,
            *results_label(used.call, self._terms_of),
            *(label((one.source,)) for one in _results(reply) if one.source),
            *map(self._book.of, self.kept(used)),
        ])  # fmt: skip

    def _keeping(self, agent: str, call: Syscall[object]) -> Iterator[tuple[Place, Keeping]]:
        for part in parts(call):
            terms = self._terms_of(part.name) if isinstance(part, CallTool) else None
            if terms is not None and terms.keeps is not None:
                owner = agent if terms.keeps.by == "agent" else ""
                server = part.name.partition("/")[0]  # type: ignore[attr-defined]  # a tool's call
                yield Place(TOOL_STATE, owner, server), terms.keeps

    def _is_gone(self, place: Place, keeping: Keeping, agent: str) -> bool:
        is_there = keeping.is_there
        return is_there is not None and not self._open[place] and not is_there(agent)


def _results(reply: object) -> tuple[ToolResult, ...]:
    if isinstance(reply, ToolResult):
        return (reply,)
    return reply.results if isinstance(reply, ToolResults) else ()
