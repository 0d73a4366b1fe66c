"""LLM calls that a room makes: counting tokens and summarising, as syscalls like anybody's.

A conversation that is too long for one prompt is folded: the summary so far and the next piece of
it become the next summary. What it gives up: the earlier a turn, the more often it is retold.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from aios.errors import InvalidArgument, WrongState
from aios.kernel.process import FIRST_AGENT
from aios.syscalls import Decoding, Generate, Message, ModelInfo, Models, Tokenize
from aios.syscalls.base import Syscall

Call = Callable[[str, Syscall[Any]], Awaitable[Any]]
SUMMARISE = "Summarise this conversation in a few sentences. Keep names, numbers and decisions."
SO_FAR = "Summary of what was said before:"
SUMMARY_SHARE = 4  # a summary takes at most one part in so many of the model's room
KV_SPARE = 64  # tokens of KV that are lost to whole blocks
PIECE_CHARS = 8  # of a token, at most, in the piece that is tried first


class CallerModels:
    """What memory asks of the LLMs. `speak` says through whom."""

    def __init__(self) -> None:
        self._call: Call | None = None

    def speak(self, call: Call) -> None:
        """From now on syscalls go through `call`, which is told in whose name."""
        self._call = call

    async def count(self, messages: Sequence[Message], model: str) -> int:
        """Tokens of the messages through the model's chat template."""
        reply = await self._ask(FIRST_AGENT, Tokenize(messages=tuple(messages), model=model))
        return len(reply.token_ids)

    async def summarise(
        self, agent: str, messages: Sequence[Message], tokens: int, model: str
    ) -> str:
        """The messages told in at most so many tokens, however long they are.

        The generations are the agent's: at its priority, on its account, ended with it.
        """
        room = await self._room(model)
        tokens = min(tokens, room // SUMMARY_SHARE)
        left = "\n".join(f"{one.role}: {one.content or ''}" for one in messages)
        summary = ""
        while left and tokens:
            piece = await self._piece(summary, left, room - tokens, model)
            left = left[len(piece) :]
            decoding = Decoding(max_tokens=tokens, temperature=0.0)
            call = Generate(messages=_prompt(summary, piece), model=model, decoding=decoding)
            reply = await self._ask(agent, call)
            summary = reply.choices[0].message.content or ""
        return summary

    async def _room(self, model: str) -> int:
        """Tokens that a prompt and its answer may have together."""
        served = (await self._ask(FIRST_AGENT, Models())).models
        named: list[ModelInfo] = [one for one in served if one.name == model]
        one = named[0] if named else served[0]  # Another name fails where it is used.
        return min(one.context_tokens, one.kv_tokens - KV_SPARE)

    async def _piece(self, summary: str, left: str, room: int, model: str) -> str:
        """The longest beginning of what is left, or nearly, that fits with the summary."""
        frame = await self.count(_prompt(summary, ""), model)
        piece = left[: max(room - frame, 0) * PIECE_CHARS]
        while piece:
            count = await self.count(_prompt(summary, piece), model)
            if count <= room:
                return piece
            share = len(piece) * (room - frame) // (count - frame)
            piece = _whole_words(piece[: min(share, len(piece) - 1)])
        raise InvalidArgument(
            f"expected a model with room for a piece of the conversation, {model or 'the default'} "
            f"has {room} tokens for a prompt, of which {frame} go to the summary before it"
        )

    async def _ask(self, agent: str, call: Syscall[Any]) -> Any:
        if self._call is None:
            raise WrongState("the kernel is not open yet; expected `async with kernel`")
        return await self._call(agent, call)


def _prompt(summary: str, piece: str) -> tuple[Message, Message]:
    told = f"{SO_FAR}\n{summary}\n\n{piece}" if summary else piece
    return (Message(role="system", content=SUMMARISE), Message(role="user", content=told))


def _whole_words(text: str) -> str:
    """Without the word that the end may cut, unless that is more than half of it."""
    end = max(text.rfind(" "), text.rfind("\n")) + 1
    return text[:end] if end > len(text) // 2 else text
