"""`aios ps`: the processes of a running kernel."""

from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING, Annotated

import typer

from aios.cli.paint import count, span
from aios.cli.remote import Form, Output, Url, ask, show

if TYPE_CHECKING:
    from aios.syscalls import ProcessInfo

All = Annotated[bool, typer.Option("--all", "-a", help="Ended ones too.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Only pids, one a line.")]
Filters = Annotated[
    list[str] | None,
    typer.Option(
        "--filter",
        "-f",
        metavar="KEY=VALUE",
        help="Only those that fit: name=, agent=, state= or parent=; again for each.",
    ),
]
COLUMNS = (
    "PID", "PARENT", "NAME", "STATE", "AGE", "CALLS", "LIVE", "TOKENS IN / OUT", "WAITS FOR",
)  # fmt: skip
FITS: Mapping[str, Callable[["ProcessInfo", str], bool]] = {
    "name": lambda one, part: part in one.name,  # as `docker ps` understands it
    "agent": lambda one, path: one.agent == path or one.agent.startswith(f"{path}/"),
    "state": lambda one, state: one.state.value == state,
    "parent": lambda one, pid: str(one.parent) == pid,
}


def ps(
    all: All = False,
    quiet: Quiet = False,
    filters: Filters = None,
    output: Output = Form.TABLE,
    url: Url = "",
) -> None:
    """List agents: their state, calls and tokens."""
    wanted = [_parsed(one) for one in filters or ()]
    listed = ask(url, lambda client: client.list(ended=all)).processes
    found = [one for one in listed if all_fit(one, wanted)]
    if quiet:
        print("".join(f"{one.pid}\n" for one in found), end="")
        return
    rows = [
        (
            str(one.pid), str(one.parent), one.name, one.state.value, span(one.age_s),
            count(one.calls), str(one.live_calls),
            f"{count(one.prompt_tokens)} / {count(one.completion_tokens)}", one.waiting_for,
        )
        for one in found
    ]  # fmt: skip
    show(output, found, COLUMNS, rows)


def all_fit(one: "ProcessInfo", wanted: Sequence[tuple[str, str]]) -> bool:
    """Whether a process is what every filter says."""
    return all(FITS[key](one, value) for key, value in wanted)


def _parsed(text: str) -> tuple[str, str]:
    key, sign, value = text.partition("=")
    if not sign or key not in FITS:
        near = get_close_matches(key, FITS, n=1)
        hint = f"; did you mean {near[0]}=?" if near else ""
        expected = ", ".join(f"{one}=" for one in FITS)
        raise typer.BadParameter(f"expected {expected}, got {text!r}{hint}")
    return key, value
