"""`aios events`: what happens in a running kernel, as it happens."""

import asyncio
import sys
from collections.abc import Iterable
from difflib import get_close_matches
from typing import Annotated

import msgspec
import typer

from aios.cli.remote import Form, Output, Url, heard, plain


def kinds(incomplete: str = "") -> list[str]:
    """What a shell offers for a kind of event."""
    from aios.telemetry.events import KINDS

    return [one for one in KINDS if one.startswith(incomplete)]


Pid = Annotated[int | None, typer.Option("--pid", help="Only this process.")]
Kind = Annotated[
    list[str] | None,
    typer.Option(
        "--kind",
        metavar="KIND",
        help="Only this kind of event, as its line shows it; again for each.",
        autocompletion=kinds,
    ),
]
QUIET = frozenset({"event", "at", "pid"})  # They stand in columns of their own.


def events(pid: Pid = None, kind: Kind = None, output: Output = Form.TABLE, url: Url = "") -> None:
    """Follow a kernel's events until interrupted."""
    _check(kind or ())

    async def follow() -> None:
        async for data in heard(url, "/api/events"):
            event = msgspec.json.decode(data)
            if (pid is None or event.get("pid") == pid) and (not kind or event["event"] in kind):
                print(_line(event) if output is Form.TABLE else data.decode(), flush=True)

    try:
        asyncio.run(follow())
    except KeyboardInterrupt:
        sys.exit(130)


def _check(wanted: Iterable[str]) -> None:
    """A mistyped kind would be waited for in silence, for ever."""
    known = kinds()
    for one in wanted:
        if one not in known:
            near = get_close_matches(one, known, n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise typer.BadParameter(f"expected one of {', '.join(known)}, got {one!r}{hint}")


def _line(event: dict[str, object]) -> str:
    rest = (f"{name}={value}" for name, value in event.items() if name not in QUIET)
    return plain(
        f"{event.get('at', 0):12.3f}  pid {event.get('pid', '-'):<6} {event['event']:<10} "
        + " ".join(rest)
    )
