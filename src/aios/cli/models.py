"""`aios models`: what a running kernel serves; one more, one less; and a model from the hub."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from aios.cli import settings
from aios.cli.paint import count
from aios.cli.remote import Form, Output, Url, ask, show

models = typer.Typer(help="Models of a running kernel, and of the hub.", no_args_is_help=True)
COLUMNS = ("NAME", "CONTEXT", "KV TOKENS", "LANES", "EXACTNESS", "DEVICE")
Source = Annotated[
    str, typer.Argument(metavar="MODEL", help='"pocket", a folder of a model, or a hub id.')
]
Called = Annotated[
    str, typer.Option("--name", help="What calls it by; else the last part of MODEL.")
]
Device = Annotated[str, settings.DEVICE.option()]
Name = Annotated[str, typer.Argument(help="As `aios models list` shows it.")]
Id = Annotated[str, typer.Argument(metavar="ID", help="The hub's, such as ORG/MODEL.")]
Revision = Annotated[str, typer.Option(help="A branch, a tag or a commit; else the newest.")]


@models.callback()
def _() -> None:
    """Models of a running kernel, and of the hub."""


@models.command("list")
def list_(output: Output = Form.TABLE, url: Url = "") -> None:
    """List the models, the default one first."""
    found = ask(url, lambda client: client.models())
    rows = [
        (
            one.name, count(one.context_tokens), count(one.kv_tokens), str(one.lanes),
            one.exactness, one.device,
        )
        for one in found.models
    ]  # fmt: skip
    show(output, found.models, COLUMNS, rows)


@models.command()
def add(
    source: Source,
    name: Called = "",
    device: Device = "",
    output: Output = Form.TABLE,
    url: Url = "",
) -> None:
    """Serve a further model, until it is removed or the kernel stops."""
    if sys.stderr.isatty():
        sys.stderr.write(f"aios: starting an engine with {source}\n")
    # The kernel's own folder is another than this command's.
    place = str(Path(source).resolve()) if Path(source).is_dir() else source
    added = ask(url, lambda client: client.add_model(place, name, device))
    if output is Form.TABLE:
        print(added.name)
    else:
        show(output, added, (), ())


@models.command()
def remove(name: Name, url: Url = "") -> None:
    """Serve a model no more; its calls under way fail."""
    ask(url, lambda client: client.remove_model(name))
    print(name)


@models.command()
def pull(id: Id, revision: Revision = "") -> None:
    """Fetch a model from the hub into the cache, and print the folder it lies in."""
    from aios.cli.hub import fetched

    print(fetched(id, revision))
