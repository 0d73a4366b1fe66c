"""`aios logs`: what a program wrote, also after its end."""

import sys
from typing import Annotated

import typer

from aios.cli.remote import Url, ask, heard
from aios.cli.target import Target, program_of

OURS = {"stdout": sys.stdout, "stderr": sys.stderr}
Follow = Annotated[bool, typer.Option("--follow", "-f", help="Go on with what comes, to its end.")]
Tail = Annotated[
    int | None, typer.Option("--tail", "-n", help="Only so many of its last lines.", min=0)
]


def logs(agent: Target, follow: Follow = False, tail: Tail = None, url: Url = "") -> None:
    """Show what a program of `aios run` wrote; what it wrote to stderr goes to stderr."""
    import asyncio

    pid = ask(url, lambda client: program_of(client, agent))
    try:
        asyncio.run(written(url, pid, follows=follow, tail=tail))
    except KeyboardInterrupt:
        raise typer.Exit(130) from None


async def written(url: str, pid: int, *, follows: bool, tail: int | None = None) -> None:
    """Write a program's two streams to ours, as they come."""
    import msgspec

    from aios.errors import error_from
    from aios.syscalls.program import LogPart

    wanted = "" if tail is None else f"&tail={tail}"
    async for data in heard(url, f"/api/programs/{pid}/log?follow={int(follows)}{wanted}"):
        told = msgspec.json.decode(data)
        if "error" in told:
            raise error_from(told["error"]["code"], told["error"]["message"])
        for chunk in msgspec.convert(told, LogPart).chunks:
            out = OURS[chunk.stream].buffer
            out.write(chunk.data)
            out.flush()
