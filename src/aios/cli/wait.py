"""`aios wait`: until an agent has ended; its result, and its end as the exit code."""

import sys
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from aios.cli.remote import Form, Output, Url, ask, mark, show
from aios.cli.target import Target, last_of

if TYPE_CHECKING:
    from aios.sdk.client import Client
    from aios.syscalls import Exited

Timeout = Annotated[
    float | None, typer.Option("--timeout", help="Seconds at most; no limit if not given.", min=0)
]


def wait(
    agent: Target, timeout: Timeout = None, output: Output = Form.TABLE, url: Url = ""
) -> None:
    """Wait until an agent has ended and print its result; exit with 1 if it failed."""

    async def work(client: "Client") -> "Exited":
        return await client.wait(await last_of(client, agent), timeout)

    ended = ask(url, work)
    if output is not Form.TABLE:
        show(output, ended, (), ())
    elif ended.error:
        sys.stderr.write(f"aios: {ended.error}\n")
    elif ended.result is not None:
        mark(ended)
        print(_text(ended.result))
    raise typer.Exit(0 if ended.state == "exited" else 1)


def _text(result: object) -> str:
    return result if isinstance(result, str) else msgspec.json.encode(result).decode()
