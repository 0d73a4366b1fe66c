"""The authority matrix: every syscall, on every kind of object, with every kind of credential.

Generated from the table of syscalls. What is entitled is said here once more, in a few lines that
know nothing of the guard; whoever is not entitled gets no reply, and the same words whether the
thing is there, was never there, or is there no more.
"""

import asyncio
import re
from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from aios.access.acts import ACTS
from aios.access.groups import Right
from aios.access.policy import Members, Policy
from aios.errors import AiosError, Denied, NotFound
from aios.kernel.guard.accounts import Accounts
from aios.kernel.guard.flow_calls import Labels
from aios.kernel.guard.parts import Fence
from aios.kernel.tools.servers import ToolServers
from aios.sdk import tool
from aios.syscalls import Decoding, Generate, Kill, Spawn, file, history, memory, note
from aios.syscalls.access import GrantRight, PlannedAct, RevokeRight
from aios.syscalls.budget import Resource, SetBudget
from aios.syscalls.llm import Message
from aios.syscalls.table import SYSCALLS
from aios.syscalls.tool import CallTool
from aios.tools.functions import Functions
from tests.kernel.guard.house import House, house

SITUATIONS = ("own", "other", "group", "unknown", "deleted")
CREDENTIALS = ("no", "wrong", "expired", "used up", "attenuated", "another's", "good", "narrow")
GOOD = {"good", "narrow"}  # Only these two are a right to the very act.
CLERK = (
    "file.read", "file.stat", "memory.read", "history.read", "note.get", "process.inspect",
    "access.list",
)  # fmt: skip
POLICY = Policy(
    groups={"clerks": (Right(CLERK, "archive"),)},
    agents=(Members(("c[0-9]*",), ("agent", "clerks")),),
)
FIRST_ONLY = {"file.mount", "file.unmount"}
NEVER = {"access.ask", "access.grant"}  # A human's to give, and of what one has.
BY_RIGHT_ONLY = {"access.endorse", "budget.set", "budget.top_up"}  # also on what is one's own
TOOLS_TO_HAVE = {
    "program.start",
    "tool.show",
    "tool.accept",
    "tool.add",
    "tool.remove",
    "model.add",
    "model.remove",
}  # The operator's to say.
# Of no single agent: whoever has the right has it as its own.
IN_HUMANS_PLACE = {
    "approval.list",
    "approval.answer",
    "audit.list",
    "audit.verify",
    "scheduler.show",
    "scheduler.set_policy",
}
OPEN_TO_ALL = {"process.send"}
NAMES_OTHERS = [name for name, kind in SYSCALLS.items() if ACTS[kind].owner or ACTS[kind].by_pid]
OWN = {"access.label", "file.restore", "file.revoke", "file.search", "access.revoke", "llm.cancel"}
NOT_THERE = {
    "llm.cancel",
    "file.mount",
    "file.unmount",
    "approval.answer",
    *TOOLS_TO_HAVE,
}  # No cell makes what these name.
FAMILIES = sorted({name.partition(".")[0] for name in SYSCALLS})


@tool(inline=True)
def look() -> str:
    """Look."""
    return "seen"


@dataclass(frozen=True, kw_only=True)
class Thing:
    """An object of some agent."""

    owner: str
    name: str
    other: str = ""  # a second one of the same owner, where a call names two


def is_entitled(verb: str, situation: str, credential: str) -> bool:
    """The whole rule."""
    if verb in FIRST_ONLY | BY_RIGHT_ONLY:
        return credential in GOOD
    if verb in IN_HUMANS_PLACE | TOOLS_TO_HAVE:
        return credential in GOOD and situation == "own"
    if verb in NEVER:
        return False
    if verb not in NAMES_OTHERS:
        return verb not in OWN or situation == "own"
    if situation == "own" or verb in OPEN_TO_ALL:
        return True
    return credential in GOOD or (situation == "group" and verb in CLERK)


class Stage:
    """Makes the things and the credentials of one cell after another."""

    def __init__(self, home: House) -> None:
        self.home = home
        self.tokens: dict[str, str] = {}
        self.pids: dict[str, int] = {}
        self.cells = 0

    async def call(self, agent: str, call: Any) -> Any:
        if agent not in self.tokens:
            above, _, name = agent.rpartition("/")
            by = self.tokens[above] if above else self.home.kernel.token
            spawned = await self.home.kernel.call(by, Spawn(name=name))
            self.tokens[agent], self.pids[agent] = spawned.token, spawned.pid
        return await self.home.kernel.call(self.tokens[agent], call)

    async def thing(self, verb: str, situation: str, caller: str) -> Thing:
        """Something of the family's kind: there, never there, or gone."""
        owner = {"own": caller, "group": "archive"}.get(situation, "other")
        make = MAKERS[verb.partition(".")[0]]
        return await make(self, verb, owner, situation)

    async def credential(self, kind: str, verb: str, thing: Thing, caller: str) -> None:
        """What the caller holds, or does not."""
        verbs = f"{verb.partition('.')[0]}.*" if ACTS[SYSCALLS[verb]].parts else verb
        right: dict[str, Any] = {"verbs": verbs, "owner": thing.owner, "object": "*"}
        if kind == "wrong":
            for wrong in ({"verbs": "llm.models"}, {"owner": "nobody"}, {"object": "elsewhere"}):
                await self.home.first(GrantRight(to=caller, **(right | wrong)))
        elif kind == "expired":
            await self.home.first(GrantRight(to=caller, expires_s=1.0, **right))
            self.home.clock.later_s += 2.0
        elif kind == "used up":
            one = await self.home.first(GrantRight(to=caller, uses=1, **right))
            grants = self.home.kernel.guard.grants
            grants.set_aside([one.id])
            grants.use_up([one.id])
        elif kind == "another's":
            one = await self.home.first(GrantRight(to="third", delegable=True, **right))
            with pytest.raises(NotFound):
                await self.call(caller, GrantRight(to=caller, of=one.id, **right))
        elif kind in {"attenuated", "narrow"}:
            await self.call("third", memory.Blocks())
            wide = right | {"verbs": "*"}
            one = await self.home.first(GrantRight(to="third", delegable=True, **wide))
            part = right | {"object": "elsewhere/*"} if kind == "attenuated" else right
            await self.call("third", GrantRight(to=caller, of=one.id, **part))
        elif kind == "good":
            await self.home.first(GrantRight(to=caller, **right))

    async def outcome(self, caller: str, call: Any) -> tuple[str, str]:
        try:
            await self.call(caller, call)
        except (NotFound, Denied) as refused:
            return "refused", f"{refused.code}: {refused}"
        except AiosError as error:
            return "reached", str(error)
        return "reached", ""


async def a_file(stage: Stage, verb: str, owner: str, situation: str) -> Thing:
    name = f"f{stage.cells}"
    if verb == "file.mount" or situation == "unknown":
        return Thing(owner=owner, name=name)
    await stage.call(owner, file.Create(path=name, data=b"alpha"))
    if verb in {"file.revoke", "file.open_link"}:
        link = await stage.call(owner, file.ShareFile(path=name))
        if situation == "deleted":
            await stage.call(owner, file.Revoke(token=link.token))
        return Thing(owner=owner, name=link.token)
    if verb == "file.restore":
        gone = await stage.call(owner, file.Delete(path=name))
        if situation == "deleted":
            await stage.call(owner, file.Restore(id=gone.id))
        return Thing(owner=owner, name=gone.id)
    if situation == "deleted":
        await stage.call(owner, file.Delete(path=name))
    return Thing(owner=owner, name=name)


async def a_block(stage: Stage, verb: str, owner: str, situation: str) -> Thing:
    thing = Thing(owner=owner, name=f"b{stage.cells}")
    if situation != "unknown":
        await stage.call(owner, memory.Write(name=thing.name, data=b"alpha"))
    if situation == "deleted":
        await stage.call(owner, memory.Free(name=thing.name))
    return thing


async def a_history(stage: Stage, verb: str, owner: str, situation: str) -> Thing:
    thing = Thing(owner=owner, name=f"h{stage.cells}")
    if situation != "unknown":
        said = (Message("user", "alpha"),)
        await stage.call(owner, history.Extend(name=thing.name, messages=said))
    if situation == "deleted":
        await stage.call(owner, history.Drop(name=thing.name))
    return thing


async def a_note(stage: Stage, verb: str, owner: str, situation: str) -> Thing:
    if situation == "unknown":
        return Thing(owner=owner, name="note-no", other="note-none")
    one = await stage.call(owner, note.Add(text="alpha"))
    two = await stage.call(owner, note.Add(text="beta"))
    if situation == "deleted":
        await stage.call(owner, note.Remove(id=one.id))
    return Thing(owner=owner, name=one.id, other=two.id)


async def a_process(stage: Stage, verb: str, owner: str, situation: str) -> Thing:
    if situation == "unknown":
        return Thing(owner=owner, name=str(1_000_000 + stage.cells))
    by = stage.tokens[owner] if situation == "own" else stage.home.kernel.token
    name = f"kid{stage.cells}" if situation == "own" else owner
    spawned = await stage.home.kernel.call(by, Spawn(name=name))
    if situation == "deleted":
        await stage.home.first(Kill(pid=spawned.pid))
    return Thing(owner=owner, name=str(spawned.pid))


async def an_agent(stage: Stage, verb: str, owner: str, situation: str) -> Thing:
    if verb in {"access.label", "access.endorse"}:
        return await a_process(stage, verb, owner, situation)
    if verb == "access.revoke":
        return await _a_capability(stage, owner, situation)
    if situation == "unknown":
        return Thing(owner=f"nobody{stage.cells}", name="agent")
    if situation == "deleted":
        return Thing(owner="gone", name="agent")
    kid = f"{owner}/kid" if situation == "own" else owner
    return Thing(owner=kid, name="agent")


async def _a_capability(stage: Stage, owner: str, situation: str) -> Thing:
    if situation == "unknown":
        return Thing(owner=owner, name=f"cap-{stage.cells}")
    await stage.call(owner, memory.Blocks())
    wide = GrantRight(to=owner, verbs="llm.*", owner=owner, delegable=True)
    of = (await stage.home.first(wide)).id
    one = await stage.call(owner, GrantRight(to="somebody", verbs="llm.*", owner=owner, of=of))
    if situation == "deleted":
        await stage.call(owner, RevokeRight(id=one.id))
    return Thing(owner=owner, name=one.id)


async def an_account(stage: Stage, verb: str, owner: str, situation: str) -> Thing:
    if situation == "unknown":
        return Thing(owner=f"nobody{stage.cells}", name="account")
    if situation == "deleted":
        return Thing(owner="gone", name="account")
    await stage.home.first(SetBudget(account=owner, resource=Resource.CALLS, limit=None))
    return Thing(owner=owner, name="account")


async def a_question(stage: Stage, verb: str, owner: str, situation: str) -> Thing:
    return Thing(owner=owner, name="question")


async def nothing(stage: Stage, verb: str, owner: str, situation: str) -> Thing:
    return Thing(owner=owner, name="pocket")


async def a_tool(stage: Stage, verb: str, owner: str, situation: str) -> Thing:
    if verb in {"tool.add", "tool.remove"}:
        return Thing(owner=owner, name="server")
    is_there = situation in {"own", "other", "group"}
    return Thing(owner=owner, name="local/look" if is_there else f"local/no{stage.cells}")


MAKERS: dict[str, Callable[[Stage, str, str, str], Awaitable[Thing]]] = {
    "access": an_agent,
    "approval": a_question,
    "audit": nothing,
    "budget": an_account,
    "file": a_file,
    "history": a_history,
    "kernel": nothing,
    "llm": nothing,
    "model": nothing,
    "memory": a_block,
    "note": a_note,
    "program": a_process,
    "process": a_process,
    "scheduler": nothing,
    "tool": a_tool,
}
ASKED = Generate(prompt="x", decoding=Decoding(max_tokens=1))
VALUES: dict[str, Any] = {
    "file.edit old": "alpha", "file.edit new": "beta", "file.diff old": 1,
    "file.rollback version": 1,
    "history.extend messages": (Message("user", "beta"),), "history.rollback at": 0,
    "history.assemble budget_tokens": 100, "llm.stream generate": ASKED, "llm.generate prompt": "x",
    "llm.generate decoding": ASKED.decoding, "llm.tokenize text": "x", "process.wait timeout_s": 0,
    "process.receive timeout_s": 0, "file.mount folder": "/nowhere", "access.grant to": "somebody",
    "access.grant verbs": "*", "access.ask verbs": "*", "access.check verb": "file.read",
    "llm.embed texts": ("x",), "tool.accept pin": "0" * 64, "approval.answer id": 1,
    "approval.answer digest": "0" * 64,
    "access.plan acts": (PlannedAct(verb="file.read"),), "approval.answer yes": True,
    "approval.ask question": "x", "approval.list id": None,
    "budget.set resource": Resource.CALLS, "budget.top_up resource": Resource.CALLS,
    "budget.set limit": None, "budget.top_up amount": 1.0, "audit.list agent": "",
    "process.spawn name": "kid", "model.add source": "pocket",
    "note.share agent": "third", "memory.share agent": "third",
    "scheduler.set_policy policy": "rr",
    "program.start argv": ("true",), "program.start folder": "/", "program.log wait_s": 0,
}  # fmt: skip
DATA: dict[str, Any] = {
    "data": b"beta", "text": "beta", "query": "alpha", "group": "reader", "tool": "t",
    "arguments": "{}", "attempt": 0, "result": "", "body": "hello", "folder": "/nowhere",
}  # fmt: skip


PARTS: dict[str, Callable[[str], Any]] = {
    "steps": lambda name: file.AppendFile(path=name, data=b"!"),
    "calls": lambda name: CallTool(name=name),
}


def call_of(verb: str, thing: Thing, caller: str) -> Any:
    """The call of a cell, its fields filled by name."""
    kind, row = SYSCALLS[verb], ACTS[SYSCALLS[verb]]
    fields: dict[str, Any] = {}
    for field in kind.__struct_fields__:
        if f"{verb} {field}" in VALUES:
            fields[field] = VALUES[f"{verb} {field}"]
        elif field in {"path", "name", "id", "token", "call_id"}:
            fields[field] = thing.name
        elif field == "pid":
            fields[field] = int(thing.name)
        elif field == "to":
            fields[field] = thing.other or f"{thing.name}-to"
        elif row.parts is not None and field in PARTS:
            fields[field] = (PARTS[field](thing.name),)
        elif field == "account":
            fields[field] = thing.owner
        elif field in {"owner", "agent"} and row.owner is not None:
            fields[field] = "" if thing.owner == caller else thing.owner
        elif field in DATA:
            fields[field] = DATA[field]
    return kind(**fields)


async def cells_of(stage: Stage, verb: str) -> tuple[list[str], int]:
    """What is wrong in one row of the matrix, and how many cells it has."""
    wrong: list[str] = []
    told: dict[str, set[str]] = defaultdict(set)
    for credential in CREDENTIALS:
        for situation in SITUATIONS:
            stage.cells += 1
            caller = f"c{stage.cells}"
            await stage.call(caller, memory.Blocks())
            thing = await stage.thing(verb, situation, caller)
            await stage.credential(credential, verb, thing, caller)
            end, words = await stage.outcome(caller, call_of(verb, thing, caller))
            entitled = is_entitled(verb, situation, credential)
            cell = f"{verb}, {situation}, {credential}"
            if end == "reached" and not entitled:
                wrong.append(f"{cell}: wrong allow")
            is_there = situation in {"own", "other", "group"} and verb not in NOT_THERE
            if end == "refused" and entitled and is_there:
                wrong.append(f"{cell}: wrongly refused: {words}")
            if end == "refused" and not entitled and situation != "own":
                words = words.replace(repr(thing.name)[1:-1], "IT").replace(thing.owner, "ITS")
                words = re.sub("cap-[0-9a-f]{24}", "CAP", words)
                words = words.replace(f"process {stage.pids[caller]} ", "CALLER ")
                told[credential].add(words.replace(caller, "CALLER"))
    wrong += [f"{verb}, {kind}: tells {words}" for kind, words in told.items() if len(words) > 1]
    return wrong, len(CREDENTIALS) * len(SITUATIONS)


@pytest.mark.parametrize("family", FAMILIES)
def test_nobody_does_or_learns_what_it_has_no_right_to(family: str, tmp_path: Path) -> None:
    async def main() -> None:
        wrong: list[str] = []
        fence = Fence(policy=POLICY, fittings=(Accounts(), Labels()))
        async with house(tmp_path, fence, ToolServers(own=[Functions([look])])) as home:
            stage = Stage(home)
            for agent in ("other", "archive", "third"):
                await stage.call(agent, memory.Blocks())
            for verb in (name for name in SYSCALLS if name.partition(".")[0] == family):
                wrong += (await cells_of(stage, verb))[0]
        assert not wrong, "\n".join(wrong)

    asyncio.run(main())


def test_the_matrix_has_two_thousand_cells_and_more() -> None:
    assert len(SYSCALLS) * len(SITUATIONS) * len(CREDENTIALS) >= 2_000
    assert {name.partition(".")[0] for name in SYSCALLS} == set(MAKERS)
