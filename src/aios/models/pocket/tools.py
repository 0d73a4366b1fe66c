"""The five tools that pocket was trained on: typed data, JSON schemas and real implementations.

They work on one small in-memory state. This module knows nothing of models, prompts or phrasings.
"""

import ast
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

OK = "ok"
NULL = "null"
TIMEOUT = "error: timeout"
NOT_FOUND = "error: not found"

# The longest arguments. A schema tells them, so that a grammar closes a word that a model repeats
# without end while the call can still be finished.
WORDS_MAX = 40  # a key, a name, an expression
TEXT_MAX = 120

_DIGITS_MAX = 30  # a longer result is refused, so that no expression can run away


@dataclass(slots=True, kw_only=True)
class State:
    """What the tools read and change; `faults` answer the next calls ("" lets its call through)."""

    memory: dict[str, str] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    def copy(self) -> "State":
        return State(memory=dict(self.memory), notes=dict(self.notes), faults=list(self.faults))


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """One tool: what a model is told of it, and what it does."""

    name: str
    description: str
    arguments: Mapping[str, int]  # the most characters of each
    run: Callable[[State, Mapping[str, str]], str]

    @property
    def schema(self) -> dict[str, Any]:
        """The tool as an OpenAI-style entry of `tools`."""
        parameters = {
            "type": "object",
            "properties": {
                name: {"type": "string", "maxLength": most} for name, most in self.arguments.items()
            },
            "required": list(self.arguments),
            "additionalProperties": False,
        }
        function = {
            "name": self.name,
            "description": self.description,
            "parameters": parameters,
        }
        return {"type": "function", "function": function}


def call(name: str, arguments: Mapping[str, object], state: State) -> str:
    """Run one tool call and return its result as text; mistakes come back as `error: ...`."""
    tool = TOOLS.get(name)
    if tool is None:
        return f"error: no tool {name}"
    fault = state.faults.pop(0) if state.faults else ""
    if fault:
        return fault
    texts = {key: value for key, value in arguments.items() if isinstance(value, str)}
    if set(texts) != set(tool.arguments) or len(texts) != len(arguments):
        return f"error: expected the text arguments {', '.join(tool.arguments)}"
    long = next((key for key, text in texts.items() if len(text) > tool.arguments[key]), None)
    if long is not None:
        return f"error: expected at most {tool.arguments[long]} characters in {long}"
    return tool.run(state, texts)


def calculate(expression: str) -> str:
    """The value of an arithmetic expression: exact where it is an integer, else four decimals."""
    try:
        value = _value(ast.parse(expression.strip(), mode="eval").body)
    except ZeroDivisionError:
        return "error: division by zero"
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return "error: not an expression"
    if value.denominator == 1:
        return str(value.numerator)
    return f"{float(round(value, 4)):.4f}".rstrip("0").rstrip(".")


_OPERATORS: dict[type[ast.operator], Callable[[Fraction, Fraction], Fraction]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}


def _value(node: ast.expr) -> Fraction:
    match node:
        case ast.Constant(value=int() | float()) if not isinstance(node.value, bool):
            return _bounded(Fraction(str(node.value)))
        case ast.UnaryOp(op=ast.USub()):
            return -_value(node.operand)
        case ast.BinOp() if type(node.op) in _OPERATORS:
            return _bounded(_OPERATORS[type(node.op)](_value(node.left), _value(node.right)))
    raise ValueError("only numbers, + - * / and brackets")


def _bounded(value: Fraction) -> Fraction:
    if max(abs(value.numerator), value.denominator) >= 10**_DIGITS_MAX:
        raise ValueError("too large")
    return value


def _calculator(state: State, arguments: Mapping[str, str]) -> str:
    return calculate(arguments["expr"])


def _memory_set(state: State, arguments: Mapping[str, str]) -> str:
    state.memory[arguments["key"]] = arguments["value"]
    return OK


def _memory_get(state: State, arguments: Mapping[str, str]) -> str:
    return state.memory.get(arguments["key"], NULL)


def _note_write(state: State, arguments: Mapping[str, str]) -> str:
    state.notes[arguments["name"]] = arguments["text"]
    return OK


def _note_read(state: State, arguments: Mapping[str, str]) -> str:
    return state.notes.get(arguments["name"], NOT_FOUND)


def _tool(
    name: str,
    description: str,
    arguments: Mapping[str, int],
    run: Callable[[State, Mapping[str, str]], str],
) -> Tool:
    return Tool(name=name, description=description, arguments=arguments, run=run)


TOOLS: Mapping[str, Tool] = {
    tool.name: tool
    for tool in (
        _tool("calculator", "Compute an arithmetic expression.", {"expr": WORDS_MAX}, _calculator),
        _tool(
            "memory_set",
            "Remember a value under a key.",
            {"key": WORDS_MAX, "value": TEXT_MAX},
            _memory_set,
        ),
        _tool("memory_get", "Recall the value of a key, or null.", {"key": WORDS_MAX}, _memory_get),
        _tool(
            "note_write",
            "Write a note, replacing it.",
            {"name": WORDS_MAX, "text": TEXT_MAX},
            _note_write,
        ),
        _tool("note_read", "Read a note.", {"name": WORDS_MAX}, _note_read),
    )
}
