"""The guard and its parts: a human's yes, budgets, labels and the audit, around real calls."""

import asyncio
from collections.abc import Coroutine
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from aios.access.base import Act
from aios.access.groups import Right
from aios.access.policy import OPEN, PERSONAL, Line, Policy
from aios.errors import Denied, NotFound
from aios.journal.base import Work
from aios.kernel.guard.base import Hold
from aios.kernel.guard.parts import Fence, Parts, Setting
from aios.kernel.process import Process
from aios.syscalls import (
    Completion,
    Decoding,
    Generate,
    Inspect,
    Kill,
    Pause,
    Resume,
    Spawn,
    Stream,
    Syscall,
    WhoAmI,
    file,
    memory,
    note,
)
from aios.syscalls.access import (
    AskPermission,
    CheckAccess,
    Decision,
    GrantRight,
    RevokeRight,
    Rights,
    Verdict,
)
from tests.kernel.guard.house import House, house

ASKS = Policy(ask=(Line("deletions", verbs=("file.delete",)),))


class Learner:
    """A call whose reply the labels learn, if there is one."""

    def __init__(self, verb: str, learned: list[tuple[str, object]]) -> None:
        self._verb = verb
        self._learned = learned

    def settle(self, outcome: object) -> None:
        if not isinstance(outcome, BaseException):
            self._learned.append((self._verb, outcome))


class Desk:
    """All parts of a guard, by hand: what they were asked, and what they answer."""

    def __init__(self) -> None:
        self.noted: list[tuple[str, str, str]] = []
        self.settled: list[object] = []
        self.learned: list[tuple[str, object]] = []
        self.refuses: set[str] = set()  # verbs that the labels stand against
        self.consented: list[object] = []  # what became of calls that had a yes
        self.begun: list[str] = []
        self.limits: set[str] = set()  # verbs for which there is a budget
        self.empty = False  # whether that is used up
        self.setting: Setting

    def fit(self, setting: Setting) -> Parts:
        self.setting = setting
        return Parts(flow=self, asker=self, ledger=self, witness=self)

    def judge(self, process: Process, act: Act, call: Syscall[Any]) -> Verdict | None:
        if act.verb not in self.refuses:
            return None
        return Verdict(decision=Decision.DENY, rule="labels", reason="it heard from a stranger")

    def marks(self, process: Process) -> tuple[str, ...]:
        return ()

    def begin(self, process: Process, act: Act, call: Syscall[Any], work: Work) -> "Learner":
        return Learner(act.verb, self.learned)

    def hears(self, process: Process, call: Syscall[Any], reply: object) -> None:
        return

    async def ask(
        self, process: Process, act: Act, call: Syscall[Any], verdict: Verdict, work: Work
    ) -> "Yes":
        await self.setting.waits.wait(("approval", 1), process.pid, None)
        return Yes(self.consented)

    def answer(self, *, yes: bool) -> None:
        if yes:
            self.setting.waits.wake(("approval", 1))
        else:
            self.setting.waits.fail_key(("approval", 1), Denied("a human said no"))

    def hold(self, process: Process, act: Act, call: Syscall[Any]) -> Any:
        if act.verb not in self.limits:
            return None
        return self._topped_up(process) if self.empty else self

    async def _topped_up(self, process: Process) -> Hold:
        await self.setting.waits.wait(("budget", 1), process.pid, None)
        return self

    def bind(self, work: Work) -> None:
        """What it holds is told when the call has ended."""

    def settle(self, reply: object) -> None:
        self.settled.append(reply)

    def note(self, process: Process, act: Act, call: Syscall[Any], verdict: Verdict) -> None:
        self.noted.append((act.verb, verdict.decision.value, verdict.rule))

    def begins(self, act: Act, work: Work) -> None:
        self.begun.append(act.verb)


class Yes:
    """A consent, by hand."""

    def __init__(self, settled: list[object]) -> None:
        self._settled = settled

    def settle(self, reply: object) -> None:
        self._settled.append(reply)


def lived(main: Coroutine[Any, Any, None]) -> None:
    asyncio.run(main)


async def waiting(home: House, pid: int) -> str:
    """What a process waits for, once it does."""
    async with asyncio.timeout(5):
        while not (found := (await home.first(Inspect(pid=pid))).waiting_for):  # noqa: ASYNC110 - the call is another task's
            await asyncio.sleep(0)
        return str(found)


def test_nothing_is_done_before_the_yes_and_the_wait_is_shown(tmp_path: Path) -> None:
    async def main() -> None:
        desk = Desk()
        async with house(tmp_path, Fence(policy=ASKS, fittings=(desk.fit,))) as home:
            agent = await home.spawn("ada")
            await home.kernel.call(agent.token, file.Create(path="x"))
            call = home.kernel.call(agent.token, file.Delete(path="x"))
            task = asyncio.ensure_future(call)
            assert await waiting(home, agent.pid) == "approval 1"
            assert (await home.kernel.call(agent.token, file.Stat(path="x"))).path == "x"
            desk.answer(yes=True)
            done = await task
            assert desk.consented == [done]
            assert desk.begun[-1] == "file.delete"
            with pytest.raises(NotFound):
                await home.kernel.call(agent.token, file.Stat(path="x"))
            told = [one for one in desk.noted if one[0] == "file.delete"]
            rule = "ask line 'deletions'"
            assert told == [("file.delete", "ask", rule), ("file.delete", "allow", f"{rule}: yes")]

    lived(main())


def test_a_no_is_an_error_and_stands_in_the_audit(tmp_path: Path) -> None:
    async def main() -> None:
        desk = Desk()
        async with house(tmp_path, Fence(policy=ASKS, fittings=(desk.fit,))) as home:
            agent = await home.spawn("ada")
            await home.kernel.call(agent.token, file.Create(path="x"))
            task = asyncio.ensure_future(home.kernel.call(agent.token, file.Delete(path="x")))
            await waiting(home, agent.pid)
            desk.answer(yes=False)
            with pytest.raises(Denied, match="said no"):
                await task
            assert (await home.kernel.call(agent.token, file.Stat(path="x"))).path == "x"
            assert [one[1] for one in desk.noted if one[0] == "file.delete"] == ["ask", "deny"]

    lived(main())


def test_where_nobody_can_be_asked_the_answer_is_no(tmp_path: Path) -> None:
    async def main() -> None:
        async with house(tmp_path, Fence(policy=PERSONAL)) as home:
            agent = await home.spawn("ada")
            await home.kernel.call(agent.token, file.Create(path="x"))
            with pytest.raises(Denied, match="nobody here can be asked"):
                await home.kernel.call(agent.token, file.Delete(path="x"))
            steps = (file.Delete(path="x"), file.Create(path="y"))
            with pytest.raises(Denied, match="nobody here can be asked"):
                await home.kernel.call(agent.token, file.Transaction(steps=steps))
            await home.kernel.call(agent.token, memory.Write(name="mine", data=b"often"))

    lived(main())


def test_a_call_that_waited_is_judged_again(tmp_path: Path) -> None:
    async def main() -> None:
        desk = Desk()
        async with house(tmp_path, Fence(policy=ASKS, fittings=(desk.fit,))) as home:
            owner, agent = await home.spawn("owner"), await home.spawn("ada")
            await home.kernel.call(owner.token, file.Create(path="x"))
            right = GrantRight(to="ada", verbs="file.*", owner="owner")
            one = await home.first(right)
            delete = file.Delete(path="x", owner="owner")
            task = asyncio.ensure_future(home.kernel.call(agent.token, delete))
            await waiting(home, agent.pid)
            await home.first(RevokeRight(id=one.id))
            desk.answer(yes=True)
            with pytest.raises(NotFound, match="no file or folder 'x'"):
                await task
            assert (await home.kernel.call(owner.token, file.Stat(path="x"))).path == "x"

    lived(main())


def test_a_process_that_is_paused_meanwhile_acts_when_it_is_resumed(tmp_path: Path) -> None:
    async def main() -> None:
        desk = Desk()
        async with house(tmp_path, Fence(policy=ASKS, fittings=(desk.fit,))) as home:
            agent = await home.spawn("ada")
            await home.kernel.call(agent.token, file.Create(path="x"))
            task = asyncio.ensure_future(home.kernel.call(agent.token, file.Delete(path="x")))
            await waiting(home, agent.pid)
            await home.first(Pause(pid=agent.pid))
            desk.answer(yes=True)
            assert await waiting(home, agent.pid) == f"resume of {agent.pid}"
            assert not task.done()
            await home.first(Resume(pid=agent.pid))
            assert (await task).path == "x"

    lived(main())


def test_a_right_is_asked_for_and_is_there_after_the_yes(tmp_path: Path) -> None:
    async def main() -> None:
        desk = Desk()
        async with house(tmp_path, Fence(fittings=(desk.fit,))) as home:
            owner, agent = await home.spawn("owner"), await home.spawn("ada")
            await home.kernel.call(owner.token, file.Create(path="x", data=b"hi"))
            wish = AskPermission(verbs="file.read", owner="owner", object="x", uses=1)
            task = asyncio.ensure_future(home.kernel.call(agent.token, wish))
            await waiting(home, agent.pid)
            assert (await home.kernel.call(agent.token, Rights())).capabilities == ()
            desk.answer(yes=True)
            one = await task
            assert (one.holder, one.verbs, one.uses) == ("ada", "file.read", 1)
            read = file.ReadFile(path="x", owner="owner")
            assert (await home.kernel.call(agent.token, read)).data == b"hi"

    lived(main())


def test_a_remembered_answer_is_not_judged_again_and_a_new_call_is(tmp_path: Path) -> None:
    async def main() -> None:
        async with house(tmp_path) as home:
            agent = await home.spawn("ada")
            call = file.Create(path="x")
            first = await home.kernel.call(agent.token, call, key="k")
            nothing = Policy(deny=(Line("no files", verbs=("file.*",)),))
            home.kernel.guard.reload(nothing)
            assert await home.kernel.call(agent.token, call, key="k") == first
            with pytest.raises(Denied, match="the policy denies"):
                await home.kernel.call(agent.token, file.Create(path="y"), key="other")
            home.kernel.guard.reload(OPEN)
            await home.kernel.call(agent.token, file.Create(path="y"))

    lived(main())


def test_a_hold_is_settled_with_what_the_call_came_to(tmp_path: Path) -> None:
    async def main() -> None:
        desk = Desk()
        desk.limits = {"file.create"}
        async with house(tmp_path, Fence(fittings=(desk.fit,))) as home:
            agent = await home.spawn("ada")
            made = await home.kernel.call(agent.token, file.Create(path="x"))
            with pytest.raises(Exception, match="x") as failed:
                await home.kernel.call(agent.token, file.Create(path="x"))
            assert desk.settled == [made, failed.value]
            desk.empty = True
            task = asyncio.ensure_future(home.kernel.call(agent.token, file.Create(path="y")))
            assert await waiting(home, agent.pid) == "budget 1"
            desk.setting.waits.wake(("budget", 1))
            assert (await task).path == "y"
            assert len(desk.settled) == 3

    lived(main())


def test_a_hold_is_given_back_where_the_right_went_meanwhile(tmp_path: Path) -> None:
    async def main() -> None:
        desk = Desk()
        desk.limits, desk.empty = {"file.create"}, True
        async with house(tmp_path, Fence(fittings=(desk.fit,))) as home:
            agent = await home.spawn("ada")
            task = asyncio.ensure_future(home.kernel.call(agent.token, file.Create(path="x")))
            await waiting(home, agent.pid)
            home.kernel.guard.reload(Policy(deny=(Line("no", verbs=("file.create",)),)))
            desk.setting.waits.wake(("budget", 1))
            with pytest.raises(Denied):
                await task
            assert [type(one) for one in desk.settled] == [Denied]

    lived(main())


def test_labels_may_refuse_and_learn_every_reply_of_a_stream_too(tmp_path: Path) -> None:
    async def main() -> None:
        desk = Desk()
        desk.refuses = {"file.create"}
        fence = Fence(policy=Policy(labels="enforce"), fittings=(desk.fit,))
        async with house(tmp_path, fence) as home:
            agent = await home.spawn("ada")
            with pytest.raises(Denied, match="heard from a stranger"):
                await home.kernel.call(agent.token, file.Create(path="x"))
            await home.kernel.call(agent.token, WhoAmI())
            asked = Stream(generate=Generate(prompt="x", decoding=Decoding(max_tokens=3)))
            async with aclosing(home.kernel.stream(agent.token, asked)) as items:  # type: ignore[type-var]
                last = [item async for item in items][-1]
            mine = [one for one in desk.learned if one[0] != "process.spawn"]
            assert [verb for verb, _ in mine] == ["process.whoami", "llm.stream"]
            assert isinstance(last, Completion)
            assert mine[-1][1] == last
            assert ("file.create", "deny", "labels") in desk.noted

    lived(main())


def test_a_stream_is_judged_as_any_call(tmp_path: Path) -> None:
    async def main() -> None:
        policy = Policy(deny=(Line("quiet", verbs=("llm.*",), object="grand*"),))
        async with house(tmp_path, Fence(policy=policy)) as home:
            agent = await home.spawn("ada")
            asked = Stream(generate=Generate(prompt="x", model="grand"))
            with pytest.raises(Denied, match="'quiet'"):
                await anext(home.kernel.stream(agent.token, asked))

    lived(main())


def test_a_use_is_used_up_by_what_was_done_and_by_nothing_else(tmp_path: Path) -> None:
    async def main() -> None:
        async with house(tmp_path) as home:
            owner, agent = await home.spawn("owner"), await home.spawn("ada")
            await home.kernel.call(owner.token, file.Create(path="x"))
            await home.first(GrantRight(to="ada", verbs="file.read", owner="owner", uses=1))
            with pytest.raises(NotFound):
                await home.kernel.call(agent.token, file.ReadFile(path="no", owner="owner"))
            reads = [
                home.kernel.call(agent.token, file.ReadFile(path="x", owner="owner"))
                for _ in range(5)
            ]
            ends = await asyncio.gather(*reads, return_exceptions=True)
            assert sorted(type(end).__name__ for end in ends) == ["FileData"] + ["NotFound"] * 4
            (left,) = (await home.kernel.call(agent.token, Rights())).capabilities
            assert left.uses == 0

    lived(main())


def test_a_child_has_no_more_than_its_parent(tmp_path: Path) -> None:
    async def main() -> None:
        policy = Policy(groups={"mailers": (Right(("process.kill",), "*"),)})
        async with house(tmp_path, Fence(policy=policy)) as home:
            parent = await home.spawn("boss", groups=("agent",))
            with pytest.raises(Denied, match="has more than agent 'boss' has itself"):
                await home.kernel.call(parent.token, Spawn(name="x", groups=("mailers",)))
            looks = await home.kernel.call(parent.token, Spawn(name="looks", groups=("reader",)))
            with pytest.raises(Denied):
                await home.kernel.call(looks.token, file.Create(path="x"))
            with pytest.raises(Denied):
                await home.kernel.call(looks.token, Spawn(name="own"))
            same = await home.kernel.call(parent.token, Spawn(name="same"))
            await home.kernel.call(same.token, file.Create(path="x", data=b"hi"))
            read = file.ReadFile(path="x", owner="boss/same")
            assert (await home.kernel.call(parent.token, read)).data == b"hi"

    lived(main())


def test_only_the_first_process_mounts_unless_it_gives_the_right(tmp_path: Path) -> None:
    async def main() -> None:
        docs = tmp_path / "docs"
        docs.mkdir()
        (docs / "a.txt").write_bytes(b"alpha")
        async with house(tmp_path / "home") as home:
            agent = await home.spawn("ada")
            mount = file.Mount(name="docs", folder=str(docs))
            with pytest.raises(Denied, match="no right of agent 'ada'"):
                await home.kernel.call(agent.token, mount)
            await home.first(file.Mount(name="docs", folder=str(docs), agent="ada"))
            read = file.ReadFile(path="docs/a.txt")
            assert (await home.kernel.call(agent.token, read)).data == b"alpha"
            with pytest.raises(Denied):
                await home.kernel.call(agent.token, file.Unmount(name="docs"))

    lived(main())


def test_an_agent_that_is_called_init_is_not_the_first_process(tmp_path: Path) -> None:
    async def main() -> None:
        async with house(tmp_path) as home:
            owner = await home.spawn("owner")
            impostor = Process(
                pid=99, parent=1, name="init", agent="init", token="t", priority=0, program=None,
                born=0.0,
            )  # fmt: skip
            home.kernel.table.restore(impostor)
            home.kernel.table.settle(99)
            for call in (Kill(pid=owner.pid), file.Stat(path="x", owner="owner")):
                with pytest.raises(NotFound):
                    await home.kernel.call("t", call)
            with pytest.raises(Denied):
                await home.kernel.call("t", GrantRight(to="init", verbs="*", owner="*"))

    lived(main())


def test_a_right_on_an_agent_s_notes_is_no_right_on_those_shared_with_it(tmp_path: Path) -> None:
    async def main() -> None:
        async with house(tmp_path) as home:
            friend, owner = await home.spawn("friend"), await home.spawn("owner")
            agent = await home.spawn("ada")
            mine = await home.kernel.call(owner.token, note.Add(text="mine"))
            theirs = await home.kernel.call(friend.token, note.Add(text="theirs"))
            share = note.ShareNote(id=theirs.id, agent="owner")
            await home.kernel.call(friend.token, share)
            await home.first(GrantRight(to="ada", verbs="note.get", owner="owner"))
            found = await home.kernel.call(agent.token, note.Get(id=mine.id, owner="owner"))
            assert found.text == "mine"
            with pytest.raises(NotFound):
                await home.kernel.call(agent.token, note.Get(id=theirs.id, owner="owner"))

    lived(main())


def test_check_says_why_and_what_would_help_and_does_nothing(tmp_path: Path) -> None:
    async def main() -> None:
        policy = Policy(groups={"librarians": (Right(("file.read",), "library"),)})
        async with house(tmp_path, Fence(policy=policy)) as home:
            agent = await home.spawn("ada")
            ask = CheckAccess(verb="file.read", object="x", owner="library")
            told = await home.kernel.call(agent.token, ask)
            assert (told.decision, told.rule) == (Decision.DENY, "default")
            assert "(groups: agent)" in told.reason
            assert "verbs 'file.read', owner 'library', object 'x'" in told.remedy
            assert "one of the groups librarians" in told.remedy
            one = await home.first(GrantRight(to="ada", verbs="file.read", owner="library", uses=1))
            told = await home.kernel.call(agent.token, ask)
            assert (told.decision, told.rule) == (Decision.ALLOW, f"capability {one.id}")
            (left,) = (await home.kernel.call(agent.token, Rights())).capabilities
            assert left.uses == 1

    lived(main())
