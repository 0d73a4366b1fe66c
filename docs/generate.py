"""Writes docs/reference from the code: `python docs/generate.py`. A test keeps them equal."""

import inspect
import sys
import types
import typing
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import typer

from aios.cli.app import app
from aios.cli.settings import SETTINGS, Setting
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


def commands() -> str:
    """Every command with its arguments and options, then every setting."""
    lines = [
        "# Commands\n\nGenerated from `aios.cli`; do not edit.\n",
        "Exit codes: 0 done, 1 failed, 2 used wrongly, 130 interrupted. `aios COMMAND --help` "
        "tells the same.\n",
    ]
    for path, command in _commands("aios", typer.main.get_command(app)):
        lines.append(f"## {path}\n\n{inspect.cleandoc(command.help)}\n")
        rows = [_parameter(one) for one in command.params]
        if rows:
            lines += [
                "| argument, option | environment | default | what it is |",
                "|---|---|---|---|",
            ]
            lines += [*rows, ""]
    lines += ["# Settings\n", inspect.cleandoc(_SETTINGS), ""]
    lines += ["| setting | environment | option | default | what it is |", "|---|---|---|---|---|"]
    lines += [_setting(key, one) for key, one in SETTINGS.items()]
    return "\n".join(lines).rstrip() + "\n"


_SETTINGS = """
    A flag goes before the environment, that before `aios.toml` of the project (in the folder or
    the nearest one above that has it), that before `config.toml` of the user (in
    `$XDG_CONFIG_HOME/aios`, or the file that `AIOS_CONFIG` names). `server.port` is the key
    `port` of the table `[server]`. An unknown key is an error. A secret stands in no file of
    settings: its key ends in `_file` and names a file with it, as its variable with `_FILE` does.
    What says whom this machine trusts (marked \\*) may not stand in a project's file.
    `aios config show` tells each value and where it comes from.
"""


def _commands(path: str, command: Any) -> Iterator[tuple[str, Any]]:
    """Those that do something, in the order of help."""
    below = getattr(command, "commands", {})
    for name in below:
        yield from _commands(f"{path} {name}", below[name])
    if not below or getattr(command, "invoke_without_command", False):
        yield path, command


def _parameter(one: Any) -> str:
    is_option = one.param_type_name == "option"
    names = ", ".join([*one.opts, *one.secondary_opts]) if is_option else _argument(one)
    default = "required" if one.required else _told(one.default)
    return f"| `{names}` | {_code(one.envvar)} | {default} | {_cell(one.help)} |"


def _argument(one: Any) -> str:
    return str(one.metavar or one.name.upper())


def _setting(key: str, one: Setting) -> str:
    mark = " \\*" if one.is_trust else ""
    env = f"`{one.env}`, `{one.env}_FILE`" if one.is_secret else f"`{one.env}`"
    flags = ", ".join(f"`{flag}`" for flag in one.flags)
    return f"| `{key}`{mark} | {env} | {flags} | {_told(one.default)} | {_cell(one.help)} |"


def _told(default: Any) -> str:
    """A default as somebody would type it; nothing where there is none."""
    if default is None or default == "" or default == ():
        return ""
    if isinstance(default, Mapping):
        return ", ".join(f'`"{name}" = "{to}"`' for name, to in default.items())
    if isinstance(default, bool):
        return f"`{str(default).lower()}`"
    return f"`{getattr(default, 'value', default)}`"


def _code(text: str | None) -> str:
    return f"`{text}`" if text else ""


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|").replace("*", "\\*")


PAGES = {"syscalls.md": syscalls, "errors.md": errors, "commands.md": commands}


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
