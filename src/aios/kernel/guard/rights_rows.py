"""Capabilities and groups as the journal keeps them: facts to changes, rows to facts. Pure."""

from collections.abc import Sequence

import msgspec

from aios.journal import statements
from aios.journal.base import Change, Row
from aios.syscalls.access import Capability


def given(one: Capability) -> Change:
    """There is a new capability."""
    return Change(statements.RIGHT_ADD, msgspec.structs.astuple(one))


def ended(id: str) -> Change:
    return Change(statements.RIGHT_DROP, (id,))


def used(id: str) -> Change:
    """One use less."""
    return Change(statements.RIGHT_USED, (id,))


def capability(row: Row) -> Capability:
    return msgspec.convert(
        dict(zip(Capability.__struct_fields__, row, strict=True)), Capability, strict=False
    )


def grouped(agent: str, groups: Sequence[str]) -> Change:
    """From now on an agent is in exactly these groups."""
    return Change(statements.AGENT_GROUPS_PUT, (agent, " ".join(groups)))


def groups(row: Row) -> tuple[str, tuple[str, ...]]:
    agent, names = row
    assert isinstance(agent, str)
    assert isinstance(names, str)
    return agent, tuple(names.split())
