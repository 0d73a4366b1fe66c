"""Which calls of one turn wait for which: those that touch the same thing, in order. Pure."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from aios.sdk.tool import Tool

UNDECLARED = "what the agent's functions do"  # a resource that whoever declares nothing writes
_FIELD = re.compile(r"\{([A-Za-z0-9_]+)\}")

Needs = Mapping[str, bool]  # resources; True: written


def waits_for(needs: Sequence[Needs]) -> list[list[int]]:
    """For each call the earlier ones that must have ended before it begins."""
    return [
        [other for other in range(number) if _conflict(needs[other], one)]
        for number, one in enumerate(needs)
    ]


def needs_of(tool: Tool, arguments: str) -> Needs:
    """What a call touches. Arguments that are none touch nothing: the tool will not run."""
    terms = tool.terms
    if not terms.is_declared:
        return {UNDECLARED: True}
    given = _decoded(arguments)
    if given is None:
        return {}
    properties = tool.spec.parameters.get("properties", {})
    values = {name: part["default"] for name, part in properties.items() if "default" in part}
    values |= given
    needs: dict[str, bool] = {}
    for template in terms.reads:
        needs[_filled(template, values)] = False
    for template in (*terms.writes, *terms.exclusive):
        needs[_filled(template, values)] = True
    return needs


def _conflict(first: Needs, second: Needs) -> bool:
    return any(first[name] or second[name] for name in first.keys() & second.keys())


def _filled(template: str, values: Mapping[str, Any]) -> str:
    return _FIELD.sub(lambda field: str(values.get(field[1], "")), template)


def _decoded(arguments: str) -> dict[str, Any] | None:
    try:
        return msgspec.json.decode(arguments.strip() or "{}", type=dict[str, Any])
    except (msgspec.DecodeError, RecursionError):
        return None
