"""Turns token ids into text as they come, and stops at stop strings. Knows no model.

What is shown never has to be taken back: bytes of an unfinished character and the beginning of
what may become a stop string wait. A push costs time for its own tokens only. Special tokens are
not text, except the marks around tool calls, which `Chat.parse` looks for.
"""

import codecs
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any, Protocol

from tokenizers import decoders

from aios.cores.torch.chat import MARKS

_HELD_TOKENS = 8  # A character has at most 4 bytes, so what waits longer than this is no character.


class TextStream:
    """The text of one answer."""

    def __init__(self, tokenizer: Any, stop: tuple[str, ...]) -> None:
        self._hidden = _hidden(tokenizer)
        self._decoder = _decoder(tokenizer)
        self._stops = [_Stop(text) for text in stop]
        self._held = ""  # shown to nobody: may be the beginning of a stop string
        self._shown: list[str] = []
        self.stopped = False

    @property
    def text(self) -> str:
        """All that was shown so far; ends before the stop string."""
        return "".join(self._shown)

    def push(self, token_ids: Iterable[int]) -> str:
        """What these tokens add that is safe to show."""
        if self.stopped:
            return ""
        push, hidden = self._decoder.push, self._hidden
        return self._show("".join([push(token) for token in token_ids if token not in hidden]))

    def flush(self) -> str:
        """What was held back; nothing follows it."""
        if self.stopped:
            return ""
        text = self._show(self._decoder.flush())
        rest, self._held = self._held, ""
        self._shown.append(rest)
        return text + rest

    def _show(self, fresh: str) -> str:
        waiting = self._held + fresh
        safe = len(waiting)
        if self._stops:
            safe = self._safe(fresh)
        self._held = "" if self.stopped else waiting[safe:]
        text = waiting[:safe]
        self._shown.append(text)
        return text

    def _safe(self, fresh: str) -> int:
        """How much of held and fresh text no stop string needs. The first to complete stops."""
        for seen, char in enumerate(fresh, start=len(self._held) + 1):
            # Each stop sees every character: no short cut, their states must stay in step.
            ends = [stop.length for stop in self._stops if stop.completes(char)]
            if ends:
                self.stopped = True
                return seen - max(ends)
        return len(self._held) + len(fresh) - max(stop.matched for stop in self._stops)


class _Stop:
    """Knuth-Morris-Pratt: how much of the stop string the text now ends with, O(1) per character.

    Searching the held text again with each token would cost the square of a long stop string.
    """

    def __init__(self, text: str) -> None:
        self.length = len(text)
        self.matched = 0
        self._text = text
        self._shorter = [0] * (len(text) + 1)  # the next shorter prefix that also ends there
        for end in range(1, len(text)):
            self._shorter[end + 1] = self._step(self._shorter[end], text[end])

    def completes(self, char: str) -> bool:
        self.matched = self._step(self.matched, char)
        return self.matched == self.length

    def _step(self, matched: int, char: str) -> int:
        while matched and self._text[matched] != char:
            matched = self._shorter[matched]
        return matched + 1 if self._text[matched] == char else 0


class _Decoder(Protocol):
    def push(self, token: int) -> str: ...

    def flush(self) -> str: ...


class _Bytes:
    """Byte-level vocabularies: a token is a string of bytes, and the text is UTF-8."""

    def __init__(self, piece: Callable[[int], bytes]) -> None:
        self._piece = piece
        self._utf8 = codecs.getincrementaldecoder("utf-8")("replace")

    def push(self, token: int) -> str:
        return self._utf8.decode(self._piece(token))

    def flush(self) -> str:
        return self._utf8.decode(b"", final=True)


class _Window:
    """Any other vocabulary: decode the last tokens with and without the new one, and compare."""

    def __init__(self, decode: Callable[[list[int]], str]) -> None:
        self._decode = decode
        self._ids: list[int] = []
        self._told = 0  # so many of the ids are text already; they are the others' context

    def push(self, token: int) -> str:
        self._ids.append(token)
        known = len(self._decode(self._ids[: self._told]))
        text = self._decode(self._ids)
        if text.endswith("\ufffd") and len(self._ids) - self._told < _HELD_TOKENS:
            return ""
        self._ids = self._ids[self._told :]
        self._told = len(self._ids)
        return text[known:]

    def flush(self) -> str:
        known = len(self._decode(self._ids[: self._told]))
        text, self._ids, self._told = self._decode(self._ids), [], 0
        return text[known:]


@lru_cache(maxsize=4)
def _hidden(tokenizer: Any) -> frozenset[int]:
    added = tokenizer.added_tokens_decoder.items()
    return frozenset(
        token for token, one in added if one.special and one.content.strip() not in MARKS
    )


def _decoder(tokenizer: Any) -> _Decoder:
    backend = tokenizer.backend_tokenizer
    if isinstance(backend.decoder, decoders.ByteLevel):
        return _Bytes(_pieces(tokenizer))
    return _Window(lambda ids: str(backend.decode(ids, skip_special_tokens=False)))


@lru_cache(maxsize=4)
def _pieces(tokenizer: Any) -> Callable[[int], bytes]:
    """Bytes of a token id, remembered: an answer asks for few of them, and again and again."""
    known: dict[int, bytes] = {}
    name_of, alphabet = tokenizer.backend_tokenizer.id_to_token, _alphabet()

    def piece(token: int) -> bytes:
        found = known.get(token)
        if found is None:
            # Logits may have more columns than the vocabulary has tokens: those ids are no text.
            name = name_of(token) or ""
            try:
                found = bytes([alphabet[char] for char in name])
            except KeyError:  # an added token that is written as itself
                found = name.encode()
            known[token] = found
        return found

    return piece


def _alphabet() -> dict[str, int]:
    """Byte-level BPE writes printable bytes as themselves and the others from U+0100 on."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in printable]
    names = [*map(chr, printable), *(chr(0x100 + index) for index in range(len(others)))]
    return dict(zip(names, [*printable, *others], strict=True))
