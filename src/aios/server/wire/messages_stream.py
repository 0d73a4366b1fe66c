"""Anthropic's stream of a message: blocks that open, grow and close, one after another."""

from collections.abc import Iterator

from aios.errors import AiosError
from aios.server.wire.decoding import calls_of
from aios.server.wire.errors import body_of
from aios.server.wire.turn import Body, Event, Head
from aios.server.wire.visible import visible
from aios.syscalls import Choice, Completion, Decoding, Delta, ToolCall, Usage

REASONS = {"stop": "end_turn", "length": "max_tokens", "tool_calls": "tool_use"}


class MessageStream:
    """One streamed message. Its prompt's tokens are known at the end only, and told there."""

    def __init__(self, head: Head, decoding: Decoding, *, are_parallel: bool) -> None:
        self._head = head
        self._visible = visible(decoding)
        self._are_parallel = are_parallel
        self._has_begun = False
        self._blocks = 0  # opened so far; while text is told, the last is open
        self._is_telling = False

    def delta(self, delta: Delta) -> Iterator[Event]:
        yield from self._begin()
        yield from self._text(self._visible.push(delta.text))

    def end(self, completion: Completion) -> Iterator[Event]:
        yield from self._begin()
        choice = completion.choices[0]
        calls = calls_of(choice, self._are_parallel)
        yield from self._text(self._visible.end(choice.message.content))
        if self._is_telling:
            yield self._event("content_block_stop", {"index": self._blocks - 1})
        for call in calls:
            yield from self._call(call)
        told = {"stop_reason": stop_reason(choice), "stop_sequence": None}
        used = usage(completion.usage)
        yield self._event("message_delta", {"delta": told, "usage": used})
        yield self._event("message_stop", {})

    def broken(self, error: AiosError) -> Iterator[Event]:
        yield Event(body_of(error, "anthropic"), "error")

    def _begin(self) -> Iterator[Event]:
        if self._has_begun:
            return
        self._has_begun = True
        message: Body = {
            "id": f"msg_{self._head.stem}",
            "type": "message",
            "role": "assistant",
            "model": self._head.model,
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": usage(Usage(prompt_tokens=0, completion_tokens=0)),
        }
        yield self._event("message_start", {"message": message})
        yield self._event("ping", {})

    def _text(self, text: str) -> Iterator[Event]:
        if not text:
            return
        if not self._is_telling:
            self._is_telling = True
            yield self._open({"type": "text", "text": ""})
        told = {"type": "text_delta", "text": text}
        yield self._event("content_block_delta", {"index": self._blocks - 1, "delta": told})

    def _call(self, call: ToolCall) -> Iterator[Event]:
        yield self._open({"type": "tool_use", "id": call.id, "name": call.name, "input": {}})
        index = self._blocks - 1
        told = {"type": "input_json_delta", "partial_json": call.arguments}
        yield self._event("content_block_delta", {"index": index, "delta": told})
        yield self._event("content_block_stop", {"index": index})

    def _open(self, block: Body) -> Event:
        self._blocks += 1
        return self._event(
            "content_block_start", {"index": self._blocks - 1, "content_block": block}
        )

    def _event(self, name: str, fields: Body) -> Event:
        return Event({"type": name} | fields, name)


def stop_reason(choice: Choice) -> str:
    """Why the message ended, in Anthropic's words."""
    return REASONS[choice.finish_reason]


def usage(found: Usage) -> Body:
    """Anthropic counts cached prompt tokens apart from the others."""
    return {
        "input_tokens": found.prompt_tokens - found.cached_tokens,
        "output_tokens": found.completion_tokens,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": found.cached_tokens,
    }
