"""A function's parameters as a record type, its JSON schema, and checked arguments from JSON.

Knows no tool and no model. Types are those of msgspec: plain ones, containers, `Literal`, enums,
dataclasses, TypedDicts and Structs; a string in `Annotated` is a description.
"""

import inspect
import json
from collections.abc import Callable, Mapping
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import msgspec

from aios.errors import InvalidArgument

_NAMED = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


def record_of(function: Callable[..., Any], descriptions: Mapping[str, str]) -> type[Any]:
    """A record with a field per parameter; one that has a default may be left out.

    A left-out field is `UNSET`, so that the function's own default applies and not a copy of it.
    """
    fields: list[tuple[str, Any] | tuple[str, Any, Any]] = []
    hints = _hints(function)
    for name, parameter in inspect.signature(function).parameters.items():
        _check(function, parameter, hints)
        described = _described(hints[name], descriptions.get(name, ""), parameter.default)
        if parameter.default is inspect.Parameter.empty:
            fields.append((name, described))
        else:
            fields.append((name, described | msgspec.UnsetType, msgspec.UNSET))
    return msgspec.defstruct(function.__name__, fields, kw_only=True, forbid_unknown_fields=True)


def schema_of(record: type[Any]) -> dict[str, Any]:
    """The JSON schema of type object for a record."""
    try:
        schemas, shared = msgspec.json.schema_components([record], ref_template="#/$defs/{name}")
    except (TypeError, ValueError) as problem:
        raise InvalidArgument(f"{record.__name__}: no schema for a parameter: {problem}") from None
    root: dict[str, Any] = shared.pop(schemas[0]["$ref"].rpartition("/")[2])
    del root["title"]
    return root | {"$defs": shared} if shared else root


def arguments_of(record: type[Any], text: str) -> dict[str, Any]:
    """The arguments that a model wrote as JSON; no text at all means no arguments."""
    try:
        values = msgspec.json.decode(text.strip() or "{}", type=record)
    except (msgspec.DecodeError, RecursionError) as problem:
        raise InvalidArgument(
            f"{problem}. Expected a JSON object {{{_summary(schema_of(record))}}}"
        ) from None
    return _given(values)


def arguments_from(record: type[Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments from what JSON holds, checked against a schema before."""
    try:
        return _given(msgspec.convert(values, record))
    except (msgspec.ValidationError, RecursionError) as problem:
        raise InvalidArgument(str(problem)) from None


def _given(values: Any) -> dict[str, Any]:
    """Fields that were not left out."""
    given = ((name, getattr(values, name)) for name in values.__struct_fields__)
    return {name: value for name, value in given if value is not msgspec.UNSET}


def _hints(function: Callable[..., Any]) -> dict[str, Any]:
    try:
        return get_type_hints(function, include_extras=True)
    except (NameError, TypeError) as problem:
        raise InvalidArgument(
            f"expected types that are known where {function.__name__!r} is defined: {problem}"
        ) from None


def _check(
    function: Callable[..., Any], parameter: inspect.Parameter, hints: Mapping[str, Any]
) -> None:
    where = f"parameter {parameter.name!r} of {function.__name__!r}"
    if parameter.kind not in _NAMED:
        raise InvalidArgument(f"expected {where} to be passable by name, got {parameter.kind}")
    if parameter.name not in hints:
        raise InvalidArgument(f"expected a type for {where}")


def _described(hint: Any, description: str, default: Any) -> Any:
    """The type with its description and default in the form that becomes JSON schema."""
    if get_origin(hint) is Annotated:
        texts = [extra for extra in get_args(hint)[1:] if isinstance(extra, str)]
        description = texts[0] if texts else description
    extra = {} if default is inspect.Parameter.empty else _shown(default)
    return Annotated[
        hint, msgspec.Meta(description=description or None, extra_json_schema=extra or None)
    ]


def _shown(default: Any) -> dict[str, Any]:
    try:
        return {"default": msgspec.to_builtins(default)}
    except TypeError:  # A default that is not data is the function's own affair.
        return {}


def _summary(schema: dict[str, Any]) -> str:
    """The properties in one short line for a model that got them wrong."""
    required = schema.get("required", [])
    shared = schema.get("$defs", {})
    return ", ".join(
        f'"{name}": {_kind(part, shared)}{"" if name in required else " (optional)"}'
        for name, part in schema["properties"].items()
    )


def _kind(part: dict[str, Any], shared: Mapping[str, dict[str, Any]]) -> str:
    if "$ref" in part:
        part = shared[part["$ref"].rpartition("/")[2]]
    if "enum" in part:
        return " | ".join(json.dumps(value, ensure_ascii=False) for value in part["enum"])
    if "anyOf" in part:
        return " | ".join(_kind(one, shared) for one in part["anyOf"])
    return str(part.get("type", "any"))
