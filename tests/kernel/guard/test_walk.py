"""50,000 random steps of giving, handing on, using and taking back, beside a reference model."""

import asyncio
from random import Random
from typing import Any

import pytest

from aios.access.groups import BUILT_IN, Right
from aios.access.policy import Line, Policy
from aios.clock import LoopClock
from aios.errors import AiosError, Denied, NotFound
from aios.journal.base import Work
from aios.kernel.environment import Environment
from aios.kernel.guard.parts import Fence
from aios.kernel.kernel import Kernel
from aios.scheduler import make
from aios.syscalls import Spawn, file, memory
from aios.syscalls.access import AddPrivilege, GrantRight, RevokeRight, Rights
from aios.testing.homes import scripted
from aios.testing.journal import InlineJournal
from tests.kernel.guard.model import (
    AGENTS,
    OBJECT_PATTERNS,
    OBJECTS,
    OWNER_PATTERNS,
    VERB_PATTERNS,
    VERBS,
    Held,
    Model,
)

STEPS = 50_000
WRITER = {"writer": (Right(("file.write",), "*"),)}
REFUSED = (NotFound, Denied)


class StoppedClock(LoopClock):
    """Time passes in steps, so that two things happen at the very same time."""

    now_utc = 1_000_000.0

    def utc(self) -> float:
        return self.now_utc


async def room(agent: str, call: Any, work: Work) -> Any:
    """Tells as whom it was asked."""
    if isinstance(call, file.ReadFile | file.WriteFile):
        return file.FileInfo(path=agent, kind="file", bytes=0, version=1, sha256="", modified=0.0)
    if call.owner not in ("", agent):
        raise NotFound(f"no block {call.name!r} of agent {call.owner!r}")
    return memory.BlockData(agent.encode(), 0)


class Walk:
    """One kernel after another over one journal, and the model beside them."""

    def __init__(self, seed: int) -> None:
        self.rng = Random(seed)
        self.model = Model()
        self.journal = InlineJournal()
        self.clock = StoppedClock()
        self.policy = Policy(groups=WRITER)
        self.tokens: dict[str, str] = {}
        self.kernel: Kernel
        self.ids: list[str] = []  # of all capabilities there ever were
        self.done: dict[str, int] = {}

    async def boot(self) -> None:
        self.kernel = Kernel(
            [scripted()],
            lambda: make("rr"),
            rooms={file.ReadFile: room, file.WriteFile: room, memory.Read: room},
            environment=Environment(
                clock=self.clock, random=Random(self.rng.random()), journal=self.journal
            ),
            fence=Fence(policy=self.policy),
        )
        await self.kernel.__aenter__()
        if not self.tokens:
            for agent in AGENTS:
                above, _, name = agent.rpartition("/")
                by = self.tokens[above] if above else self.kernel.token
                self.tokens[agent] = (await self.kernel.call(by, Spawn(name=name))).token

    async def call(self, agent: str, call: Any) -> Any:
        token = self.kernel.token if agent == "init" else self.tokens[agent]
        return await self.kernel.call(token, call)

    async def tried(self, agent: str, call: Any, *, may: bool) -> Any:
        """The reply where there ought to be one; None where the call is refused, as it should."""
        reply, refusal = None, ""
        try:
            reply = await self.call(agent, call)
        except REFUSED as refused:
            refusal = str(refused)
        assert (reply is not None) == may, f"{agent}: {call}: {refusal or 'allowed'}"
        return reply

    async def run(self, steps: int) -> None:
        await self.boot()
        deeds = {
            self.act: 60, self.give: 4, self.hand_on: 12, self.revoke: 9, self.regroup: 4,
            self.wait: 6, self.look: 4, self.reload: 1,
        }  # fmt: skip
        chosen = self.rng.choices(list(deeds), list(deeds.values()), k=steps)
        for number, deed in enumerate(chosen, start=1):
            try:
                await deed()
            except AssertionError as wrong:
                raise AssertionError(f"step {number}, {deed.__name__}: {wrong}") from wrong
            if number % 5_000 == 0:
                await self.kernel.close()
                self.model.sweep()
                await self.boot()
        await self.kernel.close()

    async def act(self) -> None:
        pick = self.rng.choice
        agent, verb, owner, object = pick(AGENTS), pick(VERBS), pick(AGENTS), pick(OBJECTS)
        kind: Any = {
            "file.read": file.ReadFile, "memory.read": memory.Read, "file.write": file.WriteFile,
        }[verb]  # fmt: skip
        name = "name" if verb == "memory.read" else "path"
        more = {"data": b""} if verb == "file.write" else {}
        expected = self.model.allows(agent, verb, owner, object)
        call = kind(**{name: object}, owner=owner, **more)
        reply = await self.tried(agent, call, may=expected is not None)
        if reply is None:
            self.count("refused")
            return
        served = reply.data.decode() if verb == "memory.read" else reply.path
        assert served == owner
        self.count("allowed by a capability" if expected else "allowed by a group")
        if expected:
            self.model.use(expected)

    def wish(self, holder: str, giver: str, parent: str) -> tuple[Held, GrantRight]:
        pick = self.rng.choice
        patterns = (pick(VERB_PATTERNS), pick(OWNER_PATTERNS), pick(OBJECT_PATTERNS))
        if parent in self.model.held:  # Often a part of it, sometimes anything.
            of = self.model.held[parent].patterns
            verbs, owner, object = (
                pick((old, old, new)) for old, new in zip(of, patterns, strict=True)
            )
            patterns = (verbs, owner, object)
        lasts, uses = pick((None, None, 50.0, 500.0)), pick((None, None, 1, 3))
        delegable = self.rng.random() < 0.7
        verbs, owner, object = patterns
        call = GrantRight(
            to=holder, verbs=verbs, owner=owner, object=object, expires_s=lasts, uses=uses,
            delegable=delegable, of=parent,
        )  # fmt: skip
        held = Held(
            holder=holder, giver=giver, patterns=patterns,
            expires=None if lasts is None else self.model.now + lasts, uses=uses,
            delegable=delegable, parent=parent,
        )  # fmt: skip
        return held, call

    async def give(self) -> None:
        held, call = self.wish(self.rng.choice(AGENTS), "init", "")
        one = await self.call("init", call)
        self.model.held[one.id] = held
        self.ids.append(one.id)

    async def hand_on(self) -> None:
        gone, there = self.ids or ["cap-0"], list(self.model.held) or ["cap-0"]
        of = self.rng.choice(there if self.rng.random() < 0.9 else gone)
        agent = self.rng.choice(AGENTS)
        if of in self.model.held and self.rng.random() < 0.8:
            agent = self.model.held[of].holder
        held, call = self.wish(self.rng.choice(AGENTS), agent, of)
        may = self.model.may_derive(agent, of, held)
        one = await self.tried(agent, call, may=may)
        if one is None:
            return
        source = self.model.held[of]
        held.expires = source.expires if held.expires is None else held.expires
        held.uses = source.uses if held.uses is None else held.uses
        self.model.held[one.id] = held
        self.ids.append(one.id)
        self.count("handed on")

    async def revoke(self) -> None:
        gone, there = self.ids or ["cap-0"], list(self.model.held) or ["cap-0"]
        id = self.rng.choice(there if self.rng.random() < 0.9 else gone)
        agent = self.rng.choice(("init", "init", *AGENTS))
        known = self.model.held.get(id)
        may = known is not None and (
            agent == "init" or (agent == known.giver and self.model.manages(agent))
        )
        if await self.tried(agent, RevokeRight(id=id), may=may) is not None:
            self.model.revoke(id)
            self.count("revoked")

    async def regroup(self) -> None:
        by, agent = self.rng.choice((*AGENTS, "init")), self.rng.choice(AGENTS)
        group, remove = self.rng.choice(("reader", "writer", "agent")), self.rng.random() < 0.4
        below = agent.startswith(f"{by}/")
        may = by == "init" or (
            below and self.model.manages(by) and (remove or self.is_within(by, group))
        )
        call = AddPrivilege(agent=agent, group=group, remove=remove)
        if await self.tried(by, call, may=may) is None:
            return
        now = self.model.groups_of(agent)
        self.model.groups[agent] = now - {group} if remove else now | {group}
        for name in self.model.groups:
            if remove and name.startswith(f"{agent}/"):
                self.model.groups[name] = self.model.groups[name] - {group}

    def is_within(self, by: str, group: str) -> bool:
        """What is known of these three groups."""
        mine = self.model.groups_of(by)
        return group in mine or (group == "reader" and "agent" in mine)

    async def wait(self) -> None:
        by = self.rng.choice((1.0, 10.0, 100.0))
        self.clock.now_utc += by
        self.model.now += by

    async def look(self) -> None:
        agent = self.rng.choice(AGENTS)
        may = bool({"agent", "reader"} & self.model.groups_of(agent))
        found = await self.tried(agent, Rights(), may=may)
        if found is None:
            return
        good = {
            one.id: one.uses
            for one in found.capabilities
            if one.id in self.model.held and self.model.holds(one.id)
        }
        mine = {
            id: one.uses
            for id, one in self.model.held.items()
            if one.holder == agent and self.model.holds(id)
        }
        assert good == mine
        assert set(found.groups) == self.model.groups_of(agent)

    async def reload(self) -> None:
        pick = self.rng.choice
        self.model.denied = pick((None, (pick(VERBS), pick(OBJECTS))))
        lines: tuple[Line, ...] = ()
        if self.model.denied is not None:
            verb, object = self.model.denied
            lines = (Line("no", verbs=(verb,), object=object),)
        self.policy = Policy(groups=WRITER, deny=lines)
        self.kernel.guard.reload(self.policy)

    def count(self, what: str) -> None:
        self.done[what] = self.done.get(what, 0) + 1


@pytest.mark.timeout(120)
def test_fifty_thousand_steps_agree_with_the_model() -> None:
    assert "writer" not in BUILT_IN
    walk = Walk(seed=20_261_122)
    try:
        asyncio.run(walk.run(STEPS))
    except AiosError as stray:
        raise AssertionError(f"an error that no step expects: {stray}") from stray
    assert min(walk.done.values()) > 200, walk.done
    assert set(walk.done) == {
        "refused", "allowed by a capability", "allowed by a group", "handed on", "revoked",
    }  # fmt: skip
