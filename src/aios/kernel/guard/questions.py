"""What a call asks of the monitor: the act that it is, and those that it contains.

Knows processes only to tell whose they are.
"""

from collections.abc import Callable, Iterator
from typing import Any, cast

from aios.access.acts import ACTS, Row, object_of
from aios.access.base import Act
from aios.access.monitor import Question
from aios.access.standing import Relation, relation_to
from aios.errors import InvalidArgument
from aios.kernel.guard.parts import Parts
from aios.kernel.process import Process
from aios.kernel.table import ProcessTable
from aios.syscalls.base import Syscall


class Questions:
    """Every call is at least one question."""

    def __init__(self, table: ProcessTable, utc: Callable[[], float], parts: Parts) -> None:
        self._table = table
        self._utc = utc
        self._effects = parts.effects

    def of(self, process: Process, call: Syscall[Any]) -> list[Question]:
        """The call's own act first; then that on its second object, and those of its parts."""
        kind = type(call)
        row = ACTS[kind]
        relation, owner = self._whose(process, call, row)
        effect = self._effects[kind](call) if kind in self._effects else row.effect
        act = Act(row.verb, owner, object_of(row, call), effect)
        whole = Question(process.agent, act, row, relation, self._utc())
        asked = [whole]
        if row.second is None and row.parts is None:
            return asked
        second = None if row.second is None else row.second(call)
        if second is not None:
            asked.append(whole._replace(act=act._replace(object=second)))
        for part in row.parts(call) if row.parts is not None else ():
            asked += self._inside(process, part, whole)
        return asked

    def _inside(self, process: Process, part: Syscall[Any], whole: Question) -> Iterator[Question]:
        """A part is about things of the owner that the whole call names."""
        owner = ACTS[type(part)].owner
        if owner is not None and owner(part) not in ("", whole.act.owner):
            raise InvalidArgument("steps: expected no owner of their own; the call has one")
        for one in self.of(process, part):
            act = one.act._replace(owner=whole.act.owner)
            yield one._replace(act=act, relation=whole.relation)

    def _whose(self, process: Process, call: Syscall[Any], row: Row) -> tuple[Relation, str]:
        if row.by_pid:
            return self._whose_process(process, cast(Any, call).pid)
        owner = "" if row.owner is None else row.owner(call)
        return relation_to(process.agent, owner), owner or process.agent

    def _whose_process(self, process: Process, pid: int) -> tuple[Relation, str]:
        """By descent, not by name: processes of one name may have different parents."""
        if self._table.is_above(process, pid):
            return Relation.OWN, process.agent
        found = self._table.get(pid)
        return Relation.OTHER, "" if found is None else found.agent
