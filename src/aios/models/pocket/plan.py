"""What a request asks for as data: the tool calls, their order, and the one right answer.

Carrying a plan out with the real tools labels every trace; nothing here knows phrasings or models.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from aios.models.pocket import tools

CANNOT = "I cannot do that with my tools."


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One tool call; `{0}` in an argument stands for the first step's result, and so on."""

    tool: str
    arguments: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One thing a user asks for, with the plan that answers it."""

    kind: str
    text: str
    plan: tuple[Step, ...]
    answer: str  # with {0}, {1} for results of the plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A tool call as it was made, and what came back."""

    tool: str
    arguments: Mapping[str, str]
    result: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Everything the assistant does for one request."""

    calls: tuple[Call, ...]
    answer: str


def carry_out(request: Request, state: tools.State, listed: Collection[str]) -> Outcome:
    """Do what a perfect assistant would do, changing `state` with the real tools."""
    for step in request.plan:
        if step.tool not in listed:
            return Outcome(calls=(), answer=missing(step.tool))
    calls: list[Call] = []
    results: list[str] = []
    for step in request.plan:
        arguments = {key: _fill(text, results) for key, text in step.arguments.items()}
        calls.extend(_attempts(step.tool, arguments, state))
        failure = _failure(calls[-1])
        if failure is not None:
            return Outcome(calls=tuple(calls), answer=failure)
        results.append(calls[-1].result)
    return Outcome(calls=tuple(calls), answer=_fill(request.answer, results))


def missing(tool: str) -> str:
    """The answer when a request needs a tool that is not listed."""
    return f"I cannot do that: the tool {tool} is not listed."


def _attempts(tool: str, arguments: Mapping[str, str], state: tools.State) -> list[Call]:
    """One call, and a second one if the first timed out."""
    calls: list[Call] = []
    while len(calls) < 2 and (not calls or calls[-1].result == tools.TIMEOUT):
        result = tools.call(tool, arguments, state)
        calls.append(Call(tool=tool, arguments=arguments, result=result))
    return calls


def _failure(call: Call) -> str | None:
    if call.result == tools.TIMEOUT:
        return f"The tool {call.tool} does not answer."
    if call.tool == "memory_get" and call.result == tools.NULL:
        return f"I do not know the {call.arguments['key']}."
    if call.tool == "note_read" and call.result == tools.NOT_FOUND:
        return f"There is no note {call.arguments['name']}."
    if call.result.startswith("error: "):
        return f"That did not work: {call.result.removeprefix('error: ')}."
    return None


def _fill(text: str, results: list[str]) -> str:
    for index, result in enumerate(results):
        text = text.replace(f"{{{index}}}", result)
    return text
