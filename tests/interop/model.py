"""A model of a few rules, which can finish any framework's tool loop: its `speech` is a function.

It computes nothing. The task is a product, `12 * 7`; it has a tool or a program work it out, and
then says what came of it: the right answer proves that the framework ran the tool and told of it.
How to call and how to answer is read from the request: its tools, its schema, or a text protocol.
"""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from aios.syscalls import Generate, Message, ToolCall, ToolSpec

TASK = re.compile(r"\d+ \* \d+")
OBSERVED = re.compile(r"(?:Observation|observation_\d+|logs|The result is)\b\D*(\d[\d,.]*)")
FINISHERS = ("final_answer", "final_result", "finish", "submit")
CODE_OF = {"expr": "{task}", "code": "print({task})", "language": "python"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a request is about. `result` is what a tool found; empty until one has run."""

    task: str
    result: str
    text: str  # all that was said
    last: str  # what was said last

    @property
    def answer(self) -> str:
        return f"The result is {self.result}." if self.result else "I cannot find a task."


def speech(call: Generate) -> Message | str:
    """The next turn: a tool call while the task is not worked out, then an answer."""
    asked = _asked(call)
    tool = _tool(call, asked)
    if tool is not None:
        return _calling(tool, asked, len(call.messages))
    if call.decoding.schema is not None:
        return json.dumps(filled(call.decoding.schema, asked))
    known = (protocol for mark, protocol in PROTOCOLS if mark in asked.text)
    return next(known, lambda asked: asked.answer)(asked)


def filled(schema: dict[str, Any], asked: Asked, root: dict[str, Any] | None = None) -> Any:
    """A value of the schema: what is asked where a text fits, the result where a number does."""
    whole = root or schema
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return filled((whole.get("$defs") or whole["definitions"])[name], asked, whole)
    for key in ("anyOf", "oneOf", "allOf"):
        if key in schema:
            return filled(schema[key][0], asked, whole)
    if "const" in schema or "enum" in schema:
        return schema.get("const", next(iter(schema.get("enum", [None]))))
    kind = schema.get("type", "object")
    return FILLERS[kind[0] if isinstance(kind, list) else kind](schema, asked, whole)


def _object(schema: dict[str, Any], asked: Asked, root: dict[str, Any]) -> dict[str, Any]:
    found = {}
    for name, inner in schema.get("properties", {}).items():
        spoken = CODE_OF.get(name, "").format(task=asked.task) if not asked.result else ""
        fits = spoken and ("enum" not in inner or spoken in inner["enum"])
        found[name] = spoken if fits else filled(inner, asked, root)
    return found


def _number(schema: dict[str, Any], asked: Asked, root: dict[str, Any]) -> float:
    return int(asked.result) if asked.result.isdigit() else 1


FILLERS: dict[str, Callable[[dict[str, Any], Asked, dict[str, Any]], Any]] = {
    "object": _object,
    "array": lambda schema, asked, root: [filled(schema.get("items", {}), asked, root)],
    "string": lambda schema, asked, root: asked.answer if asked.result else asked.task,
    "integer": _number,
    "number": _number,
    "boolean": lambda schema, asked, root: True,
    "null": lambda schema, asked, root: None,
}


def _asked(call: Generate) -> Asked:
    said = [message.content or "" for message in call.messages] or [call.prompt]
    tasks = [found for text in reversed(said) for found in TASK.findall(text)]
    return Asked(
        task=_newest(call.messages, tasks),
        result=_result(call.messages),
        text="\n".join(said),
        last=said[-1],
    )


def _newest(messages: Sequence[Message], tasks: Sequence[str]) -> str:
    """The task of the last user who set one: guides and examples have products of their own."""
    for message in reversed(messages):
        found = TASK.findall(message.content or "") if message.role == "user" else []
        if found:
            return str(found[-1])
    return tasks[0] if tasks else "1 * 1"


def _result(messages: Sequence[Message]) -> str:
    """What the last tool told: as its own turn, or as an observation in a user's."""
    for message in reversed(messages):
        content = message.content or ""
        if message.role == "tool":
            return _digits(content)
        found = OBSERVED.findall(content) if message.role == "user" else []
        if found:
            return str(found[-1]).rstrip(".,")
    return ""


def _digits(text: str) -> str:
    found = re.findall(r"\d+", text)
    return found[-1] if found else ""


def _tool(call: Generate, asked: Asked) -> ToolSpec | None:
    """The tool to call now: the one that is forced, the one that works, or the one that ends."""
    by_name = {tool.name: tool for tool in call.decoding.tools}
    choice = call.decoding.tool_choice
    if choice in by_name:
        return by_name[choice]
    if choice == "none" or not by_name:
        return None
    ends = next((by_name[name] for name in FINISHERS if name in by_name), None)
    if asked.result:
        return ends or (next(iter(by_name.values())) if choice == "required" else None)
    works = (tool for name, tool in by_name.items() if "calc" in name or name == "execute")
    return next(works, next(iter(by_name.values())) if choice == "required" else None)


def _calling(tool: ToolSpec, asked: Asked, turn: int) -> Message:
    arguments = json.dumps(filled(tool.parameters, asked))
    return Message("assistant", "", tool_calls=(ToolCall(f"call_{turn}", tool.name, arguments),))


def _dspy(asked: Asked) -> str:
    """DSPy names in its last sentence the fields that it wants."""
    wanted = re.findall(r"\[\[ ## (\w+) ## \]\]", asked.last.rpartition("Respond with")[2])
    action = {
        "next_thought": "I work it out." if not asked.result else "I have it.",
        "next_tool_name": "finish" if asked.result else "calculator",
        "next_tool_args": "{}" if asked.result else json.dumps({"expr": asked.task}),
        "completed": "",
    }
    return "\n\n".join(f"[[ ## {one} ## ]]\n{action.get(one, asked.answer)}" for one in wanted)


def _react(asked: Asked) -> str:
    if asked.result:
        return f"Thought: I can answer without using any more tools.\nAnswer: {asked.answer}"
    given = json.dumps({"expr": asked.task})
    return f"Thought: I need a tool.\nAction: calculator\nAction Input: {given}"


def _code(asked: Asked) -> str:
    """smolagents' code agent: its actions are programs, the last of which answers."""
    if asked.result:
        return f'Thought: I have it.\n<code>\nfinal_answer("{asked.answer}")\n</code>'
    return f'Thought: I compute.\n<code>\nprint(calculator(expr="{asked.task}"))\n</code>'


def _program(asked: Asked) -> str:
    return asked.answer if asked.result else f"```python\nprint({asked.task})\n```"


PROTOCOLS: Sequence[tuple[str, Callable[[Asked], str]]] = (
    ("[[ ## ", _dspy),
    ("Action Input", _react),
    ("<code>", _code),
    ("```python", _program),
)
"""Text protocols by the mark that tells them; the first that is in the conversation."""
