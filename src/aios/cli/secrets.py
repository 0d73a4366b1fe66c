"""`aios secrets`: what tools are handed by name. A value is read from standard input, not shown."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from aios.cli import settings, sources
from aios.cli.remote import Form, Output, group, show

if TYPE_CHECKING:
    from aios.kernel.guard.vault import Vault

secrets = group("secrets", "Secrets that tools are handed by name; agents never see them.")
Home = Annotated[
    Path | None,
    settings.HOME.option(help="The kernel's home; that of `aios serve` if not given."),
]
Name = Annotated[str, typer.Argument(help="The secret's name.")]
From = Annotated[
    str, typer.Option("--from", help="env:NAME or file:PATH, to be looked up when it is needed.")
]


@secrets.command("set")
def set_(name: Name, source: From = "", home: Home = None) -> None:
    """Keep a secret: what standard input says, or where it is to be found."""
    vault = _vault(home)
    if source:
        vault.refer(name, source)
    else:
        vault.set(name, _typed(name))
    sys.stderr.write(f"aios: secret {name} is set\n")


@secrets.command("list")
def list_(home: Home = None, output: Output = Form.TABLE) -> None:
    """Names, and where each comes from; never a value."""
    found = _vault(home).sources()
    show(output, found, ("NAME", "FROM"), list(found.items()))


@secrets.command()
def remove(name: Name, home: Home = None) -> None:
    """Forget a secret."""
    _vault(home).remove(name)


def _typed(name: str) -> str:
    """Without an echo on a terminal; otherwise all of standard input, but for a last newline."""
    if sys.stdin.isatty():
        from getpass import getpass

        return getpass(f"value of {name}: ")
    return sys.stdin.read().removesuffix("\n")


def _vault(home: Path | None) -> "Vault":
    from aios.kernel.guard.vault import FILE, Vault

    return Vault((home or sources.home()) / FILE, os.environ)
