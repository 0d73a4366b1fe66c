"""What groups and policy lines come to, for all agents that share them. Pure; made once, then read.

`quick` is what makes the gate cheap: the kinds of calls about the caller's own things that are
allowed whatever they name, because some right says so and no line could say otherwise.
"""

from collections.abc import Iterable, Mapping, Sequence
from enum import Enum
from typing import Any, NamedTuple, get_args

from aios.access.acts import ACTS, VERBS, Kind, Row
from aios.access.base import Act
from aios.access.groups import INIT_GROUP, OTHER, TREE, Right
from aios.access.patterns import ANYTHING, pattern
from aios.access.policy import Line
from aios.syscalls import file, tool
from aios.syscalls.access import SELF, AskPermission, Decision, Verdict

PARTS: Mapping[Kind, tuple[Kind, ...]] = {
    file.Transaction: get_args(file.Step),
    tool.CallTools: (tool.CallTool,),
}
VARYING: frozenset[Kind] = frozenset({tool.CallTool, tool.CallTools})
"""Their effect is what the tool declares; and asking a human is always a question."""


class Relation(Enum):
    """Whose thing an act is about, seen from the caller."""

    OWN = "own"
    BELOW = "below"
    OTHER = "other"


OWNED: Mapping[str, frozenset[Relation]] = {
    SELF: frozenset({Relation.OWN}),
    TREE: frozenset({Relation.OWN, Relation.BELOW}),
    OTHER: frozenset({Relation.BELOW, Relation.OTHER}),
}


class Held(NamedTuple):
    """A right, and the group it comes from."""

    right: Right
    group: str


class Standing:
    """`rights` in the order of groups; `deny` and `ask` only the lines for these agents."""

    __slots__ = ("_of_verb", "ask", "deny", "groups", "is_first", "quick", "rights")

    def __init__(
        self, groups: Sequence[str], rights: Sequence[Held], lines: tuple[tuple[Line, ...], ...]
    ) -> None:
        self.groups = tuple(groups)
        self.rights = tuple(rights)
        self.is_first = INIT_GROUP in groups
        self.deny, self.ask = ((), ()) if self.is_first else lines
        self._of_verb = {
            verb: tuple(held for held in self.rights if held.right.names(verb)) for verb in VERBS
        }
        self.quick: dict[Kind, Verdict] = {}
        for kind, row in ACTS.items():
            held = self._any_object(row)
            if held is not None and not self._is_in_doubt(kind):
                self.quick[kind] = allowed(held.group)

    def right(self, act: Act, relation: Relation, *, is_whole: bool) -> Held | None:
        """The first right that allows the act."""
        return first_of(self._of_verb[act.verb], act, relation, is_whole=is_whole)

    def _any_object(self, row: Row) -> Held | None:
        for held in self._of_verb[row.verb]:
            if held.right.owner in {SELF, TREE, ANYTHING} and held.right.object == ANYTHING:
                return held
        return None

    def _is_in_doubt(self, kind: Kind) -> bool:
        """Whether a line may concern such a call about the caller's own things, or parts of it."""
        if kind is AskPermission:
            return True
        kinds = (kind, *PARTS.get(kind, ()))
        return any(_may_touch(line, one) for line in (*self.deny, *self.ask) for one in kinds)


def first_of(
    rights: Iterable[Held], act: Act, relation: Relation, *, is_whole: bool
) -> Held | None:
    """The first right, of those that name its verb, that allows the act.

    `is_whole`: it is one whose parts name the objects.
    """
    for held in rights:
        right = held.right
        if is_owned(right.owner, act, relation) and (
            is_whole or pattern(right.object).matches(act.object)
        ):
            return held
    return None


def relation_to(agent: str, owner: str) -> Relation:
    """How an agent stands to a thing's owner; no owner named means the agent itself."""
    if owner in ("", agent):
        return Relation.OWN
    is_below = owner.startswith(agent) and owner[len(agent)] == "/"
    return Relation.BELOW if is_below else Relation.OTHER


def allowed(group: str) -> Verdict:
    return Verdict(decision=Decision.ALLOW, rule=f"group {group}")


def is_owned(owner: str, act: Act, relation: Relation) -> bool:
    """Whether an owner in a right or a line is the act's."""
    relations = OWNED.get(owner)
    return pattern(owner).matches(act.owner) if relations is None else relation in relations


def touched(lines: Iterable[Line], act: Act, relation: Relation, row: Row) -> Line | None:
    """The first line that is about the act."""
    for line in lines:
        if (
            act.effect in line.effects
            and any(pattern(one).matches(act.verb) for one in line.verbs)
            and is_owned(line.owner, act, relation)
            and _is_about(line, act.object, row)
        ):
            return line
    return None


def _is_about(line: Line, object: str, row: Row) -> bool:
    """Of a folder, also where something in it is what the line is about."""
    found = pattern(line.object)
    return found.matches(object) or (row.reaches_below and found.reaches_below(object))


def _may_touch(line: Line, kind: Kind) -> bool:
    row: Row = ACTS[kind]
    named: Any = any(pattern(one).matches(row.verb) for one in line.verbs)
    return bool(named) and line.owner != OTHER and (row.effect in line.effects or kind in VARYING)
