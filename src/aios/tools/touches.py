"""Which resources a call touches: the templates of its tool filled with its arguments. Pure."""

import posixpath
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from itertools import product
from typing import Any

from aios.errors import InvalidArgument
from aios.tools.base import Mode, Touch

FILE = "file:"
AGENT = "agent"  # in braces: the calling agent, unless a parameter has that name
RESOURCES_MAX = 64  # that one template may name, from lists among the arguments
LENGTH_MAX = 512
_FIELD = re.compile(r"\{([A-Za-z0-9_.-]+)\}")


def check_touches(touches: Iterable[Touch], parameters: Mapping[str, Any]) -> None:
    """Raise `InvalidArgument` for a template that names what is no parameter."""
    known = {AGENT, *parameters.get("properties", {})}
    for touch in touches:
        for name in _FIELD.findall(touch.resource):
            if name.partition(".")[0] not in known:
                raise InvalidArgument(
                    f"{touch.resource!r}: expected a parameter in braces, one of {sorted(known)}"
                )


def defaults_of(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """What a call that leaves parameters out is about, as far as the schema tells."""
    properties = parameters.get("properties", {}).items()
    return {
        name: one["default"]
        for name, one in properties
        if isinstance(one, Mapping) and "default" in one
    }


def filling(parameters: Mapping[str, Any], values: Mapping[str, Any], agent: str) -> dict[str, Any]:
    """What the templates of a call are filled with.

    An argument that is no parameter does not stand for the calling agent: who gives one has not
    touched somebody else's thing.
    """
    named = {} if AGENT in parameters.get("properties", {}) else {AGENT: agent}
    return {**values, **named}


def needs_of(touches: Iterable[Touch], arguments: Mapping[str, Any]) -> dict[str, Mode]:
    """Every resource once; what is both read and written is written.

    A template over a list names one resource per item. Raises `InvalidArgument` for names that
    are too long or too many.
    """
    needs: dict[str, Mode] = {}
    for touch in touches:
        for resource in _filled(touch.resource, arguments):
            if needs.get(resource) != "write":
                needs[resource] = touch.mode
    return needs


def _filled(template: str, arguments: Mapping[str, Any]) -> list[str]:
    names = _fields(template)
    values = [_values(name, arguments) for name in names]
    found: list[str] = []
    for combination in product(*values):
        if len(found) == RESOURCES_MAX:
            raise InvalidArgument(f"{template}: expected at most {RESOURCES_MAX} different values")
        one = dict(zip(names, combination, strict=True))
        # In one pass: a value that has braces itself is no template.
        found.append(_canonical(_FIELD.sub(lambda field: one[field[1]], template)))  # noqa: B023 - called here
    return found


@lru_cache(maxsize=1_024)
def _fields(template: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(_FIELD.findall(template)))


def _values(name: str, arguments: Mapping[str, Any]) -> list[str]:
    """The different values of an argument as text, `a.b` for a field of an object.

    One that was left out is its own value: calls that leave it out are about the same thing.
    """
    value: Any = arguments
    for part in name.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    items = value if isinstance(value, list | tuple) else ["" if value is None else value]
    return list(dict.fromkeys(map(str, items)))


def _canonical(resource: str) -> str:
    """One name for one thing: `file:a/../b` is `file:b`, as the file system has it."""
    if len(resource) > LENGTH_MAX:
        raise InvalidArgument(
            f"a resource's name has {len(resource)} characters; expected at most {LENGTH_MAX}"
        )
    if not resource.startswith(FILE):
        return resource
    return FILE + posixpath.normpath(f"/{resource.removeprefix(FILE)}").lstrip("/")
