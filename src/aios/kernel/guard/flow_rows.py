"""Labels and plans as the journal keeps them: facts to changes, rows to facts. Pure."""

from collections.abc import Sequence

import msgspec

from aios.access.carries import Place
from aios.access.labels import PLAIN, Label
from aios.journal import statements
from aios.journal.base import Change, Row
from aios.syscalls.access import PlannedAct

_LABEL = msgspec.msgpack.Decoder(Label)
_PLAN = msgspec.msgpack.Decoder(tuple[PlannedAct, ...])
_ENCODER = msgspec.msgpack.Encoder(order="deterministic")


def labelled(place: Place, label: Label) -> Change:
    """From now on a place has this label."""
    if label == PLAIN:
        return Change(statements.LABEL_DROP, place)
    return Change(statements.LABEL_PUT, (*place, _ENCODER.encode(label)))


def label(row: Row) -> tuple[Place, Label]:
    kind, owner, name, body = msgspec.convert(row, tuple[str, str, str, bytes])
    return Place(kind, owner, name), _LABEL.decode(body)


def planned(pid: int, plan: Sequence[PlannedAct]) -> Change:
    """This is left of what a process declared."""
    if not plan:
        return Change(statements.PLAN_DROP, (pid,))
    return Change(statements.PLAN_PUT, (pid, _ENCODER.encode(plan)))


def plan(row: Row) -> tuple[int, tuple[PlannedAct, ...]]:
    pid, body = msgspec.convert(row, tuple[int, bytes])
    return pid, _PLAN.decode(body)
