"""OpenAI's responses: requests as `Generate`, completions as replies, which it has stored."""

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from aios.errors import InvalidArgument, NotFound
from aios.server.wire import items
from aios.server.wire.body import parsed
from aios.server.wire.decoding import (
    Allowed,
    Count,
    Format,
    Function,
    calls_of,
    choice,
    narrowed,
    schema,
    spec,
)
from aios.server.wire.responses_stream import ResponseStream
from aios.server.wire.stored import Kept, Responses
from aios.server.wire.turn import Asked, Body, Head
from aios.server.wire.usage import logprobs
from aios.syscalls import Completion, Decoding, Generate, Message, ToolSpec, Usage

LOGPROBS = "message.output_text.logprobs"


class Tool(Function, kw_only=True):
    name: str = ""
    type: str = "function"


class Choose(Allowed, kw_only=True):
    """A forced tool, or those that are allowed."""

    type: str = "function"
    name: str | None = None

    @property
    def allows(self) -> Allowed | None:
        return self if self.type == "allowed_tools" else None


class Text(msgspec.Struct, kw_only=True):
    format: Format | None = None


class ResponseRequest(msgspec.Struct, kw_only=True):
    """The body of POST /v1/responses, as far as it is heeded."""

    input: str | Annotated[list[items.Item], Meta(max_length=100_000)]
    model: str = ""
    instructions: str | None = None
    previous_response_id: str | None = None
    stream: bool | None = None
    store: bool | None = None
    background: bool | None = None
    max_output_tokens: Count | None = None
    temperature: Annotated[float, Meta(ge=0, le=100)] | None = None
    top_p: Annotated[float, Meta(gt=0, le=1)] | None = None
    seed: Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)] | None = None
    text: Text | None = None
    tools: list[Tool] | None = None
    tool_choice: str | Choose | None = None
    parallel_tool_calls: bool | None = None
    include: list[str] | None = None
    top_logprobs: Annotated[int, Meta(ge=0, le=20)] | None = None


class Echo(msgspec.Struct, kw_only=True):
    """What a response repeats of its request, as it was written."""

    input: msgspec.Raw
    tools: msgspec.Raw = msgspec.Raw(b"[]")
    tool_choice: msgspec.Raw = msgspec.Raw(b'"auto"')
    text: msgspec.Raw = msgspec.Raw(b'{"format":{"type":"text"}}')
    metadata: msgspec.Raw = msgspec.Raw(b"{}")


class Response(Asked[ResponseRequest]):
    """One response that was asked for by `owner`, whose earlier ones are in `store`."""

    def __init__(self, body: bytes, store: Responses, owner: int) -> None:
        super().__init__(body, ResponseRequest)
        self._echo = parsed(body, Echo)
        self._store = store
        self._owner = owner
        if self._asked.background:
            raise InvalidArgument("expected no background: keep the connection open instead")
        self._messages = (*self._before(), *items.messages(self._input()))
        self._are_parallel = self._asked.parallel_tool_calls is not False
        self._decoding = _decoding(self._asked)

    @property
    def follows(self) -> str:
        return self._asked.previous_response_id or ""

    def generate(self, model: str) -> Generate:
        told = self._asked.instructions
        opening = (Message("system", told),) if told else ()
        return Generate(
            messages=(*opening, *self._messages),
            model=model,
            decoding=self._decoding,
            shorten=True,
        )

    def reply(self, completion: Completion, head: Head) -> Body:
        first = completion.choices[0]
        calls = calls_of(first, self._are_parallel)
        output = items.answer_items(head.stem, first, calls, logprobs(first.logprobs))
        is_short = first.finish_reason == "length"
        body = self.begun(head) | {
            "status": "incomplete" if is_short else "completed",
            "incomplete_details": {"reason": "max_output_tokens"} if is_short else None,
            "model": completion.model,
            "output": output,
            "usage": _usage(completion.usage),
        }
        if self._asked.store is not False:
            answer = msgspec.structs.replace(first.message, tool_calls=calls)
            self._keep(body, answer)
        return body

    def streaming(self, head: Head) -> ResponseStream:
        return ResponseStream(
            head,
            self._decoding,
            begun=lambda: self.begun(head),
            ended=lambda completion: self.reply(completion, head),
            are_parallel=self._are_parallel,
        )

    def begun(self, head: Head) -> Body:
        """The response before it has said anything."""
        asked, echo = self._asked, self._echo
        return {
            "id": head.response,
            "object": "response",
            "created_at": head.created,
            "status": "in_progress",
            "background": False,
            "error": None,
            "incomplete_details": None,
            "instructions": asked.instructions,
            "max_output_tokens": asked.max_output_tokens,
            "metadata": echo.metadata,
            "model": head.model,
            "output": [],
            "parallel_tool_calls": self._are_parallel,
            "previous_response_id": asked.previous_response_id,
            "reasoning": {"effort": None, "summary": None},
            "store": asked.store is not False,
            "temperature": 1.0 if asked.temperature is None else asked.temperature,
            "text": echo.text,
            "tool_choice": echo.tool_choice,
            "tools": echo.tools,
            "top_p": 1.0 if asked.top_p is None else asked.top_p,
            "truncation": "disabled",
            "usage": None,
        }

    def _input(self) -> str | list[items.Item]:
        """What was sent, with items that are sent by their ids alone as they were told."""
        sent = self._asked.input
        return sent if isinstance(sent, str) else list(map(self._whole, sent))

    def _whole(self, item: items.Item) -> items.Item:
        if item.type != "item_reference":
            return item
        for home in items.homes_of(item.id or ""):
            kept = self._store.find(self._owner, home)
            told = items.told(kept.body, item.id) if kept else None
            if told is not None:
                return told
        raise NotFound(f"no stored item {(item.id or '')[:100]!r}")

    def _before(self) -> tuple[Message, ...]:
        """The conversation that this one goes on from."""
        earlier = self._asked.previous_response_id
        if earlier is None:
            return ()
        kept = self._store.find(self._owner, earlier)
        if kept is None:
            raise NotFound(f"no stored response {earlier[:100]!r}")
        return kept.messages

    def _keep(self, body: Body, answer: Message) -> None:
        kept = Kept(
            id=body["id"],
            body=msgspec.json.encode(body),
            input=bytes(self._echo.input),
            messages=(*self._messages, answer),
        )
        self._store.keep(self._owner, kept)


def _decoding(asked: ResponseRequest) -> Decoding:
    strange = next((tool.type for tool in asked.tools or () if tool.type != "function"), None)
    if strange is not None:
        raise InvalidArgument(f"expected tools of type function, got {strange!r}")
    choose = asked.tool_choice
    allowed = choose.allows if isinstance(choose, Choose) else None
    tools = narrowed(tuple(map(spec, asked.tools or ())), allowed)
    names = ("temperature", "top_p", "seed")
    given: dict[str, Any] = {
        name: value for name in names if (value := getattr(asked, name)) is not None
    }
    wants_logprobs = asked.top_logprobs or LOGPROBS in (asked.include or ())
    return Decoding(
        max_tokens=asked.max_output_tokens,
        schema=schema(asked.text.format if asked.text else None),
        tools=tools,
        tool_choice=_choice(asked, tools),
        logprobs=(asked.top_logprobs or 0) if wants_logprobs else None,
        **given,
    )


def _choice(asked: ResponseRequest, tools: tuple[ToolSpec, ...]) -> str:
    given = asked.tool_choice
    are_parallel = asked.parallel_tool_calls is not False
    if not isinstance(given, Choose):
        return choice(given, tools, are_parallel)
    if given.allows:
        return choice(given.mode, tools, are_parallel)
    if given.type != "function" or given.name is None:
        raise InvalidArgument("expected a function's name in tool_choice")
    return given.name


def _usage(found: Usage) -> Body:
    return {
        "input_tokens": found.prompt_tokens,
        "input_tokens_details": {"cached_tokens": found.cached_tokens},
        "output_tokens": found.completion_tokens,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": found.prompt_tokens + found.completion_tokens,
    }
