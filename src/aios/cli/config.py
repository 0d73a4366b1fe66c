"""`aios config`: every setting, its value, and where that comes from. Never a secret's."""

import sys
from collections.abc import Mapping
from typing import Any

import typer

from aios.cli import sources
from aios.cli.remote import Form, Output, show
from aios.cli.settings import SETTINGS, Setting

config = typer.Typer(help="Settings.", no_args_is_help=True)
COLUMNS = ("SETTING", "VALUE", "FROM", "ENVIRONMENT", "OPTION")


@config.callback()
def _() -> None:
    """Settings."""


@config.command("show")
def show_(output: Output = Form.TABLE) -> None:
    """Show every setting, its value, and whether a file, the environment or nobody said it."""
    rows = [_row(one) for one in SETTINGS.values()]
    reply = [dict(zip(("setting", "value", "from"), row[:3], strict=True)) for row in rows]
    show(output, reply, COLUMNS, [tuple(map(_told, row)) for row in rows])


@config.command()
def path() -> None:
    """Show which files are read, the one that goes first first."""
    found = [place for place, _ in sources.files()]
    for place in found:
        print(place)
    if not found:
        yours = sources.user_file()
        sys.stderr.write(f"aios: no file of settings is there; yours would be {yours}\n")


def _row(one: Setting) -> tuple[Any, ...]:
    found = sources.found(one)
    value: Any = dict(found.value) if isinstance(found.value, Mapping) else found.value
    if one.is_secret:
        value = "(set)" if found.value else ""
    env = f"{one.env}, {one.env}_FILE" if one.is_secret else one.env
    return one.key, value, found.source, env, ", ".join(one.flags)


def _told(value: Any) -> str:
    """As it would be written in a file, short."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return ", ".join(f"{name}={to}" for name, to in value.items())
    return " ".join(value) if isinstance(value, list | tuple) else str(value)
