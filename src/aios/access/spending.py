"""Lines of a policy that ask a human of what may cost much. Pure; what it costs others know."""

from collections.abc import Iterable

from aios.access.acts import Row
from aios.access.base import Act
from aios.access.budgets import UNIT, Wants, units
from aios.access.patterns import pattern
from aios.access.policy import Line
from aios.access.standing import relation_to, touched
from aios.syscalls.access import Decision, Verdict
from aios.syscalls.budget import Resource


def too_dear(lines: Iterable[Line], agent: str, act: Act, row: Row, wants: Wants) -> Verdict | None:
    """The verdict of the first line that is about this act, at this price."""
    for line in lines:
        found = _beyond(line, wants)
        if (
            found is not None
            and any(pattern(one).matches(agent) for one in line.agents)
            and touched((line,), act, relation_to(agent, act.owner), row)
        ):
            resource, most = found
            return Verdict(
                decision=Decision.ASK,
                rule=f"ask line {line.name!r}",
                reason=f"it may cost {wants[resource] / UNIT:g} {resource}, more than {most:g}",
                remedy="a human's yes: `aios approvals` shows what waits",
            )
    return None


def _beyond(line: Line, wants: Wants) -> tuple[Resource, float] | None:
    for resource, wanted in wants.items():
        most = None if line.over is None else line.over.names(resource)
        if most is not None and wanted > units(most):
            return resource, most
    return None
