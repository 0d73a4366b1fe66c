"""The reference monitor: may this agent do this act? Pure: groups, capabilities, policy.

First the lines that deny, then a right of one of the agent's groups, then a capability; without
any, what an owner lends by itself, and otherwise no. What is allowed may still need a human's yes.
"""

from collections.abc import Mapping
from typing import NamedTuple

from aios.access.acts import Row
from aios.access.base import Act
from aios.access.capability import allows
from aios.access.grants import Grants
from aios.access.groups import INIT_GROUP, Right
from aios.access.patterns import pattern
from aios.access.policy import Line, Policy
from aios.access.standing import Held, Relation, Standing, first_of, touched
from aios.syscalls.access import AskPermission, Capability, Decision
from aios.syscalls.base import name_of

FIRST = "init"  # the first process's agent
LENT = "sharing"
DEFAULT = "default"
_ASK = name_of(AskPermission)


class Judged(NamedTuple):
    """A decision and what made it; `is_lent`: the room decides, as the caller is known to it."""

    decision: Decision
    rule: str
    capability: Capability | None = None
    is_lent: bool = False


class Question(NamedTuple):
    """An act of an agent. `row` is its kind's."""

    agent: str
    act: Act
    row: Row
    relation: Relation
    now: float  # seconds since the epoch, UTC


class Monitor:
    """`groups` are agents whose groups somebody has set; others are as the policy or above says."""

    def __init__(
        self, policy: Policy, grants: Grants, groups: Mapping[str, tuple[str, ...]]
    ) -> None:
        self.policy = policy
        self.policy_hash = policy.hash
        self.grants = grants
        self._groups = groups
        self._shared: dict[tuple[object, ...], Standing] = {}

    def reload(self, policy: Policy) -> None:
        """From now on another policy holds."""
        self.policy = policy
        self.policy_hash = policy.hash
        self._shared.clear()

    def groups_of(self, agent: str) -> tuple[str, ...]:
        """What was set for it, what the policy says of it, what holds for the agent above it.

        The first process's rights are its own, not those of a name.
        """
        while True:
            if agent in self._groups:
                return self._groups[agent]
            for members in self.policy.agents:
                if any(pattern(one).matches(agent) for one in members.agents):
                    return members.groups
            agent, _, name = agent.rpartition("/")
            if not name or not agent:
                return self.policy.default

    def first(self) -> Standing:
        """The first process's."""
        return self._made((INIT_GROUP,), ((), ()))

    def standing(self, agent: str) -> Standing:
        """The same object for all agents of the same groups and lines.

        Lines about what an act costs are not among them: see `spending`.
        """
        groups = self.groups_of(agent)
        policy = self.policy
        lines = tuple(
            tuple(
                one
                for one in kind
                if one.over is None and any(pattern(name).matches(agent) for name in one.agents)
            )
            for kind in (policy.deny, policy.ask)
        )
        return self._made(groups, lines)

    def _made(self, groups: tuple[str, ...], lines: tuple[tuple[Line, ...], ...]) -> Standing:
        key = (groups, tuple(id(line) for kind in lines for line in kind))
        if key not in self._shared:
            group = self.policy.group
            rights = [Held(right, name) for name in groups for right in group(name) or ()]
            self._shared[key] = Standing(groups, rights, lines)
        return self._shared[key]

    def rights_of(self, agent: str) -> tuple[Right, ...]:
        """Of all its groups."""
        return tuple(held.right for held in self.standing(agent).rights)

    def judge(self, standing: Standing, asked: Question) -> Judged:
        """Changes nothing: asking costs nothing."""
        if standing.deny:
            denied = touched(standing.deny, asked.act, asked.relation, asked.row)
            if denied is not None:
                return Judged(Decision.DENY, f"deny line {denied.name!r}")
        found = self._allowed(standing, asked)
        if found.decision is not Decision.ALLOW or standing.is_first:
            return found
        if asked.act.verb == _ASK:
            return found._replace(decision=Decision.ASK)
        if standing.ask:
            line = touched(standing.ask, asked.act, asked.relation, asked.row)
            if line is not None:
                return found._replace(decision=Decision.ASK, rule=f"ask line {line.name!r}")
        return found

    def _allowed(self, standing: Standing, asked: Question) -> Judged:
        act, relation = asked.act, asked.relation
        is_whole = asked.row.parts is not None
        held = standing.right(act, relation, is_whole=is_whole)
        if held is not None:
            return Judged(Decision.ALLOW, f"group {held.group}")
        best = self._best(asked)
        if best is not None:
            return Judged(Decision.ALLOW, f"capability {best.id}", best)
        if asked.row.is_lent and self.may_own(standing, asked):
            return Judged(Decision.ALLOW, LENT, is_lent=True)
        return Judged(Decision.DENY, DEFAULT)

    def _best(self, asked: Question) -> Capability | None:
        """Of those that allow it the one that costs the fewest uses; the first among equals."""
        best, cost = None, 0
        for one in self.named(asked):
            if not self.grants.why_not(one, asked.now):
                uses = len(self.grants.limited(one))
                if best is None or uses < cost:
                    best, cost = one, uses
        return best

    def named(self, asked: Question) -> list[Capability]:
        """The agent's capabilities that are about this act, whether they still hold or not."""
        act, is_own = asked.act, asked.relation is Relation.OWN
        is_whole = asked.row.parts is not None
        return [
            one
            for one in self.grants.of(asked.agent)
            if allows(one, act, is_own=is_own, is_whole=is_whole)
        ]

    def may_own(self, standing: Standing, asked: Question) -> bool:
        """Whether it would be allowed about an own thing: only the owner is in the way."""
        own = asked.act._replace(owner=asked.agent)
        return standing.right(own, Relation.OWN, is_whole=True) is not None

    def helpful(self, asked: Question) -> list[str]:
        """The groups in which it would be allowed; the first process's own is nobody else's."""
        known = (name for name in self.policy.known if name != INIT_GROUP)
        return [name for name in known if self._would_do(name, asked)]

    def _would_do(self, group: str, asked: Question) -> bool:
        rights = (
            Held(right, group)
            for right in self.policy.group(group) or ()
            if right.names(asked.act.verb)
        )
        is_whole = asked.row.parts is not None
        return first_of(rights, asked.act, asked.relation, is_whole=is_whole) is not None
