"""`aios events`: what happens in a running kernel, as it happens."""

import asyncio
import sys
from typing import Annotated

import msgspec
import typer

from aios.cli.remote import Form, Output, Url, heard, plain

Pid = Annotated[int | None, typer.Option("--pid", help="Only this process.")]
Kind = Annotated[
    list[str] | None, typer.Option("--kind", help="Only this kind of event; may be repeated.")
]
QUIET = frozenset({"event", "at", "pid"})  # They stand in columns of their own.


def events(pid: Pid = None, kind: Kind = None, output: Output = Form.TABLE, url: Url = "") -> None:
    """Follow a kernel's events until interrupted."""

    async def follow() -> None:
        async for data in heard(url, "/api/events"):
            event = msgspec.json.decode(data)
            if (pid is None or event.get("pid") == pid) and (not kind or event["event"] in kind):
                print(_line(event) if output is Form.TABLE else data.decode(), flush=True)

    try:
        asyncio.run(follow())
    except KeyboardInterrupt:
        sys.exit(130)


def _line(event: dict[str, object]) -> str:
    rest = (f"{name}={value}" for name, value in event.items() if name not in QUIET)
    return plain(
        f"{event.get('at', 0):12.3f}  pid {event.get('pid', '-'):<6} {event['event']:<10} "
        + " ".join(rest)
    )
