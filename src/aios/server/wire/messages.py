"""Anthropic's messages: requests as `Generate` or `Tokenize`, completions as their replies."""

from collections.abc import Iterator
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from aios.errors import InvalidArgument
from aios.server.wire.body import parsed, shallow
from aios.server.wire.decoding import Count, Format, at_most_one, calls_of, schema
from aios.server.wire.messages_stream import MessageStream, stop_reason, usage
from aios.server.wire.turn import Asked, Body, Head
from aios.syscalls import llm

CHOICES = {"auto": "auto", "any": "required", "none": "none"}
SILENT = frozenset({"thinking", "redacted_thinking"})  # what other models thought is not replayed


class Block(msgspec.Struct, kw_only=True):
    """A piece of content of any type; which fields it has depends on its type."""

    type: str = "text"
    text: str | None = None
    id: str | None = None
    name: str | None = None
    input: dict[str, Any] | None = None
    tool_use_id: str | None = None
    content: "str | list[Block] | None" = None
    is_error: bool | None = None


class Said(msgspec.Struct, kw_only=True):
    role: Literal["user", "assistant", "system"]
    content: str | list[Block] | None = None


class Tool(msgspec.Struct, kw_only=True):
    name: str
    description: str | None = None
    input_schema: dict[str, Any] | None = None


class Choose(msgspec.Struct, kw_only=True):
    type: Literal["auto", "any", "tool", "none"] = "auto"
    name: str | None = None
    disable_parallel_tool_use: bool | None = None


class OutputConfig(msgspec.Struct, kw_only=True):
    format: Format | None = None


class CountRequest(msgspec.Struct, kw_only=True):
    """The body of POST /v1/messages/count_tokens, as far as it is heeded."""

    messages: Annotated[list[Said], Meta(min_length=1, max_length=100_000)]
    model: str = ""
    system: str | list[Block] | None = None
    tools: list[Tool] | None = None


class MessagesRequest(CountRequest, kw_only=True):
    """The body of POST /v1/messages, as far as it is heeded."""

    max_tokens: Count
    stream: bool | None = None
    temperature: Annotated[float, Meta(ge=0, le=100)] | None = None
    top_p: Annotated[float, Meta(gt=0, le=1)] | None = None
    top_k: Annotated[int, Meta(ge=0)] | None = None
    stop_sequences: Annotated[list[str], Meta(max_length=16)] | None = None
    tool_choice: Choose | None = None
    output_config: OutputConfig | None = None
    output_format: Format | None = None


class Messages(Asked[MessagesRequest]):
    """One message that was asked for."""

    def __init__(self, body: bytes) -> None:
        super().__init__(body, MessagesRequest)
        self._messages = conversation(self._asked)
        choose = self._asked.tool_choice
        self._are_parallel = not (choose and choose.disable_parallel_tool_use)
        self._decoding = _decoding(self._asked, self._are_parallel)

    def generate(self, model: str) -> llm.Generate:
        return llm.Generate(
            messages=self._messages, model=model, decoding=self._decoding, shorten=True
        )

    def reply(self, completion: llm.Completion, head: Head) -> Body:
        choice = completion.choices[0]
        calls = calls_of(choice, self._are_parallel)
        return {
            "id": f"msg_{head.stem}",
            "type": "message",
            "role": "assistant",
            "model": completion.model,
            "content": [*_text(choice.message.content, calls), *map(_used, calls)],
            "stop_reason": stop_reason(choice),
            "stop_sequence": None,
            "usage": usage(completion.usage),
        }

    def streaming(self, head: Head) -> MessageStream:
        return MessageStream(head, self._decoding, are_parallel=self._are_parallel)


class CountTokens:
    """How many tokens a conversation has, that somebody asked for."""

    def __init__(self, body: bytes) -> None:
        self._asked = parsed(body, CountRequest)
        self.model = self._asked.model

    def tokenize(self, model: str) -> llm.Tokenize:
        return llm.Tokenize(
            messages=conversation(self._asked), tools=_tools(self._asked), model=model
        )

    def reply(self, found: llm.Tokenized) -> Body:
        return {"input_tokens": len(found.token_ids)}


def conversation(asked: CountRequest) -> tuple[llm.Message, ...]:
    """The system prompt and the turns, each tool's result a message of its own."""
    system = _joined(asked.system)
    opening = (llm.Message("system", system),) if system else ()
    turns = (one for said in asked.messages for one in _turn(said))
    return (*opening, *turns)


def _turn(said: Said) -> Iterator[llm.Message]:
    if said.content is None or isinstance(said.content, str):
        yield llm.Message(said.role, said.content or "")
        return
    results = [block for block in said.content if block.type == "tool_result"]
    for block in results:
        text = _joined(block.content)
        told = f"Error: {text}" if block.is_error else text
        yield llm.Message("tool", told, tool_call_id=block.tool_use_id)
    calls = tuple(map(_call, (block for block in said.content if block.type == "tool_use")))
    rest = [block for block in said.content if block.type not in ("tool_use", "tool_result")]
    text = _joined(rest)
    if text or calls or not results:
        yield llm.Message(said.role, text, tool_calls=calls)


def _joined(content: str | list[Block] | None) -> str:
    if content is None or isinstance(content, str):
        return content or ""
    spoken = [block for block in content if block.type not in SILENT]
    strange = next((block.type for block in spoken if block.type != "text"), None)
    if strange is not None:
        raise InvalidArgument(f"expected text: this kernel's models cannot read {strange!r}")
    return "\n".join(block.text or "" for block in spoken)


def _call(block: Block) -> llm.ToolCall:
    if not block.name:
        raise InvalidArgument("expected a name in a tool_use block")
    arguments = msgspec.json.encode(block.input or {}).decode()
    return llm.ToolCall(block.id or block.name, block.name, arguments)


def _tools(asked: CountRequest) -> tuple[llm.ToolSpec, ...]:
    return tuple(
        llm.ToolSpec(
            name=tool.name,
            description=tool.description or "",
            parameters=shallow(tool.input_schema or {}, f"the input_schema of {tool.name!r}"),
        )
        for tool in asked.tools or ()
    )


def _decoding(asked: MessagesRequest, are_parallel: bool) -> llm.Decoding:
    tools = _tools(asked)
    names = ("temperature", "top_p", "top_k")
    given = {name: value for name in names if (value := getattr(asked, name)) is not None}
    form = asked.output_config.format if asked.output_config else None
    return llm.Decoding(
        max_tokens=asked.max_tokens,
        stop=tuple(text for text in asked.stop_sequences or () if text),
        schema=schema(form or asked.output_format),
        tools=tools,
        tool_choice=_choice(asked.tool_choice, tools, are_parallel),
        **given,
    )


def _choice(choose: Choose | None, tools: tuple[llm.ToolSpec, ...], are_parallel: bool) -> str:
    if choose is None or not tools:
        return "auto"
    if choose.type == "tool":
        if choose.name is None:
            raise InvalidArgument("expected a name in tool_choice of type tool")
        return choose.name
    choice = CHOICES[choose.type]
    return choice if are_parallel else at_most_one(choice, tools)


def _text(content: str | None, calls: tuple[llm.ToolCall, ...]) -> list[Body]:
    """The text block; an empty one only where there is nothing else."""
    return [{"type": "text", "text": content or ""}] if content or not calls else []


def _used(call: llm.ToolCall) -> Body:
    # Anthropic tells arguments as an object; what is none (an answer cut short) is told as empty.
    try:
        given = msgspec.json.decode(call.arguments, type=dict[str, Any])
    except (msgspec.DecodeError, RecursionError):
        given = {}
    return {"type": "tool_use", "id": call.id, "name": call.name, "input": given}
