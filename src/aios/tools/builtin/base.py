"""How a built-in tool is written down: a name, words for a model, a flat schema, terms, a run."""

from collections.abc import Mapping
from typing import Any

import msgspec

from aios.syscalls.tool import Text
from aios.tools.base import Run, Terms, Tool
from aios.tools.naming import info_of

SERVER = "aios"
PLAIN = Terms()


def tool(
    name: str, description: str, parameters: Mapping[str, Any], run: Run, terms: Terms = PLAIN
) -> Tool:
    """`aios/name`. Whatever it does to the caller's things it does by syscalls."""
    terms = msgspec.structs.replace(terms, inside=True)
    info = info_of(f"{SERVER}/{name}", description, parameters, terms)
    return Tool(info=info, terms=terms, run=run)


def fields(**each: Mapping[str, Any]) -> dict[str, Any]:
    """A schema of an object. What has no default is required; nothing else is allowed."""
    return {
        "type": "object",
        "properties": {name: dict(one) for name, one in each.items()},
        "required": [name for name, one in each.items() if "default" not in one],
        "additionalProperties": False,
    }


def text(description: str, **more: Any) -> dict[str, Any]:
    return {"type": "string", "description": description, **more}


def whole(description: str, least: int, most: int, **more: Any) -> dict[str, Any]:
    return {
        "type": "integer",
        "description": description,
        "minimum": least,
        "maximum": most,
        **more,
    }


def number(description: str, least: float, most: float, **more: Any) -> dict[str, Any]:
    return {"type": "number", "description": description, "minimum": least, "maximum": most, **more}


def yes_or_no(description: str, **more: Any) -> dict[str, Any]:
    return {"type": "boolean", "description": description, **more}


def words(description: str, **more: Any) -> dict[str, Any]:
    return {
        "type": "array",
        "items": {"type": "string"},
        "description": description,
        "maxItems": 64,
        **more,
    }


def say(told: str) -> tuple[Text, ...]:
    """One text."""
    return (Text(told),)
