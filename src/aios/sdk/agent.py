"""An agent: a name, instructions, tools and options, and the loop that lets them act.

An agent is a program: `await agent(client, task)` runs it anywhere, and a kernel can host it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Unpack

import msgspec

from aios.errors import WrongState
from aios.sdk.client import Client
from aios.sdk.generation import Options
from aios.sdk.program import source_of
from aios.sdk.tool import Tool
from aios.sdk.toolbox import Toolbox
from aios.syscalls import Choice, Message

TURNS_MAX = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What one generation added to a conversation: the model's message, then its observations."""

    choice: Choice
    observations: tuple[Message, ...]

    @property
    def messages(self) -> tuple[Message, ...]:
        return (self.choice.message, *self.observations)

    @property
    def text(self) -> str:
        """What the model said; its thought, where it also called tools."""
        return self.choice.message.content or ""

    @property
    def is_last(self) -> bool:
        """Nothing was called, so nothing is left to do."""
        return not self.observations


class Agent:
    """Who acts, with what, and how tokens are chosen. Keeps nothing between two tasks.

    A tool is a function of its own, or the name of one of the kernel's, `server/tool`.
    """

    def __init__(
        self,
        name: str,
        *,
        instructions: str = "",
        tools: Iterable[Tool | str] = (),
        turns_max: int = TURNS_MAX,
        **options: Unpack[Options],
    ) -> None:
        self.name = name
        self.instructions = instructions
        self.toolbox = Toolbox(tools)
        self.turns_max = turns_max
        self.options = options

    @property
    def definition(self) -> str:
        """What it is, in words that change when it does."""
        tools = [(one.spec, one.terms) for one in self.toolbox]
        kernels = self.toolbox.names
        parts = (self.name, self.instructions, tools, kernels, self.turns_max, self.options)
        sources = [source_of(one.function) for one in self.toolbox]
        return "\n".join([msgspec.json.encode(parts).decode(), *sources])

    async def __call__(self, client: Client, task: Any) -> str:
        """Act until the model answers without calling a tool; the answer."""
        messages = self.opening(task)
        for _ in range(self.turns_max):
            turn = await self.turn(client, messages)
            if turn.is_last:
                return turn.text
            messages = (*messages, *turn.messages)
        raise WrongState(f"agent {self.name!r} gave no answer in {self.turns_max} turns")

    def opening(self, task: Any, notes: Sequence[str] = ()) -> tuple[Message, ...]:
        """The conversation before the first turn; `notes` stand below the instructions.

        A task that is not text is given as JSON.
        """
        text = task if isinstance(task, str) else msgspec.json.encode(task).decode()
        question = Message(role="user", content=text)
        told = "\n".join(part for part in (self.instructions, *notes) if part)
        return (Message(role="system", content=told), question) if told else (question,)

    async def turn(self, client: Client, messages: Sequence[Message]) -> Turn:
        """One generation, and the tools it called: their observations in the model's order."""
        completion = await client.chat(messages, await self.toolbox.specs(client), **self.options)
        choice = completion.choices[0]
        calls = choice.message.tool_calls
        observations = await self.toolbox.run_all(calls, client) if calls else ()
        return Turn(choice=choice, observations=observations)
