"""What the scripted model says: pure functions of the prompt, the seed and the branch.

An answer is known as a whole before its first token is "decoded", so whoever resumes a generation,
at any token, on any core, can be held to it token for token. Knows no core and no time.
"""

import itertools
import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import msgspec

from aios.errors import InvalidArgument
from aios.syscalls import llm

VOCABULARY = 65_536

_ONSETS = ["b", "d", "f", "g", "k", "l", "m", "n", "p", "r", "s", "t", "v", "z", "ch", "sh"]
_VOWELS = ["a", "e", "i", "o", "u", "ai", "ea", "oo"]
_PIECE = re.compile(r"\S+\s*|\s+")
_MASK = 2**64 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoken:
    """One branch's whole answer. `ends[i]` characters of `content` are out after token i."""

    token_ids: tuple[int, ...]
    content: str
    ends: tuple[int, ...]
    message: llm.Message
    reason: llm.FinishReason

    def text(self, start: int, stop: int) -> str:
        """What tokens start..stop add to the content."""
        stop = min(stop, len(self.ends))
        if stop <= start:
            return ""
        return self.content[self.ends[start - 1] if start else 0 : self.ends[stop - 1]]

    def choice(self, index: int) -> llm.Choice:
        return llm.Choice(
            index=index,
            message=self.message,
            finish_reason=self.reason,
            token_ids=self.token_ids,
        )


def tokens_of(call: llm.Generate | llm.Tokenize) -> tuple[int, ...]:
    """Token ids of a call's prompt: one for each word, by its hash."""
    if isinstance(call, llm.Generate) and call.token_ids:
        return _checked(call.token_ids)
    text = call.prompt if isinstance(call, llm.Generate) else call.text
    tools = call.decoding.tools if isinstance(call, llm.Generate) else call.tools
    ids = tuple(_token(word) for word in (*_words_of(call.messages, tools), *text.split()))
    if not ids:
        raise InvalidArgument("expected a prompt of at least one word")
    return ids


def invented(
    prompt: tuple[int, ...], decoding: llm.Decoding, lengths: tuple[int, int], tokens_max: int
) -> tuple[Spoken, ...]:
    """Every branch's answer where nobody chose one. Its length lies in `lengths` and the limit."""
    return tuple(
        _cut(_pieces(_key(prompt, decoding.seed or 0, branch), lengths, tokens_max), decoding.stop)
        for branch in range(decoding.branches)
    )


def recited(message: llm.Message, decoding: llm.Decoding, tokens_max: int) -> tuple[Spoken, ...]:
    """Every branch says `message`, which its tool calls follow as tokens without text."""
    pieces = [(_token(piece), piece) for piece in _PIECE.findall(message.content or "")]
    for call in message.tool_calls:
        written = f"{call.name} {call.arguments}"
        pieces += [(_token(piece), "") for piece in _PIECE.findall(written)]
    if len(pieces) > tokens_max:
        spoken = _cut((pieces[:tokens_max], "length"), decoding.stop)
    elif message.tool_calls:
        spoken = _spoken(pieces, message.content or "", message, "tool_calls")
    else:
        spoken = _cut((pieces, "stop"), decoding.stop)
    return (spoken,) * decoding.branches


@cache
def word_of(token_id: int) -> str:
    """A printable word for a token of an invented answer."""
    low, high = token_id & 0xFF, token_id >> 8
    return "".join(_ONSETS[part & 15] + _VOWELS[part >> 4 & 7] for part in (low, high)) + (
        "n" if (low ^ high) & 0x80 else ""
    )


def _checked(ids: Sequence[int]) -> tuple[int, ...]:
    strange = next((one for one in ids if not 0 <= one < VOCABULARY), None)
    if strange is not None:
        raise InvalidArgument(f"expected token ids from 0 to {VOCABULARY - 1}, got {strange}")
    return tuple(ids)


def _words_of(messages: Sequence[llm.Message], tools: Sequence[llm.ToolSpec]) -> list[str]:
    """The conversation as words; whatever would change the answer of a real model is in it."""
    words = [word for tool in tools for word in ("<tool>", *str(msgspec.to_builtins(tool)).split())]
    for message in messages:
        words += [f"<{message.role}>", *(message.content or "").split()]
        for call in message.tool_calls:
            words += ["<call>", call.name, *call.arguments.split()]
    return words


def _token(word: str) -> int:
    return zlib.crc32(word.encode("utf-8", "surrogatepass")) % VOCABULARY


def _key(prompt: tuple[int, ...], seed: int, branch: int) -> int:
    packed = b"".join(token.to_bytes(4, "little") for token in prompt)
    return _mixed(zlib.crc32(packed) << 32 ^ zlib.adler32(packed) ^ seed * 0x9E37 ^ branch << 50)


def _mixed(value: int) -> int:
    """Well-spread 64 bits of an integer (the finaliser of SplitMix64)."""
    value = (value + 0x9E3779B97F4A7C15) & _MASK
    value = (value ^ value >> 30) * 0xBF58476D1CE4E5B9 & _MASK
    value = (value ^ value >> 27) * 0x94D049BB133111EB & _MASK
    return value ^ value >> 31


def _pieces(
    key: int, lengths: tuple[int, int], tokens_max: int
) -> tuple[list[tuple[int, str]], llm.FinishReason]:
    shortest, longest = lengths
    wanted = shortest + _mixed(key) % (longest - shortest + 1)
    ids = [
        _mixed(key + position) % VOCABULARY for position in range(1, min(wanted, tokens_max) + 1)
    ]
    pieces = [(one, f"{word_of(one)} ") for one in ids]
    return pieces, "stop" if wanted <= tokens_max else "length"


def _cut(said: tuple[list[tuple[int, str]], llm.FinishReason], stop: Sequence[str]) -> Spoken:
    """The answer up to the first stop string; the token that completes it is the last one."""
    pieces, reason = said
    text = "".join(piece for _, piece in pieces)
    found = min(((at, mark) for mark in stop if (at := text.find(mark)) >= 0), default=None)
    if found is not None:
        at, mark = found
        ends = itertools.accumulate(len(piece) for _, piece in pieces)
        last = next(i for i, end in enumerate(ends) if end >= at + len(mark))
        pieces, text, reason = pieces[: last + 1], text[:at], "stop"
    return _spoken(pieces, text, llm.Message(role="assistant", content=text), reason)


def _spoken(
    pieces: list[tuple[int, str]], content: str, message: llm.Message, reason: llm.FinishReason
) -> Spoken:
    ends = itertools.accumulate(len(piece) for _, piece in pieces)
    return Spoken(
        token_ids=tuple(one for one, _ in pieces),
        content=content,
        ends=tuple(min(end, len(content)) for end in ends),
        message=message,
        reason=reason,
    )
