"""Between text and token ids: what a call's prompt is, what a branch's tokens say, what is refused.

Joins the chat template, the grammar compiler and the text stream for one model. Knows no KV.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from aios.cores.torch.chat import Chat
from aios.cores.torch.grammar import Grammar, Grammars
from aios.cores.torch.sampling import check
from aios.cores.torch.settings import BLOCK_TOKENS
from aios.cores.torch.text import TextStream
from aios.errors import InvalidArgument
from aios.syscalls.llm import Decoding, Generate, Message, Tokenize, ToolSpec

COUNTED_CHARS = 1 << 20  # that `Tokenize` takes, however short the model's context is


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What fits this engine."""

    context_tokens: int
    blocks: int
    lanes: int
    vocab_size: int

    def answer_tokens(self, prompt_tokens: int, decoding: Decoding) -> int:
        """Most tokens that each branch may produce; below 1 where the prompt is too long.

        The worst case must fit an empty pool: the prompt's whole blocks once, everything else
        for each branch, and a block for copying a shared one.
        """
        whole, rest = divmod(prompt_tokens, BLOCK_TOKENS)
        own = (self.blocks - whole - 1) // decoding.branches
        room = min(self.context_tokens - prompt_tokens, own * BLOCK_TOKENS - rest)
        return min(room, decoding.max_tokens or room)

    def prompt_tokens(self, decoding: Decoding) -> int:
        """The longest prompt that leaves room for a token of each branch."""
        spare = self.blocks - 1 - decoding.branches
        return min(self.context_tokens - 1, spare * BLOCK_TOKENS + BLOCK_TOKENS - 1)


class Language:
    """One model's words."""

    def __init__(self, tokenizer: Any, limits: Limits) -> None:
        self.limits = limits
        self._tokenizer = tokenizer
        self._chat = Chat(tokenizer)
        self._grammars = Grammars(tokenizer, limits.vocab_size)
        # A longer text has too many tokens, and while they are counted nobody else gets one.
        self._longest = max(map(len, tokenizer.get_vocab()))
        self._chars = limits.context_tokens * self._longest

    def prepare(self, call: Generate | Tokenize) -> tuple[int, ...]:
        """The prompt's token ids. Raises `InvalidArgument` for what cannot be generated."""
        if isinstance(call, Tokenize):
            _expect(max(self._chars, COUNTED_CHARS), call.text, call.messages, call.tools)
            if call.messages:
                return self._chat.encode(call.messages, call.tools)
            return self._chat.encode_text(call.text)
        ids = self._prompt(call)
        self.check(ids, call.decoding)
        return ids

    def opening(self, text: str, tokens: int) -> tuple[int, ...]:
        """The first tokens of a text, however long it is."""
        return self._chat.encode_text(text[: tokens * self._longest])[:tokens]

    def check(self, prompt: Sequence[int], decoding: Decoding) -> None:
        """Refuse what this model and engine cannot take."""
        vocab, lanes = self.limits.vocab_size, self.limits.lanes
        wrong = next((token for token in prompt if not 0 <= token < vocab), None)
        if wrong is not None:
            raise InvalidArgument(f"expected token ids from 0 to {vocab - 1}, got {wrong}")
        if not prompt:
            raise InvalidArgument("expected a prompt of at least one token")
        if decoding.branches > lanes:
            raise InvalidArgument(
                f"expected at most {lanes} branches (n or beams.width), got {decoding.branches}"
            )
        if self.limits.answer_tokens(len(prompt), decoding) < 1:
            raise InvalidArgument(
                f"expected a prompt of at most {self.limits.prompt_tokens(decoding)} tokens, "
                f"got {len(prompt)}"
            )
        if decoding.beams and _edits(decoding):
            raise InvalidArgument("expected no penalties, logit_bias or stop with beam search")
        check(decoding, vocab)
        self._grammars.constraint(decoding)

    def grammar(self, decoding: Decoding) -> Grammar | None:
        """What the tokens of one branch must obey, at its beginning."""
        return self._grammars.constraint(decoding)

    def stream(self, decoding: Decoding) -> TextStream:
        """The text of one branch, at its beginning."""
        return TextStream(self._tokenizer, decoding.stop)

    def message(self, text: str, decoding: Decoding, name: str) -> Message:
        """The answer in a branch's text; `name` makes the ids of its tool calls unique."""
        tools: tuple[ToolSpec, ...] = () if decoding.tool_choice == "none" else decoding.tools
        return self._chat.parse(text, tools, name)

    def _prompt(self, call: Generate) -> tuple[int, ...]:
        _expect(self._chars, call.prompt, call.messages, call.decoding.tools)
        if call.messages:
            return self._chat.encode(call.messages, call.decoding.tools)
        return call.token_ids or self._chat.encode_text(call.prompt)


def _edits(decoding: Decoding) -> bool:
    plain = Decoding()
    names = ("repetition_penalty", "presence_penalty", "frequency_penalty", "logit_bias", "stop")
    return any(getattr(decoding, name) != getattr(plain, name) for name in names)


def _expect(most: int, text: str, messages: Sequence[Message], tools: Sequence[ToolSpec]) -> None:
    """Refuse what is too long to be looked at."""
    chars = len(text) + sum(map(_length, messages)) + sum(map(_size, tools))
    if chars > most:
        raise InvalidArgument(f"expected a prompt of at most {most} characters, got {chars}")


def _length(message: Message) -> int:
    called = sum(len(call.name) + len(call.arguments) for call in message.tool_calls)
    return len(message.content or "") + called


def _size(tool: ToolSpec) -> int:
    return len(tool.name) + len(tool.description) + len(msgspec.json.encode(tool.parameters))
