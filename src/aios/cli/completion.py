"""`aios completion`: the script by which a shell completes commands, options and agents' names."""

from enum import StrEnum
from typing import Annotated

import typer

COMMAND = "aios"
VARIABLE = "_AIOS_COMPLETE"  # by which such a script asks; typer reads it


class Shell(StrEnum):
    """Those that have a script."""

    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"


Name = Annotated[Shell, typer.Argument(metavar="SHELL", help="bash, zsh or fish.")]


def completion(shell: Name) -> None:
    """Print a shell's completion script: `source <(aios completion bash)`."""
    # typer's own `--show-completion` is made of it, though it is not among its exported names.
    from typer.completion import get_completion_script  # type: ignore[attr-defined]

    print(get_completion_script(prog_name=COMMAND, complete_var=VARIABLE, shell=shell.value))
