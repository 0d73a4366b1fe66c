"""`aios stats`: what each agent uses, a line an agent; on a terminal anew every second."""

import asyncio
import shutil
import sys
from collections.abc import Container, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated

import typer

from aios.cli.paint import count, rate, share, size, span
from aios.cli.remote import Form, Output, Url, client_of, show, table
from aios.cli.target import pid_of
from aios.errors import Denied, InvalidArgument

if TYPE_CHECKING:
    from aios.sdk.client import Client
    from aios.syscalls.budget import Budget
    from aios.syscalls.kernel import AgentStats, MachineStats

Agents = Annotated[
    list[str] | None,
    typer.Argument(metavar="AGENT", help="Only these: pids, or names as in `aios ps`."),
]
NoStream = Annotated[bool, typer.Option("--no-stream", help="Show one reading and end.")]
Every = Annotated[float, typer.Option("--every", help="Seconds between readings.", min=0.1)]
COLUMNS = (  # What does not fit a terminal is cut off: down to BUDGET they fit 80 columns.
    "PID", "NAME", "STATE", "LANES", "WAITED", "TOK/S", "TOKENS IN / OUT", "KV TOKENS", "BUDGET",
    "OPEN", "CALLS", "MEMORY RAM / DISK", "SNAPSHOTS RAM / DISK",
)  # fmt: skip
HOME, CLEAR_LINE, CLEAR_BELOW = "\x1b[H", "\x1b[K", "\x1b[J"
EVERYBODY = "@all"  # the account above all others


def stats(
    agents: Agents = None,
    no_stream: NoStream = False,
    every: Every = 1.0,
    output: Output = Form.TABLE,
    url: Url = "",
) -> None:
    """Show what agents use: tokens, KV, memory, waits, budgets; live on a terminal."""
    is_live = output is Form.TABLE and sys.stdout.isatty() and not no_stream
    asyncio.run(_watch(agents or [], url, output, every_s=every, is_live=is_live))


async def _watch(
    agents: Sequence[str], url: str, output: Form, *, every_s: float, is_live: bool
) -> None:
    async with client_of(url) as client:
        wanted = {await pid_of(client, one) for one in agents}
        before = await client.stats()
        while True:
            if output is Form.TABLE:
                await asyncio.sleep(every_s)
            now = await client.stats()
            rows = lines(before, now, await _budgets(client), wanted)
            if not is_live:
                show(output, now, COLUMNS, rows)
                return
            # From the left upper corner over what is there, then the rest is cleared: no flicker.
            screen = "".join(f"{line}{CLEAR_LINE}\n" for line in _fitted(table(COLUMNS, rows)))
            sys.stdout.write(f"{HOME}{screen}{CLEAR_BELOW}")
            sys.stdout.flush()
            before = now


def lines(
    before: "MachineStats",
    now: "MachineStats",
    budgets: Iterable["Budget"],
    wanted: Container[int] = (),
) -> list[tuple[str, ...]]:
    """A row an agent; rates are those between two readings."""
    was = {one.pid: one.completion_tokens for one in before.agents}
    elapsed = now.at_s - before.at_s
    used = _used(budgets)
    return [
        _row(one, rate(one.completion_tokens - was.get(one.pid, 0), elapsed), used)
        for one in now.agents
        if not wanted or one.pid in wanted
    ]


def _row(one: "AgentStats", rate: float, used: Mapping[str, float]) -> tuple[str, ...]:
    budget = _tightest(one.agent, used)
    return (
        str(one.pid),
        one.name,
        one.state.value,
        str(one.running),
        span(one.waited_s) if one.waiting else "-",
        count(rate),
        f"{count(one.prompt_tokens)} / {count(one.completion_tokens)}",
        count(one.kv_tokens),
        "-" if budget is None else share(budget, 1.0),
        str(one.live_calls),
        count(one.calls),
        f"{size(one.memory_ram_bytes)} / {size(one.memory_disk_bytes)}",
        f"{size(one.snapshot_ram_bytes)} / {size(one.snapshot_disk_bytes)}",
    )


def _used(budgets: Iterable["Budget"]) -> dict[str, float]:
    """Of each account the part of its tightest limit that is spent or held."""
    used: dict[str, float] = {}
    for one in budgets:
        if one.limit is not None:
            part = (one.spent + one.held) / one.limit if one.limit else 1.0
            used[one.account] = max(part, used.get(one.account, 0.0))
    return used


def _tightest(agent: str, used: Mapping[str, float]) -> float | None:
    """Of the agent's account and those above it: all of them pay for it."""
    names = agent.split("/")
    accounts = (*("/".join(names[:end]) for end in range(len(names), 0, -1)), EVERYBODY)
    return max((used[one] for one in accounts if one in used), default=None)


async def _budgets(client: "Client") -> tuple["Budget", ...]:
    """None where this kernel has none, or the caller may not look at them."""
    with suppress(InvalidArgument, Denied):
        return (await client.budgets.list()).budgets
    return ()


def _fitted(rows: list[str]) -> list[str]:
    """As many lines as the terminal has, none longer than it is wide."""
    room = shutil.get_terminal_size()
    return [row[: room.columns] for row in rows[: room.lines - 1]]
