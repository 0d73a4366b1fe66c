"""`aios agents`: who may speak to a running kernel."""

from typing import Annotated

import typer

from aios.cli.remote import Form, Output, Url, ask, show

agents = typer.Typer(help="Agents of a running kernel.", no_args_is_help=True)
Name = Annotated[str, typer.Argument(help="What `aios ps` will call it.")]


@agents.callback()
def _() -> None:
    """Agents of a running kernel."""


@agents.command()
def token(name: Name, output: Output = Form.TABLE, url: Url = "") -> None:
    """Open an agent and print the token that it speaks with: its API key."""
    spawned = ask(url, lambda client: client.spawn(name))
    if output is not Form.TABLE:
        show(output, spawned, (), ())
        return
    print(spawned.token)
