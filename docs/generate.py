"""Writes docs/reference from the code: `python docs/generate.py`. A test keeps them equal."""

import inspect
import sys
import types
import typing
from pathlib import Path

import msgspec

from aios.errors import ERRORS
from aios.syscalls.table import SYSCALLS, VERSION

HERE = Path(__file__).parent / "reference"


def syscalls() -> str:
    """Every syscall with its fields, limits and reply, then the data types they use."""
    lines = [f"# Syscalls\n\nVersion {VERSION}. Generated from `aios.syscalls`; do not edit.\n"]
    shared: dict[str, type] = {}
    for name, kind in SYSCALLS.items():
        lines.append(
            f"## {name}\n\n`{kind.__name__}` -> `{_reply(kind)}`\n\n{inspect.getdoc(kind)}\n"
        )
        lines += _fields(kind, shared)
        _note(_reply_type(kind), shared)
    lines.append("# Data\n")
    for name in sorted(_closed(shared)):
        kind = shared[name]
        lines.append(f"## {name}\n\n{inspect.getdoc(kind)}\n")
        lines += _fields(kind, shared)
    return "\n".join(lines).rstrip() + "\n"


def errors() -> str:
    """Every error and what it means."""
    rows = [
        f"## {code}\n\n`{kind.__name__}`: {inspect.getdoc(kind)}\n" for code, kind in ERRORS.items()
    ]
    return "# Errors\n\nGenerated from `aios.errors`; do not edit.\n\n" + "\n".join(rows)


PAGES = {"syscalls.md": syscalls, "errors.md": errors}


def _reply_type(kind: type) -> type:
    base = next(one for one in kind.__orig_bases__ if typing.get_args(one))  # type: ignore[attr-defined]
    reply = typing.get_args(base)[0]
    if isinstance(reply, type):
        return reply
    name = reply if isinstance(reply, str) else reply.__forward_arg__
    found = vars(sys.modules[kind.__module__])[name]
    assert isinstance(found, type)
    return found


def _reply(kind: type) -> str:
    return _reply_type(kind).__name__


def _fields(kind: type, shared: dict[str, type]) -> list[str]:
    """A table of fields; struct types met on the way are noted in `shared`."""
    hints = typing.get_type_hints(kind, include_extras=True)
    rows = []
    for field in msgspec.structs.fields(kind):
        plain, limits = _spelled(hints[field.name])
        for part in _structs(hints[field.name]):
            _note(part, shared)
        rows.append(f"| {field.name} | `{plain}` | {limits} | {_default(field)} |")
    if not rows:
        return []
    return ["| field | type | limits | default |\n|---|---|---|---|", *rows, ""]


def _note(kind: type, shared: dict[str, type]) -> None:
    if kind.__name__ not in shared and kind not in SYSCALLS.values():
        shared[kind.__name__] = kind


def _closed(shared: dict[str, type]) -> dict[str, type]:
    """`shared` with every type that its types use."""
    while True:
        before = len(shared)
        for kind in list(shared.values()):
            for hint in typing.get_type_hints(kind, include_extras=True).values():
                for part in _structs(hint):
                    _note(part, shared)
        if len(shared) == before:
            return shared


def _structs(hint: object) -> list[type]:
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return [hint]
    return [part for one in typing.get_args(hint) for part in _structs(one)]


def _spelled(hint: object) -> tuple[str, str]:
    limits: list[str] = []

    def spell(part: object) -> str:
        if typing.get_origin(part) is typing.Annotated:
            inner, *metas = typing.get_args(part)
            for meta in metas:
                told = ((name, getattr(meta, name)) for name in _LIMITS)
                limits.extend(
                    f"{_LIMITS[name]} {value}" for name, value in told if value is not None
                )
            return spell(inner)
        parts = typing.get_args(part)
        if typing.get_origin(part) is typing.Literal:
            return " \\| ".join(f'"{one}"' for one in parts)
        if typing.get_origin(part) in (typing.Union, types.UnionType):
            return " \\| ".join(map(spell, parts))
        origin = typing.get_origin(part)
        if origin is not None:
            return f"{origin.__name__}[{', '.join(map(spell, parts))}]"
        return {Ellipsis: "...", type(None): "None"}.get(part) or getattr(
            part, "__name__", str(part)
        )  # type: ignore[call-overload,no-any-return]

    return spell(hint), ", ".join(limits)


_LIMITS = {
    "ge": ">=",
    "gt": ">",
    "le": "<=",
    "lt": "<",
    "min_length": "length >=",
    "max_length": "length <=",
    "pattern": "pattern",
}


def _default(field: msgspec.structs.FieldInfo) -> str:
    if field.required:
        return "required"
    if field.default_factory is not msgspec.NODEFAULT:
        return "empty"
    value = field.default
    return "defaults" if isinstance(value, msgspec.Struct) else f"`{value!r}`"


if __name__ == "__main__":
    for name, page in PAGES.items():
        (HERE / name).write_text(page())
