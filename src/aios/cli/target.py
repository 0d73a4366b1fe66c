"""Which process a command line means: a pid, or the name of an agent that lives."""

from typing import TYPE_CHECKING, Annotated

import typer

from aios.cli import settings, sources
from aios.cli.quick import answered
from aios.cli.remote import place_of
from aios.errors import AiosError, InvalidArgument, NotFound

if TYPE_CHECKING:
    from aios.sdk.client import Client
    from aios.syscalls import Pid


def names(incomplete: str) -> list[str]:
    """What a shell offers for an agent: names that begin so; nothing where no kernel answers."""
    try:
        place, token = place_of(sources.found(settings.URL).value)
    except AiosError:
        return []
    found = answered(place, "/api/syscalls/process.list", token, "{}") or {}
    return [one["name"] for one in found.get("processes", ()) if one["name"].startswith(incomplete)]


Target = Annotated[
    str,
    typer.Argument(metavar="AGENT", help="A pid, or a name as in `aios ps`.", autocompletion=names),
]
Targets = Annotated[
    list[str],
    typer.Argument(
        metavar="AGENT...", help="Pids, or names as in `aios ps`.", autocompletion=names
    ),
]


async def pid_of(client: "Client", target: str) -> "Pid":
    """The process; a name that several bear is no answer."""
    if target.isdecimal():
        return int(target)
    there = (await client.list()).processes
    found = [one.pid for one in there if target in (one.name, one.agent)]
    if not found:
        raise NotFound(f"no agent {target!r} lives; there is {sorted({one.name for one in there})}")
    if len(found) > 1:
        raise InvalidArgument(f"expected one agent of the name {target!r}, got pids {found}")
    return found[0]
