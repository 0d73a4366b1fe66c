"""What OpenAI's surfaces say alike about how tokens are chosen, as a `Decoding`."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from aios.errors import InvalidArgument
from aios.server.wire.body import shallow
from aios.syscalls import Choice, Decoding, ToolCall, ToolSpec

Count = Annotated[int, Meta(ge=1)]
ANY_OBJECT: dict[str, Any] = {"type": "object"}


class StreamOptions(msgspec.Struct, kw_only=True):
    include_usage: bool | None = None


class Sampling(msgspec.Struct, kw_only=True):
    """Fields of one meaning in chat and text completions; those after `n` are extensions."""

    max_tokens: Count | None = None
    temperature: Annotated[float, Meta(ge=0, le=100)] | None = None
    top_p: Annotated[float, Meta(gt=0, le=1)] | None = None
    presence_penalty: Annotated[float, Meta(ge=-100, le=100)] | None = None
    frequency_penalty: Annotated[float, Meta(ge=-100, le=100)] | None = None
    logit_bias: dict[int, float] | None = None
    seed: Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)] | None = None
    stop: str | list[str] | None = None
    n: Annotated[int, Meta(ge=1, le=64)] | None = None
    top_k: Annotated[int, Meta(ge=0)] | None = None
    min_p: Annotated[float, Meta(ge=0, le=1)] | None = None
    repetition_penalty: Annotated[float, Meta(gt=0, le=100)] | None = None


class Function(msgspec.Struct, kw_only=True):
    """A tool as OpenAI describes it."""

    name: str
    description: str | None = None
    parameters: dict[str, Any] | None = None


class Named(msgspec.Struct, kw_only=True):
    name: str


class AllowedTool(msgspec.Struct, kw_only=True):
    """A tool by its name, in chat's form or in that of responses."""

    name: str | None = None
    function: Named | None = None


class Allowed(msgspec.Struct, kw_only=True):
    """Which of the tools may be called this time."""

    mode: Literal["auto", "required"] = "auto"
    tools: list[AllowedTool] = []


class JsonSchema(msgspec.Struct, kw_only=True):
    schema: dict[str, Any] | None = None


class Format(msgspec.Struct, kw_only=True):
    """The form of an answer: chat nests its schema, responses does not."""

    type: Literal["text", "json_object", "json_schema"] = "text"
    json_schema: JsonSchema | None = None
    schema: dict[str, Any] | None = None


_ALIKE = tuple(
    name for name in Sampling.__struct_fields__ if name not in ("stop", "max_tokens", "n")
)


def sampling(asked: Sampling, **more: Any) -> Decoding:
    """The decoding of the shared fields, and of those that the surface adds."""
    given = {name: value for name in _ALIKE if (value := getattr(asked, name)) is not None}
    given |= {"max_tokens": asked.max_tokens, "n": asked.n or 1, "stop": stops(asked.stop)}
    return Decoding(**(given | more))


def stops(stop: str | list[str] | None) -> tuple[str, ...]:
    """Stop strings; an empty one stops nothing, which is what clients mean by it."""
    given = [stop] if isinstance(stop, str) else stop or []
    if len(given) > 16:
        raise InvalidArgument(f"expected at most 16 stop strings, got {len(given)}")
    return tuple(text for text in given if text)


def spec(function: Function) -> ToolSpec:
    """The tool as the kernel knows it."""
    return ToolSpec(
        name=function.name,
        description=function.description or "",
        parameters=shallow(function.parameters or {}, f"the parameters of {function.name!r}"),
    )


def narrowed(tools: tuple[ToolSpec, ...], allowed: Allowed | None) -> tuple[ToolSpec, ...]:
    """The tools that may be called: all of them, where nothing is said."""
    if allowed is None:
        return tools
    names = {one.function.name if one.function else one.name for one in allowed.tools}
    return tuple(tool for tool in tools if tool.name in names)


def schema(asked: Format | None) -> dict[str, Any] | None:
    """The JSON schema that the answer must have; None where it is free text."""
    if asked is None or asked.type == "text":
        return None
    if asked.type == "json_object":
        return ANY_OBJECT
    found = asked.json_schema.schema if asked.json_schema else asked.schema
    if found is None:
        raise InvalidArgument("expected a schema where the format is json_schema")
    return shallow(found, "a schema")


def choice(given: str | None, tools: tuple[ToolSpec, ...], are_parallel: bool) -> str:
    """OpenAI's tool choice by a word, as the kernel has it."""
    if given not in (None, "auto", "none", "required"):
        raise InvalidArgument(f"expected auto, none, required or a function, got {given!r}")
    if not tools:
        return "auto"
    wanted = given or "auto"
    return wanted if are_parallel else at_most_one(wanted, tools)


def tells_usage(options: StreamOptions | None) -> bool:
    """Whether a stream ends with what it took."""
    return bool(options and options.include_usage)


def at_most_one(choice: str, tools: tuple[ToolSpec, ...]) -> str:
    """The tool choice where calls in parallel are not wanted: naming the tool forces one call."""
    return tools[0].name if choice == "required" and len(tools) == 1 else choice


def calls_of(choice: Choice, are_parallel: bool) -> tuple[ToolCall, ...]:
    """The calls to tell: the first only, where the client takes one at a time."""
    return choice.message.tool_calls if are_parallel else choice.message.tool_calls[:1]
