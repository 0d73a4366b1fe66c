"""OpenAI's chat completions: the request as a `Generate`, the completion as their reply."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from aios.errors import InvalidArgument
from aios.server.wire import decoding
from aios.server.wire.chat_stream import ChatStream
from aios.server.wire.decoding import (
    Allowed,
    Count,
    Format,
    Function,
    Named,
    Sampling,
    StreamOptions,
)
from aios.server.wire.turn import Asked, Body, Head
from aios.server.wire.usage import logprobs, usage
from aios.syscalls import Choice, Completion, Decoding, Generate, Message, ToolCall, ToolSpec

TEXTS = frozenset({"text", "input_text", "output_text", "refusal"})
ROLES: dict[str, Literal["system", "user", "assistant", "tool"]] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "assistant": "assistant",
    "tool": "tool",
    "function": "tool",
}


class Part(msgspec.Struct, kw_only=True):
    """A piece of a message's content."""

    type: str = "text"
    text: str | None = None
    refusal: str | None = None


class Called(msgspec.Struct, kw_only=True):
    name: str
    arguments: str | None = None


class ToolUse(msgspec.Struct, kw_only=True):
    id: str | None = None
    function: Called | None = None


class Said(msgspec.Struct, kw_only=True):
    """A message as clients send it."""

    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: str | list[Part] | None = None
    name: str | None = None
    tool_calls: list[ToolUse] | None = None
    tool_call_id: str | None = None
    function_call: Called | None = None


class Tool(msgspec.Struct, kw_only=True):
    type: str = "function"
    function: Function | None = None


class Choose(msgspec.Struct, kw_only=True):
    """A forced tool, in today's form or in that of legacy functions; or those that are allowed."""

    function: Named | None = None
    name: str | None = None
    allowed_tools: Allowed | None = None


class ChatRequest(Sampling, kw_only=True):
    """The body of POST /v1/chat/completions, as far as it is heeded."""

    messages: Annotated[list[Said], Meta(min_length=1, max_length=100_000)]
    model: str = ""
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    max_completion_tokens: Count | None = None
    response_format: Format | None = None
    tools: list[Tool] | None = None
    tool_choice: str | Choose | None = None
    parallel_tool_calls: bool | None = None
    functions: list[Function] | None = None
    function_call: str | Choose | None = None
    logprobs: bool | None = None
    top_logprobs: Annotated[int, Meta(ge=0, le=20)] | None = None


class Chat(Asked[ChatRequest]):
    """One chat completion that was asked for."""

    def __init__(self, body: bytes) -> None:
        super().__init__(body, ChatRequest)
        self._decoding = _decoding(self._asked)
        self._messages = tuple(map(message, self._asked.messages))
        self._is_legacy = bool(self._asked.functions) and not self._asked.tools
        self._are_parallel = not self._is_legacy and self._asked.parallel_tool_calls is not False

    def generate(self, model: str) -> Generate:
        return Generate(messages=self._messages, model=model, decoding=self._decoding, shorten=True)

    def reply(self, completion: Completion, head: Head) -> Body:
        return {
            "id": f"chatcmpl-{head.stem}",
            "object": "chat.completion",
            "created": head.created,
            "model": completion.model,
            "choices": [self._choice(choice) for choice in completion.choices],
            "usage": usage(completion.usage),
            "system_fingerprint": None,
        }

    def streaming(self, head: Head) -> ChatStream:
        return ChatStream(
            head,
            self._decoding,
            is_legacy=self._is_legacy,
            are_parallel=self._are_parallel,
            tells_usage=decoding.tells_usage(self._asked.stream_options),
        )

    def _choice(self, choice: Choice) -> Body:
        said: Body = {
            "role": "assistant",
            "content": choice.message.content,
            "refusal": None,
        }
        reason: str = choice.finish_reason
        calls = decoding.calls_of(choice, self._are_parallel)
        if calls and self._is_legacy:
            said["function_call"] = {"name": calls[0].name, "arguments": calls[0].arguments}
            reason = "function_call"
        elif calls:
            said["tool_calls"] = [_told(call) for call in calls]
        told = {"content": logprobs(choice.logprobs), "refusal": None} if choice.logprobs else None
        return {
            "index": choice.index, "message": said, "logprobs": told, "finish_reason": reason,
        }  # fmt: skip


def message(said: Said) -> Message:
    """A message as the kernel knows it; absent content, null and "" are one."""
    calls = tuple(
        ToolCall(use.id or "", use.function.name, use.function.arguments or "{}")
        for use in said.tool_calls or ()
        if use.function
    )
    if said.function_call:
        legacy = said.function_call
        calls = (*calls, ToolCall(legacy.name, legacy.name, legacy.arguments or "{}"))
    answers = said.tool_call_id
    if said.role == "function":
        answers = said.name
    return Message(
        role=ROLES[said.role],
        content=text_of(said.content),
        tool_calls=calls,
        tool_call_id=answers,
        name=said.name,
    )


def text_of(content: str | list[Part] | None) -> str:
    """The text of a message's content; parts follow each other as they are."""
    if content is None or isinstance(content, str):
        return content or ""
    strange = next((part.type for part in content if part.type not in TEXTS), None)
    if strange is not None:
        raise InvalidArgument(f"expected text: this kernel's models cannot read {strange!r}")
    return "".join(part.text or part.refusal or "" for part in content)


def _decoding(asked: ChatRequest) -> Decoding:
    functions = [tool.function for tool in asked.tools or () if tool.function]
    choose = asked.tool_choice
    allowed = choose.allowed_tools if isinstance(choose, Choose) else None
    tools = tuple(map(decoding.spec, functions or asked.functions or ()))
    tools = decoding.narrowed(tools, allowed)
    limits = [one for one in (asked.max_tokens, asked.max_completion_tokens) if one is not None]
    return decoding.sampling(
        asked,
        max_tokens=min(limits, default=None),
        schema=decoding.schema(asked.response_format),
        tools=tools,
        tool_choice=_choice(asked, tools),
        logprobs=(asked.top_logprobs or 0) if asked.logprobs else None,
    )


def _choice(asked: ChatRequest, tools: tuple[ToolSpec, ...]) -> str:
    given = asked.tool_choice or asked.function_call
    are_parallel = asked.parallel_tool_calls is not False
    if not isinstance(given, Choose):
        return decoding.choice(given, tools, are_parallel)
    if given.allowed_tools:
        return decoding.choice(given.allowed_tools.mode, tools, are_parallel)
    name = given.function.name if given.function else given.name
    if name is None:
        raise InvalidArgument("expected the name of a function in tool_choice")
    return name


def _told(call: ToolCall) -> Body:
    return {
        "id": call.id,
        "type": "function",
        "function": {"name": call.name, "arguments": call.arguments},
    }
