"""Tasks under way: each is a process below its client's, which asks the agent in the client's name.

An agent that the kernel hosts as a program is run once for each task. Any other gets the message
in its mailbox, and answers whom it came from: with a text, or with {"text", "state", "data"} where
it is not done yet ("working"), wants to know more ("input-required") or gives up ("failed").
"""

import asyncio
from typing import Any

from aios.errors import AiosError, Cancelled, NotFound
from aios.kernel import Kernel
from aios.server.a2a.task import State, Task, Update
from aios.server.auth import Identities
from aios.server.rpc import Body, Problem
from aios.server.shares import Shares
from aios.syscalls import Exit, Kill, Pid, ProcessState, Receive, Send, Spawn, Wait

TASKS_MAX = 10_000
OF_ONE_MAX = 1_000  # of one process tree
NO_TASK, NOT_CANCELABLE, UNSUPPORTED = -32001, -32002, -32004
SAID: frozenset[State] = frozenset({"working", "input-required", "completed", "failed"})
WORDS = frozenset({"text", "state", "data"})  # an object with none of them is itself the answer


class Tasks:
    """Of all clients; each sees its own only."""

    def __init__(self, kernel: Kernel, identities: Identities) -> None:
        self._kernel = kernel
        self._identities = identities
        self._tasks: Shares[tuple[Pid, str], Task] = Shares(most=TASKS_MAX, of_one=OF_ONE_MAX)

    async def begin(self, token: str, agent: str, context: str, body: Body) -> Task:
        """Give an agent work. Raises what the kernel says of it."""
        kernel = self._kernel
        id = f"{kernel.environment.random.getrandbits(96):024x}"
        first = Update("submitted", kernel.clock.utc())
        task = Task(id=id, context=context or id, agent=agent, updates=[first])
        if agent in kernel.host.programs:
            argument = body if "data" in body else body["text"]
            run = await kernel.call(token, Spawn(name=agent, program=agent, argument=argument))
            work = self._run(token, task, run.pid)
        else:
            task.target = self._speaker(agent)
            task.token = (await kernel.call(token, Spawn(name=f"a2a-{id}"))).token
            try:
                await self._tell(task, body)
            except BaseException:  # Nobody hears of this task: its process must not stay.
                await self._leave(task)
                raise
            work = self._heard(task)
        owner = self._identities.whose(token)
        gone = self._tasks.keep(owner.tree, (owner.pid, id), task)
        if gone is not None and gone.work is not None:
            gone.work.cancel()
        task.work = asyncio.ensure_future(self._ended(task, work))
        return task

    async def go_on(self, token: str, id: str, body: Body) -> Task:
        """Tell the agent more, where it waits for that."""
        task = self.find(token, id)
        if task.last.state != "input-required":
            raise Problem(UNSUPPORTED, f"task {id[:100]} is {task.last.state}; it takes no message")
        question = task.last
        self._move(task, "working")
        try:
            await self._tell(task, body)
        except AiosError:  # The agent waits still, and so may the client say it again.
            task.move(question)
            raise
        return task

    def find(self, token: str, id: object) -> Task:
        """The client's task of that id."""
        owner = self._identities.whose(token)
        task = self._tasks.find(owner.tree, (owner.pid, id)) if isinstance(id, str) else None
        if task is None:
            raise Problem(NO_TASK, f"no task {str(id)[:100]!r}")
        return task

    async def cancel(self, token: str, id: object) -> Task:
        """Give it up."""
        task = self.find(token, id)
        if task.last.is_final or task.work is None:
            raise Problem(NOT_CANCELABLE, f"task {task.id} is {task.last.state} already")
        self._move(task, "canceled")
        task.work.cancel()
        await asyncio.wait((task.work,))
        return task

    def close(self) -> None:
        """End all; who still listens is told."""
        for task in self._tasks.values():
            if task.work is not None and not task.work.done():
                self._move(task, "failed", "the kernel is stopping")
                task.work.cancel()

    async def _run(self, token: str, task: Task, pid: int) -> None:
        self._move(task, "working")
        try:
            ended = await self._kernel.call(token, Wait(pid=pid, timeout_s=self._limit_s))
        except BaseException:
            await self._kernel.call(token, Kill(pid=pid))
            raise
        if ended.state is ProcessState.EXITED:
            task.result = ended.result if ended.result is not None else ""
            self._move(task, "completed")
        else:
            self._move(task, "failed", ended.error or f"the agent was {ended.state}")

    async def _heard(self, task: Task) -> None:
        """What the agent says, until it is done."""
        self._move(task, "working")
        while not task.last.is_final:
            mail = await self._kernel.call(task.token, Receive(timeout_s=self._limit_s))
            if mail.sender == task.target:
                self._take(task, mail.body)

    def _take(self, task: Task, said: Any) -> None:
        state: State = "completed"
        text = said
        if isinstance(said, dict) and said.keys() & WORDS:
            told = said.get("state", state)
            state = told if isinstance(told, str) and told in SAID else state
            text = said.get("data", said.get("text", ""))
        if state == "completed":
            task.result = text
            self._move(task, state)
        else:
            self._move(task, state, str(text))

    async def _ended(self, task: Task, work: Any) -> None:
        """Whatever becomes of it, the task ends and its process with it."""
        try:
            await work
        except AiosError as error:
            self._move(task, "failed", f"{error.code}: {error.message}")
        finally:
            self._move(task, "canceled")
            if task.target:
                await self._leave(task)

    async def _leave(self, task: Task) -> None:
        """The process goes; the agent is told if it need not go on."""
        try:
            if task.last.state == "canceled":
                await self._tell(task, {"cancel": True})
            await self._kernel.call(task.token, Exit())
        except AiosError:
            return  # It has ended already.

    async def _tell(self, task: Task, body: Body) -> None:
        told = {"task": task.id, "context": task.context, **body}
        await self._kernel.call(task.token, Send(pid=task.target, body=told))

    def _move(self, task: Task, state: State, text: str = "") -> None:
        task.move(Update(state, self._kernel.clock.utc(), text))

    def _speaker(self, agent: str) -> int:
        try:
            return self._kernel.table.speaker(agent).pid
        except Cancelled:
            raise NotFound(f"agent {agent!r} does not run") from None

    @property
    def _limit_s(self) -> float:
        return self._kernel.limits.deadline_s
