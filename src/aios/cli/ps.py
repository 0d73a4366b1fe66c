"""`aios ps`: the processes of a running kernel."""

from typing import Annotated

import typer

from aios.cli.remote import Form, Output, Url, ask, show

All = Annotated[bool, typer.Option("--all", "-a", help="Ended ones too.")]
COLUMNS = (
    "PID",
    "PARENT",
    "NAME",
    "STATE",
    "CALLS",
    "LIVE",
    "TOKENS IN",
    "TOKENS OUT",
    "WAITS FOR",
)


def ps(all: All = False, output: Output = Form.TABLE, url: Url = "") -> None:
    """List agents: their state, calls and tokens."""
    found = ask(url, lambda client: client.list(ended=all))
    rows = [
        (
            str(one.pid), str(one.parent), one.name, one.state.value, str(one.calls),
            str(one.live_calls), str(one.prompt_tokens), str(one.completion_tokens),
            one.waiting_for,
        )
        for one in found.processes
    ]  # fmt: skip
    show(output, found.processes, COLUMNS, rows)
