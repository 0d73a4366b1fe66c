"""The chat format: a template for everyone, and the same rendering in plain Python for training.

A turn is a role token, text and the end token; only the names of tools are told.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aios.models.pocket.tasks import Task

END = "<|end|>"
PAD = "<|pad|>"
CALL, CALL_END = "<tool_call>", "</tool_call>"
ROLES = ("system", "user", "assistant", "tool")
SPECIAL = (PAD, END, *(f"<|{role}|>" for role in ROLES), CALL, CALL_END)

# A string of arguments may come from any JSON writer: spaces are put where the model expects them.
TEMPLATE = """\
{%- macro text(content) -%}
{%- if content is string -%}{{- content -}}
{%- elif content -%}{%- for part in content -%}{{- part.text -}}{%- endfor -%}
{%- endif -%}
{%- endmacro -%}
{{- '<|system|>Tools:' -}}
{%- for tool in tools or [] -%}{{- ' ' ~ (tool.function or tool).name -}}{%- endfor -%}
{%- if not tools -%}{{- ' none' -}}{%- endif -%}
{%- set has_system = messages and messages[0].role == 'system' -%}
{%- if has_system and messages[0].content -%}{{- '\\n' ~ text(messages[0].content) -}}{%- endif -%}
{{- '<|end|>' -}}
{%- set rest = messages[1:] if has_system else messages -%}
{%- for message in rest -%}
{{- '<|' ~ message.role ~ '|>' -}}
{%- if message.content -%}{{- text(message.content) -}}{%- endif -%}
{%- for call in message.tool_calls or [] -%}
{%- set function = call.function or call -%}
{%- set given = function.arguments -%}
{%- if given is not string -%}{%- set given = given | tojson -%}{%- endif -%}
{%- set given = given | replace('":"', '": "') | replace('","', '", "') -%}
{{- '<tool_call>{"name": "' ~ function.name ~ '", "arguments": ' ~ given ~ '}</tool_call>' -}}
{%- endfor -%}
{{- '<|end|>' -}}
{%- endfor -%}
{%- if add_generation_prompt -%}{{- '<|assistant|>' -}}{%- endif -%}
"""


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of a conversation's text, and whether the assistant wrote it."""

    text: str
    learned: bool


def segments(task: Task) -> list[Segment]:
    """A task as the perfect assistant would have gone through it."""
    names = " ".join(task.tools) or "none"
    system = f"\n{task.system}" if task.system else ""
    parts = [Segment(f"<|system|>Tools: {names}{system}{END}", False)]
    for turn in task.turns:
        parts.append(Segment(f"<|user|>{turn.user}{END}<|assistant|>", False))
        for call in turn.calls:
            parts.append(Segment(render_call(call.tool, call.arguments) + END, True))
            parts.append(Segment(f"<|tool|>{call.result}{END}<|assistant|>", False))
        parts.append(Segment(turn.answer + END, True))
    return parts


def render_call(tool: str, arguments: Mapping[str, object]) -> str:
    """A tool call as the model writes it."""
    written = json.dumps({"name": tool, "arguments": dict(arguments)}, ensure_ascii=False)
    return f"{CALL}{written}{CALL_END}"


def messages(task: Task) -> list[dict[str, Any]]:
    """A task's whole conversation as OpenAI-style messages."""
    told: list[dict[str, Any]] = []
    if task.system:
        told.append({"role": "system", "content": task.system})
    for turn in task.turns:
        told.append({"role": "user", "content": turn.user})
        for call in turn.calls:
            told.append(call_message(call.tool, call.arguments))
            told.append({"role": "tool", "content": call.result})
        told.append({"role": "assistant", "content": turn.answer})
    return told


def call_message(tool: str, arguments: Mapping[str, object]) -> dict[str, Any]:
    """An assistant message that makes one tool call."""
    function = {"name": tool, "arguments": dict(arguments)}
    call = {"id": "call", "type": "function", "function": function}
    return {"role": "assistant", "content": None, "tool_calls": [call]}


def parse_call(text: str) -> tuple[str, dict[str, object]] | None:
    """The tool call in an assistant's turn; None if the turn is an answer.

    Raises ValueError when there is a call that is not well formed.
    """
    if CALL not in text:
        return None
    _, _, rest = text.partition(CALL)
    body, closed, after = rest.partition(CALL_END)
    if not closed or after.strip():
        raise ValueError(f"no single closed tool call: {text!r}")
    call = json.loads(body)
    match call:
        case {"name": str(name), "arguments": dict(arguments)}:
            return name, arguments
    raise ValueError(f"expected a name and arguments: {body!r}")
