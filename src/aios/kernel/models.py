"""LLM calls that a room makes: counting tokens and summarising, as syscalls like anybody's."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from aios.errors import WrongState
from aios.syscalls import Decoding, Generate, Message, Tokenize
from aios.syscalls.base import Syscall

Call = Callable[[Syscall[Any]], Awaitable[Any]]
SUMMARISE = "Summarise this conversation in a few sentences. Keep names, numbers and decisions."


class CallerModels:
    """What memory asks of the LLMs. `speak` says through whom."""

    def __init__(self) -> None:
        self._call: Call | None = None

    def speak(self, call: Call) -> None:
        """From now on syscalls go through `call`."""
        self._call = call

    async def count(self, messages: Sequence[Message], model: str) -> int:
        """Tokens of the messages through the model's chat template."""
        reply = await self._ask(Tokenize(messages=tuple(messages), model=model))
        return len(reply.token_ids)

    async def summarise(
        self, agent: str, messages: Sequence[Message], tokens: int, model: str
    ) -> str:
        """The messages told in at most so many tokens."""
        told = "\n".join(f"{one.role}: {one.content or ''}" for one in messages)
        prompt = (Message(role="system", content=SUMMARISE), Message(role="user", content=told))
        decoding = Decoding(max_tokens=tokens, temperature=0.0)
        reply = await self._ask(Generate(messages=prompt, model=model, decoding=decoding))
        return reply.choices[0].message.content or ""

    async def _ask(self, call: Syscall[Any]) -> Any:
        if self._call is None:
            raise WrongState("the kernel is not open yet; expected `async with kernel`")
        return await self._call(call)
