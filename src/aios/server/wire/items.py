"""OpenAI's response items: what a request's input says as messages, what an answer is as items."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Literal

import msgspec

from aios.errors import InvalidArgument
from aios.server.wire.chat import ROLES, Part, text_of
from aios.server.wire.turn import Body
from aios.syscalls import Choice, Message, ToolCall

DIGITS_MAX = 3  # of a call's place in an answer
SILENT = frozenset({"reasoning"})  # what other models thought is not replayed


class Item(msgspec.Struct, kw_only=True):
    """One item of any type; which fields it has depends on its type."""

    type: str = "message"
    id: str | None = None
    role: Literal["system", "developer", "user", "assistant"] | None = None
    content: str | list[Part] | None = None
    call_id: str | None = None
    name: str | None = None
    arguments: str | None = None
    output: str | list[Part] | None = None


class Told(msgspec.Struct, kw_only=True):
    """What a response's body says."""

    output: list[Item]


def messages(given: str | Sequence[Item]) -> Iterator[Message]:
    """The input's turns; calls that follow each other were one turn's."""
    if isinstance(given, str):
        yield Message("user", given)
        return
    calls: list[ToolCall] = []
    for item in given:
        if item.type == "function_call":
            calls.append(_call(item))
            continue
        if calls:
            yield Message("assistant", "", tool_calls=tuple(calls))
            calls = []
        if item.type not in SILENT:
            yield _message(item)
    if calls:
        yield Message("assistant", "", tool_calls=tuple(calls))


def homes_of(id: str) -> tuple[str, ...]:
    """The responses that an item of this id can be of."""
    kind, _, stem = id.partition("_")
    if kind != "fc":
        return (f"resp_{stem}",)
    return tuple(f"resp_{stem[:-digits]}" for digits in range(1, DIGITS_MAX + 1))


def told(body: bytes, id: str | None) -> Item | None:
    """The item of a response's body that has this id."""
    output = msgspec.json.decode(body, type=Told).output
    return next((item for item in output if item.id == id), None)


def text_item(stem: str, text: str, logprobs: list[Body], *, is_whole: bool) -> Body:
    """The answer's text."""
    return {
        "type": "message",
        "id": f"msg_{stem}",
        "status": "completed" if is_whole else "incomplete",
        "role": "assistant",
        "content": [text_part(text, logprobs)],
    }


def text_part(text: str, logprobs: list[Body]) -> Body:
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": logprobs}


def call_item(stem: str, at: int, call: ToolCall) -> Body:
    """One of the answer's tool calls."""
    return {
        "type": "function_call",
        "id": f"fc_{stem}{at}",
        "call_id": call.id,
        "name": call.name,
        "arguments": call.arguments,
        "status": "completed",
    }


def answer_items(
    stem: str, choice: Choice, calls: Iterable[ToolCall], logprobs: list[Body]
) -> list[Body]:
    """The whole answer; a text that is empty is told only where there is nothing else."""
    called = [call_item(stem, at, call) for at, call in enumerate(calls)]
    text = choice.message.content or ""
    if called and not text:
        return called
    whole = choice.finish_reason != "length"
    return [text_item(stem, text, logprobs, is_whole=whole), *called]


def _message(item: Item) -> Message:
    if item.type == "function_call_output":
        return Message("tool", text_of(item.output), tool_call_id=item.call_id)
    if item.type != "message" or item.role is None:
        raise InvalidArgument(
            "expected input items that are messages, function_call or function_call_output, "
            f"got {item.type!r}"
        )
    return Message(ROLES[item.role], text_of(item.content))


def _call(item: Item) -> ToolCall:
    if not item.name:
        raise InvalidArgument("expected a name in a function_call item")
    return ToolCall(item.call_id or item.name, item.name, item.arguments or "{}")
