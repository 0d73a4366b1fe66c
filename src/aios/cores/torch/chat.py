"""Messages to token ids through the model's chat template, and an answer's text back to a message.

Knows the ways in which models write tool calls; knows neither weights nor sampling.
"""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from aios.errors import InvalidArgument
from aios.syscalls.llm import Message, ToolCall, ToolSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class CallForm:
    """How a family of models writes a tool call: marks around JSON of a name and arguments."""

    begin: str
    end: str
    arguments: str  # the key beside "name"
    is_list: bool = False  # the marks stand around a list of calls


HERMES = CallForm(begin="<tool_call>", end="</tool_call>", arguments="arguments")
LLAMA = CallForm(begin="<|python_tag|>", end="", arguments="parameters")
MISTRAL = CallForm(begin="[TOOL_CALLS]", end="", arguments="arguments", is_list=True)
FORMS = (HERMES, LLAMA, MISTRAL)
_CALLS_MAX = 256  # Begin marks looked at: text that never closes them must not cost its square.
MARKS = frozenset(mark for form in FORMS for mark in (form.begin, form.end) if mark)


def form_of(chat_template: object) -> CallForm:
    """The form that a template (or named templates) writes calls in; Hermes where none says."""
    text = str(chat_template)
    return next((form for form in FORMS if form.begin in text), HERMES)


class Chat:
    """Both directions between a conversation and a model's tokens."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer

    def encode(self, messages: Sequence[Message], tools: Sequence[ToolSpec]) -> tuple[int, ...]:
        """The conversation up to where the assistant begins to write."""
        if not self._tokenizer.chat_template:
            raise InvalidArgument(
                "this model has no chat template: expected prompt or token_ids, got messages"
            )
        turns = [_turn(message) for message in messages]
        functions = [_function(tool) for tool in tools] or None
        try:
            ids = self._tokenizer.apply_chat_template(
                turns, tools=functions, add_generation_prompt=True, return_dict=False
            )
        # The template is the model author's program: whatever it raises is about these messages.
        except Exception as problem:
            raise InvalidArgument(f"the model's chat template refused: {problem}") from problem
        return tuple(ids)

    def encode_text(self, text: str) -> tuple[int, ...]:
        """A plain text, with what the tokenizer puts before every text."""
        return tuple(self._tokenizer.encode(text))

    def parse(self, text: str, tools: Sequence[ToolSpec], prefix: str = "call") -> Message:
        """The assistant's message. Only well-formed calls of listed tools are calls.

        Ids are `prefix` and five digits, call00000 and so on: nine letters and digits are what
        the strictest templates take. The caller's prefix makes them unique in a conversation.
        """
        names = frozenset(tool.name for tool in tools)
        found = next((calls for find in _FINDERS if (calls := [*find(text, names)])), [])
        if not found:
            return Message(role="assistant", content=text)
        rest, at = "", 0
        for call in found:
            rest, at = rest + text[at : call.start], call.end
        return Message(
            role="assistant",
            content=(rest + text[at:]).strip() or None,
            tool_calls=tuple(
                ToolCall(id=f"{prefix}{index:05d}", name=call.name, arguments=call.arguments)
                for index, call in enumerate(found)
            ),
        )


@dataclass(frozen=True, slots=True)
class _Call:
    start: int  # the text from here
    end: int  # to here is this call
    name: str
    arguments: str


class _Written(msgspec.Struct, frozen=True):
    """A call's JSON; `Raw` keeps the arguments as the model wrote them."""

    name: str
    arguments: msgspec.Raw = msgspec.Raw()
    parameters: msgspec.Raw = msgspec.Raw()


def _hermes(text: str, names: frozenset[str]) -> Iterator[_Call]:
    """<tool_call>{...}</tool_call>, anywhere; the last may lack its end where the text ends."""
    at = 0
    for _ in range(_CALLS_MAX):
        start = text.find(HERMES.begin, at)
        if start < 0:
            return
        at = start + len(HERMES.begin)
        body = _json_end(text, at)
        if body is None:
            continue
        end = _skip_space(text, body)
        if text.startswith(HERMES.end, end):
            end += len(HERMES.end)
        elif end < len(text):
            continue
        call = _read(text[at:body], names, HERMES.arguments)
        if call:
            at = end
            yield _Call(start, end, *call)


def _llama(text: str, names: frozenset[str]) -> Iterator[_Call]:
    """{...}; {...} after <|python_tag|>, or without it as the whole text."""
    mark = text.find(LLAMA.begin)
    start = 0 if mark < 0 else mark
    at = _skip_space(text, 0 if mark < 0 else mark + len(LLAMA.begin))
    calls = []
    while at < len(text):
        end = _json_end(text, at)
        call = _read(text[at:end], names, LLAMA.arguments) if end else None
        if end is None or call is None:
            return
        at = _skip_space(text, end, also=";")
        calls.append(_Call(start, at, *call))
        start = at
    yield from calls


def _mistral(text: str, names: frozenset[str]) -> Iterator[_Call]:
    """[TOOL_CALLS] [{...}, {...}]."""
    start = text.find(MISTRAL.begin)
    at = _skip_space(text, start + len(MISTRAL.begin))
    end = _json_end(text, at) if start >= 0 else None
    if end is None:
        return
    try:
        bodies = msgspec.json.decode(text[at:end], type=list[msgspec.Raw])
    except (msgspec.DecodeError, RecursionError):
        return
    calls = [_read(bytes(body).decode(), names, MISTRAL.arguments) for body in bodies]
    if all(calls):
        yield from (_Call(start, end, *call) for call in calls if call)


_FINDERS: tuple[Callable[[str, frozenset[str]], Iterator[_Call]], ...] = (_hermes, _mistral, _llama)


def _read(text: str, names: frozenset[str], key: str) -> tuple[str, str] | None:
    """Name and arguments of a call's JSON, if it is one of a listed tool."""
    try:
        written = msgspec.json.decode(text, type=_Written)
    except (msgspec.DecodeError, RecursionError):
        return None
    body = bytes(getattr(written, key)).decode()
    return (written.name, body) if written.name in names and body.startswith("{") else None


def _json_end(text: str, at: int) -> int | None:
    """Where the JSON value that begins at `at` ends."""
    try:
        return json.JSONDecoder().raw_decode(text, _skip_space(text, at))[1]
    except (ValueError, RecursionError):
        return None


def _skip_space(text: str, at: int, also: str = "") -> int:
    match = re.compile(rf"[\s{also}]*").match(text, at)
    assert match
    return match.end()


def _turn(message: Message) -> dict[str, Any]:
    """A message as templates expect it: absent keys are absent, content is always text."""
    turn: dict[str, Any] = {"role": message.role, "content": message.content or ""}
    if message.tool_calls:
        turn["tool_calls"] = [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": call.name, "arguments": _arguments(call.arguments)},
            }
            for call in message.tool_calls
        ]
    if message.tool_call_id is not None:
        turn["tool_call_id"] = message.tool_call_id
    if message.name is not None:
        turn["name"] = message.name
    return turn


def _arguments(text: str) -> Any:
    # Templates write arguments with `tojson`: text would be written as a quoted string.
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _function(tool: ToolSpec) -> dict[str, Any]:
    return {
        "type": "function",
        "function": {
            "name": tool.name,
            "description": tool.description,
            "parameters": tool.parameters or {"type": "object", "properties": {}},
        },
    }
