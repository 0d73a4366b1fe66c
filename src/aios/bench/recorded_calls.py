"""Recorded function calls over many turns (data folder `bfcl`), and machines that answer them.

The tool programs behind the recording are not in the data. So a class of tools is a machine whose
state is the hash of its start and of every change made to it, in order: any call that is lost,
doubled or out of order gives every later result another value. Runs are a workload, not scores.
"""

import ast
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LOOKS = (
    "get_", "list_", "view_", "check_", "find_", "estimate_", "compute_", "retrieve_", "display",
)  # fmt: skip
LOOKS_BY_NAME = frozenset(
    {"cat", "diff", "du", "find", "grep", "ls", "pwd", "sort", "tail", "wc", "mean", "logarithm",
     "standard_deviation", "gallon_to_liter", "liter_to_gallon"}
)  # fmt: skip
KINDS = {"dict": "object", "float": "number", "tuple": "array", "any": "string"}  # of its schemas


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """One recorded function: the machine it belongs to, and its JSON schema."""

    machine: str
    name: str
    description: str
    parameters: dict[str, Any]

    @property
    def is_read(self) -> bool:
        return self.name in LOOKS_BY_NAME or self.name.startswith(LOOKS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Called:
    """One gold call."""

    function: Function
    arguments: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A task's gold calls turn by turn, and where its machines start."""

    id: str
    start: dict[str, Any]
    turns: tuple[tuple[Called, ...], ...]


class Machine:
    """One class of tools. A look tells the state; a change changes it, and tells the new one."""

    def __init__(self, start: object) -> None:
        self.state = _digest("", start)

    def answer(self, called: Called) -> str:
        after = _digest(self.state, [called.function.name, called.arguments])
        if not called.function.is_read:
            self.state = after
        return after


def load_functions(folder: Path) -> dict[str, Function]:
    """Every function by its name; names do not repeat between the classes."""
    return {
        one.name: one
        for path in sorted((folder / "func_doc").glob("*.jsonl"))
        for one in (_function(path.stem, row) for row in rows(path))
    }


def load_tasks(folder: Path, functions: Mapping[str, Function]) -> list[Task]:
    """The recorded tasks in order."""
    starts = {row["id"]: row["initial_config"] for row in rows(folder / "multi_turn_base.jsonl")}
    return [
        Task(
            id=row["id"],
            start=starts[row["id"]],
            turns=tuple(
                tuple(_called(text, functions) for text in turn) for turn in row["ground_truth"]
            ),
        )
        for row in rows(folder / "multi_turn_base_ground_truth.jsonl")
    ]


def _function(machine: str, row: Mapping[str, Any]) -> Function:
    return Function(
        machine=machine,
        name=row["name"],
        description=row["description"],
        parameters=_schema(row["parameters"]),
    )


def _called(text: str, functions: Mapping[str, Function]) -> Called:
    """A call written as a Python expression of literals; nothing in it is run."""
    call = ast.parse(text, mode="eval").body
    assert isinstance(call, ast.Call)
    function = functions[ast.unparse(call.func)]
    names: Sequence[str] = list(function.parameters["properties"])
    given = dict(zip(names, map(ast.literal_eval, call.args), strict=False))
    given |= {str(one.arg): ast.literal_eval(one.value) for one in call.keywords}
    return Called(function=function, arguments=given)


def _schema(row: Any) -> Any:
    """JSON schema from the recording's own dialect."""
    if isinstance(row, Mapping):
        kept = {name: _schema(value) for name, value in row.items()}
        if isinstance(kept.get("type"), str):
            kept["type"] = KINDS.get(kept["type"], kept["type"])
        return kept
    return [_schema(one) for one in row] if isinstance(row, list) else row


def _digest(before: str, value: object) -> str:
    text = json.dumps([before, value], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def rows(path: Path) -> Iterator[dict[str, Any]]:
    """A recording's lines."""
    with path.open(encoding="utf-8") as file:
        yield from map(json.loads, file)
