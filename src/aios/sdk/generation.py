"""Builds a `Generate` from what an author has at hand: a text or messages, tools, options."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypedDict, Unpack

from aios.errors import InvalidArgument
from aios.sdk.tool import Tool
from aios.syscalls import Beams, Decoding, Generate, Message, ToolSpec

Prompt = str | Sequence[Message]


class Options(TypedDict, total=False):
    """Every field of `Generate` and `Decoding` that is not the prompt or the tools."""

    model: str
    priority: int
    deadline_s: float | None
    call_id: str
    shorten: bool
    program: str
    max_tokens: int | None
    temperature: float
    top_p: float
    top_k: int
    min_p: float
    repetition_penalty: float
    presence_penalty: float
    frequency_penalty: float
    logit_bias: dict[int, float]
    seed: int | None
    stop: tuple[str, ...]
    n: int
    beams: Beams | None
    logprobs: int | None
    schema: dict[str, Any] | None
    tool_choice: str


def generation(
    prompt: Prompt, tools: Iterable[Tool | ToolSpec] = (), **options: Unpack[Options]
) -> Generate:
    """The syscall; a text is one message of the user."""
    given: Mapping[str, Any] = options
    decoding = {name: value for name, value in given.items() if name not in _OF_GENERATE}
    specs = tuple(one.spec if isinstance(one, Tool) else one for one in tools)
    return Generate(
        messages=messages_of(prompt),
        decoding=Decoding(tools=specs, **decoding),
        **{name: value for name, value in given.items() if name in _OF_GENERATE},
    )


def messages_of(prompt: Prompt) -> tuple[Message, ...]:
    """The conversation that a prompt stands for."""
    if isinstance(prompt, str):
        return (Message(role="user", content=prompt),)
    if not isinstance(prompt, Iterable):
        raise InvalidArgument(f"expected a prompt of text or messages, got {prompt!r}")
    return tuple(prompt)


_OF_GENERATE = frozenset(Generate.__struct_fields__)
