"""Which process a command line means: a pid, or the name of an agent that lives."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated

import typer

from aios.cli import settings, sources
from aios.cli.quick import answered
from aios.cli.remote import place_of
from aios.errors import AiosError, InvalidArgument, NotFound

if TYPE_CHECKING:
    from aios.sdk.client import Client
    from aios.syscalls import Pid, ProcessInfo


PROGRAM = "program"  # what `aios run` starts, as `aios ps` shows it


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
    typer.Argument(metavar="AGENT", help="Pids, or names as in `aios ps`.", autocompletion=names),
]


async def program_of(client: "Client", target: str) -> "Pid":
    """The program that `aios run` started, living or ended; of one name the last one."""
    if target.isdecimal():
        return int(target)
    there = (await client.list(ended=True)).processes
    programs = [one for one in there if one.program == PROGRAM]
    found = [one.pid for one in programs if target in (one.name, one.agent)]
    if not found:
        raise NotFound(f"no program {target!r} was started; {_there(programs)}")
    return max(found)


async def pid_of(client: "Client", target: str) -> "Pid":
    """The process; a name that several bear is no answer."""
    if target.isdecimal():
        return int(target)
    there = (await client.list()).processes
    found = [one.pid for one in there if target in (one.name, one.agent)]
    if not found:
        raise NotFound(f"no agent {target!r} lives; {_there(there)}")
    if len(found) > 1:
        pids = ", ".join(map(str, found))
        raise InvalidArgument(f"expected one agent of the name {target!r}, got pids {pids}")
    return found[0]


async def last_of(client: "Client", target: str) -> "Pid":
    """As `pid_of`; where none of that name lives, the one that ended last."""
    try:
        return await pid_of(client, target)
    except NotFound:
        ended = (await client.list(ended=True)).processes
        found = [one.pid for one in ended if target in (one.name, one.agent)]
        if not found:
            raise
        return max(found)


def _there(processes: "Iterable[ProcessInfo]") -> str:
    """What could have been meant."""
    names = ", ".join(sorted({one.name for one in processes}))
    return f"there is {names}" if names else "there is none"
