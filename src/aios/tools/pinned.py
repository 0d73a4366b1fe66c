"""What a pin covers, as data, and in what two such definitions differ. Pure."""

from collections.abc import Mapping
from typing import Any

import msgspec

from aios.syscalls.tool import ToolChange
from aios.tools.base import Tool


def covered(tool: Tool) -> dict[str, Any]:
    """All that the tool's pin is the hash of, but its name."""
    told = {
        "description": tool.info.description,
        "parameters": tool.info.parameters,
        "terms": tool.terms,
        "program": tool.program,
    }
    # A function among the terms is the operator's own code, which no pin is about.
    data = msgspec.json.encode(told, order="sorted", enc_hook=lambda code: None)
    return msgspec.json.decode(data, type=dict[str, Any])


def differences(was: Mapping[str, Any], now: Mapping[str, Any]) -> tuple[ToolChange, ...]:
    """Values that are not the same, by their path; a list is one value."""
    before, after = _values(was), _values(now)
    return tuple(
        ToolChange(".".join(path), before.get(path), after.get(path))
        for path in sorted(before.keys() | after.keys())
        if (path in before, before.get(path)) != (path in after, after.get(path))
    )


def _values(whole: Mapping[str, Any]) -> dict[tuple[str, ...], Any]:
    found: dict[tuple[str, ...], Any] = {}
    left: list[tuple[tuple[str, ...], Any]] = [((), whole)]
    while left:  # No recursion: a stranger's schema is as deep as he likes.
        path, value = left.pop()
        if isinstance(value, Mapping) and (value or not path):
            left += [((*path, str(name)), one) for name, one in value.items()]
        else:
            found[path] = value
    return found
