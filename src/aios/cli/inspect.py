"""`aios inspect`: one agent in full."""

from typing import TYPE_CHECKING

import msgspec

from aios.cli.remote import Form, Output, Url, ask, show
from aios.cli.target import Target, last_of

if TYPE_CHECKING:
    from aios.sdk.client import Client
    from aios.syscalls import ProcessInfo


def inspect(agent: Target, output: Output = Form.TABLE, url: Url = "") -> None:
    """Show one agent in full: its state, program, calls, tokens and what it waits for."""

    async def work(client: "Client") -> "ProcessInfo":
        return await client.inspect(await last_of(client, agent))

    found = ask(url, work)
    rows = [(name, _told(value)) for name, value in msgspec.structs.asdict(found).items()]
    show(output, found, ("WHAT", "IS"), rows)


def _told(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None or value == "":
        return "-"
    return f"{value:.1f}" if isinstance(value, float) else str(value)
