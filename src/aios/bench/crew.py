"""The office at work: real ReAct agents with real tools, over whatever transport they are given.

Records each LLM call from its submission to its answer. Does not know who answers.
"""

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Annotated, Any, Protocol, TypeVar

import msgspec

from aios.agents import ReAct
from aios.bench.records import Call, Errand
from aios.bench.workload import Member
from aios.clock import Clock
from aios.errors import AiosError
from aios.models.pocket import TOOLS, State, Task
from aios.models.pocket import call as run_tool
from aios.models.pocket.tools import TEXT_MAX, WORDS_MAX
from aios.sdk import Agent, Client, Tool, Transport, tool
from aios.syscalls import Completion, Delta, Message, Stream, Syscall

R = TypeVar("R")
Words = Annotated[str, msgspec.Meta(max_length=WORDS_MAX)]
Text = Annotated[str, msgspec.Meta(max_length=TEXT_MAX)]


class Door(Protocol):
    """How an agent gets to the model: a transport, and a token of its own."""

    @property
    def transport(self) -> Transport: ...

    async def token(self, name: str) -> str: ...


class Log:
    """What happened so far; read while the office works, for progress, and after."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.open: dict[int, Call] = {}  # submitted, not answered yet
        self.errands: list[Errand] = []
        self.number = itertools.count()

    @property
    def all_calls(self) -> tuple[Call, ...]:
        return (*self.calls, *self.open.values())


async def work(office: Sequence[Member], door: Door, log: Log, clock: Clock) -> None:
    """Let every agent do its errands; all begin at once, in the office's order."""
    async with asyncio.TaskGroup() as group:
        for member in office:
            token = await door.token(member.name)
            listening = _Listening(door.transport, member.name, log, clock)
            group.create_task(_do_errands(member, Client(listening, token), log))


async def _do_errands(member: Member, client: Client, log: Log) -> None:
    """The member's conversations, `at_once` at a time."""
    waiting = iter(member.errands)
    async with asyncio.TaskGroup() as group:
        for _ in range(member.at_once):
            group.create_task(_one_after_another(member, client, waiting, log))


async def _one_after_another(
    member: Member, client: Client, waiting: Iterator[Task], log: Log
) -> None:
    for task in waiting:
        log.errands.append(await _converse(member, client, task))


async def _converse(member: Member, client: Client, task: Task) -> Errand:
    """Hold one conversation to its end; a failed call ends it and makes it wrong."""
    state = task.state()
    agent = _InConversation(
        member.name,
        instructions=task.system or "",
        tools=_tools(state, task.tools),
        temperature=0.0,
        max_tokens=member.tokens_max,
    )
    react = ReAct(agent)
    right = True
    for turn in task.turns:
        try:
            outcome = await react(client, turn.user)
        except AiosError:
            right = False
            break
        agent.so_far = outcome.messages
        right = right and outcome.answer == turn.answer
    left = task.end_state()
    right = right and (state.memory, state.notes) == (left.memory, left.notes)
    return Errand(agent=member.name, kind=task.kind, right=right, messages=agent.so_far)


class _InConversation(Agent):
    """An agent that remembers what was said before in this conversation."""

    so_far: tuple[Message, ...] = ()

    def opening(self, task: Any, notes: Sequence[str] = ()) -> tuple[Message, ...]:
        if not self.so_far:
            return super().opening(task, notes)
        return (*self.so_far, Message(role="user", content=task))


class _Listening:
    """A transport that notes each call on its way."""

    is_durable = False

    def __init__(self, inner: Transport, agent: str, log: Log, clock: Clock) -> None:
        self._inner, self._agent, self._log, self._clock = inner, agent, log, clock

    async def call(self, token: str, call: Syscall[R], *, key: str = "") -> R:
        submitted = self._clock.now()
        number = next(self._log.number)
        self._log.open[number] = Call(agent=self._agent, submitted=submitted, answered=None)
        reply = await self._inner.call(token, call, key=key)
        assert isinstance(reply, Completion), "the office makes no other calls"
        del self._log.open[number]
        self._log.calls.append(
            Call(
                agent=self._agent,
                submitted=submitted,
                answered=self._clock.now(),
                first_wait_s=reply.timing.wait_s,
                tokens=reply.usage.completion_tokens,
                cached_tokens=reply.usage.cached_tokens,
            )
        )
        return reply

    def stream(
        self, token: str, call: Stream, *, key: str = ""
    ) -> AsyncIterator[Delta | Completion]:
        return self._inner.stream(token, call)

    async def close(self) -> None:
        """The door's transport is not this one's to close."""


def _tools(state: State, names: Sequence[str]) -> list[Tool]:
    """pocket's tools over one conversation's own state, in the order in which they are listed."""

    @tool(inline=True)
    def calculator(expr: Words) -> str:
        return run_tool("calculator", {"expr": expr}, state)

    @tool(inline=True)
    def memory_set(key: Words, value: Text) -> str:
        return run_tool("memory_set", {"key": key, "value": value}, state)

    @tool(inline=True)
    def memory_get(key: Words) -> str:
        return run_tool("memory_get", {"key": key}, state)

    @tool(inline=True)
    def note_write(name: Words, text: Text) -> str:
        return run_tool("note_write", {"name": name, "text": text}, state)

    @tool(inline=True)
    def note_read(name: Words) -> str:
        return run_tool("note_read", {"name": name}, state)

    all_of_them = (calculator, memory_set, memory_get, note_write, note_read)
    by_name = {one.name: one for one in all_of_them}
    assert set(by_name) == set(TOOLS), "the model was trained on exactly these"
    return [by_name[name] for name in names]
