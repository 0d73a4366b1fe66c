"""`aios agents`: packages that `aios run` knows by name, and tokens for agents elsewhere."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from aios.cli.remote import Form, Output, Url, ask, plain, show
from aios.errors import WrongState

if TYPE_CHECKING:
    from aios.cli.packages.manifest import Manifest
    from aios.cli.packages.store import Note
    from aios.sdk.client import Client
    from aios.syscalls import Spawned

agents = typer.Typer(help="Agent packages, and agents' tokens.", no_args_is_help=True)
Name = Annotated[str, typer.Argument(help="What `aios ps` will call it.")]
Package = Annotated[str, typer.Argument(help="An installed package's name.")]
Source = Annotated[
    str,
    typer.Argument(
        help="A folder, an archive, a git URL (URL@TAG or URL@COMMIT), or a Python package."
    ),
]
Folder = Annotated[Path, typer.Argument(help="With agent.toml.", exists=True, file_okay=False)]
To = Annotated[Path, typer.Option(help="Where the archive is put.", file_okay=False)]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Agree to what it asks for.")]
COLUMNS = ("NAME", "VERSION", "DESCRIPTION", "GRANTS", "SOURCE", "PIN")


@agents.callback()
def _() -> None:
    """Agent packages, and agents' tokens."""


@agents.command()
def token(name: Name, output: Output = Form.TABLE, url: Url = "") -> None:
    """Open an agent and print the token that it speaks with: its API key."""
    spawned = ask(url, lambda client: _opened(client, name))
    if output is not Form.TABLE:
        show(output, spawned, (), ())
        return
    print(spawned.token)


async def _opened(client: "Client", name: str) -> "Spawned":
    """A new agent; two of one name could not be told apart by it."""
    me = (await client.whoami()).pid
    for one in (await client.list()).processes:
        if (one.parent, one.name) == (me, name):
            raise WrongState(
                f"an agent {name!r} lives already, pid {one.pid}, and its token was told once; "
                f"choose another name, or `aios kill {one.pid}` first: what it keeps stays"
            )
    return await client.spawn(name)


@agents.command("list")
def list_(output: Output = Form.TABLE) -> None:
    """List the installed packages; what runs is shown by `aios ps`."""
    from aios.cli.packages.store import installed

    found = installed()
    rows = [
        (
            one.manifest.name, one.manifest.version, one.manifest.description,
            " ".join(one.manifest.grants), one.note.source, one.note.pin[:12],
        )
        for one in found
    ]  # fmt: skip
    show(output, found, COLUMNS, rows)


@agents.command()
def install(source: Source, yes: Yes = False) -> None:
    """Install a package, or another version of it, once its grants are agreed to."""
    from aios.cli.packages import store

    manifest = store.install(source, lambda one, note: _agreed(one, note, is_agreed=yes))
    if manifest is None:
        raise typer.Exit(1)
    print(f"{manifest.name} {manifest.version}")


@agents.command()
def remove(package: Package) -> None:
    """Remove an installed package. What its agent remembers stays."""
    from aios.cli.packages import store

    store.remove(package)


@agents.command()
def publish(folder: Folder = Path(), to: To = Path()) -> None:
    """Check a package and make an archive of it that `install` takes, with its sha256."""
    from aios.cli.packages.archive import published

    path, digest = published(folder, to)
    print(f"{path}\nsha256 {digest}")


def _agreed(manifest: "Manifest", note: "Note", *, is_agreed: bool) -> bool:
    """Show what it is and asks for, on stderr, and hear whether that is agreed to."""
    entry = manifest.entry
    told = {
        "package": f"{manifest.name} {manifest.version}: {manifest.description}",
        "from": f"{note.source} {note.pin}",
        "runs": entry if isinstance(entry, str) else " ".join(entry),
        "grants": ", ".join(manifest.grants) or "none",
        "tools": ", ".join(manifest.tools) or "none",
    }
    for name, value in told.items():
        typer.echo(f"{name:8} {plain(value)}", err=True)
    typer.echo("It will run as you, with your files. Grants are rights in the kernel.", err=True)
    return is_agreed or typer.confirm("Install it?", err=True)
