"""Handlers of the access family, and the rights of agents as the journal keeps them.

One change of rights after another: what is checked is what holds when the change is made. Rights
in RAM change once they have in the journal.
"""

import asyncio
from collections.abc import Sequence

from aios.access import capability, explain
from aios.access.acts import ACTS, VERBS
from aios.access.base import Act
from aios.access.groups import INIT_GROUP, is_within
from aios.access.monitor import FIRST, Monitor, Question
from aios.access.standing import Relation, relation_to
from aios.errors import Denied, InvalidArgument, NotFound, QuotaExceeded
from aios.journal import statements
from aios.journal.base import Change, Work
from aios.kernel.dispatch import Handler, Kind, Reading
from aios.kernel.environment import Environment
from aios.kernel.guard import rights_rows
from aios.kernel.guard.guard import Guard
from aios.kernel.process import INIT, Process
from aios.kernel.table import ProcessTable
from aios.syscalls.access import (
    AddPrivilege,
    AskPermission,
    Capability,
    CheckAccess,
    GrantRight,
    RevokeRight,
    RightList,
    Rights,
    Verdict,
)
from aios.syscalls.base import Ok

GIVEN_MAX = 10_000  # capabilities that one agent has given
GROUPED_MAX = 200_000  # agents whose groups were set


class RightsCalls:
    """`groups` is the monitor's: agents whose groups somebody has set."""

    def __init__(
        self,
        monitor: Monitor,
        groups: dict[str, tuple[str, ...]],
        guard: Guard,
        table: ProcessTable,
        environment: Environment,
    ) -> None:
        self._monitor = monitor
        self._grants = monitor.grants
        self._groups = groups
        self._guard = guard
        self._table = table
        self._journal = environment.journal
        self._utc = environment.clock.utc
        self._random = environment.random
        self._lock = asyncio.Lock()

    async def load(self) -> None:
        """The rights that agents had when the journal was closed; what has expired goes."""
        if self._journal is None:
            return
        for row in await self._journal.read(statements.RIGHTS_ALL):
            self._grants.add(rights_rows.capability(row))
        for row in await self._journal.read(statements.AGENT_GROUPS_ALL):
            agent, groups = rights_rows.groups(row)
            self._groups[agent] = groups
        if gone := self._sweep():
            self._journal.post(gone)
        self._guard.forget()

    def readings(self) -> dict[Kind, Reading]:
        return {Rights: self.held, CheckAccess: self.check}

    def handlers(self) -> dict[Kind, Handler]:
        return {
            GrantRight: self.grant,
            RevokeRight: self.revoke,
            AddPrivilege: self.add_privilege,
            AskPermission: self.ask,
        }

    async def held(self, process: Process, call: Rights) -> RightList:
        return self._rights(call.agent or process.agent)

    async def check(self, process: Process, call: CheckAccess) -> Verdict:
        if call.verb not in VERBS:
            raise InvalidArgument(f"verb: expected one of {sorted(VERBS)}, got {call.verb!r}")
        agent = call.agent or process.agent
        row = ACTS[VERBS[call.verb]]
        relation, owner = relation_to(agent, call.owner), call.owner or agent
        if row.by_pid and call.object.isdecimal() and not call.owner:
            # Whose it is where it is not the caller's, nobody is told here.
            is_own = self._table.is_above(process, int(call.object))
            relation, owner = (Relation.OWN, agent) if is_own else (Relation.OTHER, "")
        act = Act(call.verb, owner, call.object, row.effect)
        asked = Question(agent, act, row, relation, self._utc())
        standing = self._monitor.standing(agent)
        judged = self._monitor.judge(standing, asked)
        return explain.verdict(self._monitor, standing, asked, judged)

    async def grant(self, process: Process, call: GrantRight, work: Work) -> Capability:
        async with self._lock:
            self._check_room(process.agent, work)
            one = self._derived(process, call) if call.of else self._made(process, call)
            return await self._give(one, work)

    async def ask(self, process: Process, call: AskPermission, work: Work) -> Capability:
        """The guard has let it through: a human said yes."""
        async with self._lock:
            self._check_room(process.agent, work)
            one = capability.new(call, self._new_id(), process.agent, FIRST, self._utc())
            return await self._give(one, work)

    async def revoke(self, process: Process, call: RevokeRight, work: Work) -> Ok:
        async with self._lock:
            one = self._grants.get(call.id)
            if one is None or (one.given_by != process.agent and process.pid != INIT):
                raise NotFound(f"no capability {call.id!r} that the caller gave")
            work.extend(map(rights_rows.ended, self._grants.family(call.id)))
            await work.commit(Ok())
            self._grants.drop(call.id)
            return Ok()

    async def add_privilege(self, process: Process, call: AddPrivilege, work: Work) -> RightList:
        async with self._lock:
            if call.agent in (process.agent, FIRST):
                raise Denied("an agent's groups are set by those above it; expected one below")
            now = {call.agent: self._monitor.groups_of(call.agent)}
            if call.remove:
                below = f"{call.agent}/"
                now |= {name: of for name, of in self._groups.items() if name.startswith(below)}
                changed = {
                    name: tuple(one for one in of if one != call.group) for name, of in now.items()
                }
            else:
                self.check_groups(process, (call.group,))
                changed = {name: tuple(sorted({*of, call.group})) for name, of in now.items()}
            work.extend(rights_rows.grouped(*one) for one in changed.items() if self._is_new(*one))
            reply = self._rights(call.agent, changed[call.agent])
            await work.commit(reply)
            self.take(changed)
            return reply

    # The groups of what is spawned.

    def changing(self) -> asyncio.Lock:
        """Nobody else changes rights inside of an `async with`."""
        return self._lock

    def check_groups(self, giver: Process, groups: Sequence[str]) -> None:
        """Raise unless the giver has all that these groups have."""
        policy = self._monitor.policy
        for name in groups:
            rights = policy.group(name)
            if rights is None:
                raise InvalidArgument(f"expected some of the groups {policy.known}, got {name!r}")
            if giver.pid != INIT and not is_within(rights, self._monitor.rights_of(giver.agent)):
                raise Denied(
                    f"group {name!r} has more than agent {giver.agent!r} has itself; "
                    "expected no more"
                )
        if len(self._groups) >= GROUPED_MAX:
            raise QuotaExceeded(
                f"the groups of {GROUPED_MAX} agents are set, the most there may be"
            )

    def grouped(self, agent: str, groups: Sequence[str]) -> list[Change]:
        """Set an agent's groups; `take` once this is durable."""
        kept = tuple(sorted(set(groups)))
        return [rights_rows.grouped(agent, kept)] if self._is_new(agent, kept) else []

    def take(self, changed: dict[str, tuple[str, ...]]) -> None:
        """The journal knows it now."""
        for agent, groups in changed.items():
            kept = tuple(sorted(set(groups)))
            if self._is_new(agent, kept):
                self._groups[agent] = kept
        self._guard.forget()

    def _is_new(self, agent: str, groups: tuple[str, ...]) -> bool:
        return self._groups.get(agent) != groups

    # Capabilities.

    def _made(self, process: Process, call: GrantRight) -> Capability:
        if process.pid != INIT:
            raise Denied(
                "of: expected a delegable capability of the caller's; only the first process makes "
                "new ones"
            )
        return capability.new(call, self._new_id(), call.to, process.agent, self._utc())

    def _derived(self, process: Process, call: GrantRight) -> Capability:
        of = self._grants.get(call.of)
        if of is None or of.holder != process.agent:
            raise NotFound(f"no capability {call.of!r} of the caller's; `list` shows those it has")
        now = self._utc()
        if useless := self._grants.why_not(of, now):
            raise Denied(f"capability {of.id} is {useless}; expected one that holds")
        return capability.derived(call, of, self._new_id(), now)

    async def _give(self, one: Capability, work: Work) -> Capability:
        work.extend([rights_rows.given(one)])
        await work.commit(one)
        self._grants.add(one)
        return one

    def _check_room(self, giver: str, work: Work) -> None:
        if self._grants.given(giver) >= GIVEN_MAX:
            work.extend(self._sweep())
        if self._grants.given(giver) >= GIVEN_MAX:
            raise QuotaExceeded(f"{giver!r} has given {GIVEN_MAX} capabilities; revoke some first")

    def _sweep(self) -> list[Change]:
        """Forget what has expired or is used up: it will not come back."""
        now, gone = self._utc(), []
        for one in list(self._grants.all()):
            is_over = one.uses == 0 or (one.expires is not None and one.expires <= now)
            if is_over and self._grants.get(one.id) is not None:
                gone += self._grants.family(one.id)
                self._grants.drop(one.id)
        return [rights_rows.ended(id) for id in gone]

    def _new_id(self) -> str:
        return f"cap-{self._random.getrandbits(96):024x}"

    def _rights(self, agent: str, groups: tuple[str, ...] | None = None) -> RightList:
        if groups is None:
            groups = (INIT_GROUP,) if agent == FIRST else self._monitor.groups_of(agent)
        return RightList(
            agent=agent, groups=tuple(sorted(groups)), capabilities=self._grants.of(agent)
        )
