"""OpenAI's chat completion chunks: deltas as they come, calls and reasons when they are known."""

from collections.abc import Iterator
from typing import Any

from aios.errors import AiosError
from aios.server.wire import decoding as choosing
from aios.server.wire.errors import body_of
from aios.server.wire.turn import Body, Event, Head
from aios.server.wire.usage import logprobs, usage
from aios.server.wire.visible import Visible, visible
from aios.syscalls import Choice, Completion, Decoding, Delta, TokenLogprob, ToolCall

DONE = Event("[DONE]")


class _Branch:
    """What one choice has told so far."""

    def __init__(self, decoding: Decoding) -> None:
        self.visible: Visible = visible(decoding)
        self.logprobs: list[TokenLogprob] = []  # of tokens whose text is not told yet
        self.has_begun = False


class ChatStream:
    """One streamed chat completion."""

    def __init__(
        self,
        head: Head,
        decoding: Decoding,
        *,
        is_legacy: bool,
        are_parallel: bool,
        tells_usage: bool,
    ) -> None:
        self._head = head
        self._is_legacy = is_legacy
        self._are_parallel = are_parallel
        self._tells_usage = tells_usage
        self._branches = [_Branch(decoding) for _ in range(decoding.n)]

    def delta(self, delta: Delta) -> Iterator[Event]:
        branch = self._branches[delta.index]
        yield from self._begin(delta.index)
        branch.logprobs += delta.logprobs
        if text := branch.visible.push(delta.text):
            yield self._chunk(delta.index, {"content": text})

    def end(self, completion: Completion) -> Iterator[Event]:
        for choice in completion.choices:
            yield from self._begin(choice.index)
            rest = self._branches[choice.index].visible.end(choice.message.content)
            if rest:
                yield self._chunk(choice.index, {"content": rest})
            yield from self._calls(choice)
        if self._tells_usage:
            yield self._event([], usage(completion.usage))
        yield DONE

    def broken(self, error: AiosError) -> Iterator[Event]:
        yield Event(body_of(error, "openai"))
        yield DONE

    def _begin(self, index: int) -> Iterator[Event]:
        branch = self._branches[index]
        if not branch.has_begun:
            branch.has_begun = True
            yield self._chunk(index, {"role": "assistant", "content": "", "refusal": None})

    def _calls(self, choice: Choice) -> Iterator[Event]:
        calls = choosing.calls_of(choice, self._are_parallel)
        reason: str = choice.finish_reason
        if calls and self._is_legacy:
            reason = "function_call"
            told = {"name": calls[0].name, "arguments": calls[0].arguments}
            yield self._chunk(choice.index, {"function_call": told})
        elif calls:
            for at, call in enumerate(calls):
                yield from self._call(choice.index, at, call)
        yield self._chunk(choice.index, {}, reason)

    def _call(self, index: int, at: int, call: ToolCall) -> Iterator[Event]:
        begun = {
            "index": at,
            "id": call.id,
            "type": "function",
            "function": {"name": call.name, "arguments": ""},
        }
        yield self._chunk(index, {"tool_calls": [begun]})
        piece = {"index": at, "function": {"arguments": call.arguments}}
        yield self._chunk(index, {"tool_calls": [piece]})

    def _chunk(self, index: int, delta: Body, reason: str | None = None) -> Event:
        branch = self._branches[index]
        known: Body | None = None
        if branch.logprobs and (delta.get("content") or reason):
            known = {"content": logprobs(branch.logprobs), "refusal": None}
            branch.logprobs = []
        told: list[Any] = [
            {"index": index, "delta": delta, "logprobs": known, "finish_reason": reason}
        ]
        return self._event(told, None)

    def _event(self, choices: list[Any], used: Body | None) -> Event:
        chunk: Body = {
            "id": f"chatcmpl-{self._head.stem}",
            "object": "chat.completion.chunk",
            "created": self._head.created,
            "model": self._head.model,
            "choices": choices,
            "system_fingerprint": None,
        }
        return Event(chunk | {"usage": used} if self._tells_usage else chunk)
