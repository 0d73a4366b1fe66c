"""The command `aios`: its table of commands, and how errors leave it. Imports nothing heavy.

Exit codes: 0 done, 1 failed (also where nobody reads what is written), 2 used wrongly, 130
interrupted. An error of AIOS is one line on stderr.
"""

import os
import sys
from collections.abc import Callable
from typing import Annotated

import typer

from aios.cli import sources
from aios.cli.access import access
from aios.cli.agents import agents
from aios.cli.approvals import approvals
from aios.cli.audit import audit
from aios.cli.bench import bench
from aios.cli.budgets import budgets
from aios.cli.completion import COMMAND, VARIABLE, completion
from aios.cli.config import config
from aios.cli.cores import cores
from aios.cli.dashboard import dashboard
from aios.cli.demo import demo
from aios.cli.doctor import doctor
from aios.cli.events import events
from aios.cli.files import files
from aios.cli.inspect import inspect
from aios.cli.journal import journal
from aios.cli.logs import logs
from aios.cli.mail import send
from aios.cli.mcp import mcp
from aios.cli.memory import memory
from aios.cli.models import models
from aios.cli.policy import policy
from aios.cli.ps import ps
from aios.cli.run import RunCommand, run
from aios.cli.secrets import secrets
from aios.cli.serve import serve
from aios.cli.shell import shell
from aios.cli.stats import stats
from aios.cli.steer import kill, pause, resume
from aios.cli.tools import tools
from aios.cli.top import top
from aios.cli.version import version
from aios.cli.wait import wait
from aios.errors import AiosError

COMMANDS: tuple[Callable[..., None], ...] = (
    serve, run, ps, top, dashboard, stats, cores, policy, logs, inspect, send, pause, resume, kill,
    wait, events, shell, mcp, demo, bench, doctor, completion, version,
)  # as help shows them  # fmt: skip
GROUPS: dict[str, typer.Typer] = {
    "access": access,
    "agents": agents,
    "approvals": approvals,
    "audit": audit,
    "budgets": budgets,
    "config": config,
    "files": files,
    "journal": journal,
    "memory": memory,
    "models": models,
    "secrets": secrets,
    "tools": tools,
}

app = typer.Typer(
    name="aios",
    help="AIOS: an operating system for LLM agents.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,  # Plain help starts in half the time.
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in COMMANDS:
    app.command(cls=RunCommand if command is run else None)(command)
for group in GROUPS:
    app.add_typer(GROUPS[group], name=group)


def _told_version(is_asked: bool) -> None:
    if is_asked:
        version()
        raise typer.Exit


Version = Annotated[
    bool,
    typer.Option("--version", help="As `aios version`.", callback=_told_version, is_eager=True),
]


@app.callback()
def _(context: typer.Context, asked: Version = False) -> None:
    """What files of settings say is what options are where nobody gives them."""
    context.default_map = sources.defaults(context.command)


def main() -> None:
    """Run the command line of this process."""
    if VARIABLE in os.environ:
        from typer.completion import completion_init  # type: ignore[attr-defined]  # not exported

        completion_init()
    try:
        app(prog_name=COMMAND)
    except AiosError as error:
        sys.stderr.write(f"aios: {error.code}: {error}\n")
        sys.exit(1)
    finally:
        _flush()


def _flush() -> None:
    """Say at once, not in the interpreter's last moment, what nobody reads any more."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
