"""`aios run`: any program, an SDK agent or an installed package, as an agent of a kernel.

Without a running kernel an SDK agent gets one of its own; so it does where it is to be durable.
A durable run that was cut off, by whatever, goes on when the same command is given again.
"""

import asyncio
import sys
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

from aios.cli import places, policies, settings
from aios.cli.code import Runnable, is_module, runnable, text_of
from aios.cli.policies import Access
from aios.cli.prompt import at_terminal, is_at_terminal, prompting
from aios.cli.remote import Url, mark
from aios.cli.started import Start, name_of, start
from aios.errors import InvalidArgument, NotFound

if TYPE_CHECKING:
    from aios.access.policy import Policy

STATE = Path(".aios")
BEHIND = "behind"  # the words behind `--`
FOR_A_RUNNING_KERNEL = (
    "{option}: expected a running kernel, which this run has not; start one with `aios serve`, and "
    "name none of --state, --model, --embedder, --access"
)

Target = Annotated[
    str,
    typer.Argument(
        metavar="[FILE.py[:NAME] | package:NAME | PACKAGE]",
        show_default=False,
        help="A file or module, and its agent or function; or an installed package.",
    ),
]
Argument = Annotated[str, typer.Argument(help="What the agent is asked to do.")]
Name = Annotated[str, typer.Option(help="What `aios ps` calls it; whose memory and files it has.")]
Priority = Annotated[int, typer.Option(help="Of its calls.", min=-100, max=100)]
Grants = Annotated[
    list[str] | None,
    typer.Option("--grant", help="A right: VERBS[@OWNER][:OBJECT]; again for each."),
]
Budgets = Annotated[
    list[str] | None,
    typer.Option("--budget", help="A limit: tokens=10000, money=0.5, calls=...; again for each."),
]
Detach = Annotated[
    bool, typer.Option("--detach", "-d", help="Print its pid and leave it; see `aios logs`.")
]
Durable = Annotated[
    bool,
    typer.Option(
        "--durable",
        help="An SDK agent goes on where it was, in a kernel of its own; a program behind -- is "
        "started again by the next kernel.",
    ),
]
State = Annotated[
    Path | None, typer.Option(help="The kernel's home; a durable run has .aios.", file_okay=False)
]
Embedder = Annotated[str, settings.EMBEDDER.option()]
Model = Annotated[str, settings.MODEL.option()]


class RunCommand(TyperCommand):
    """What stands behind `--` is the program's own."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if "--" in args:
            at = args.index("--")
            ctx.meta[BEHIND] = args[at + 1 :]
            args = args[:at]
        return super().parse_args(ctx, args)

    def format_usage(self, ctx: Any, formatter: Any) -> None:
        formatter.write_usage(ctx.command_path, "[OPTIONS] -- COMMAND ARGS...")
        formatter.write_usage(ctx.command_path, "[OPTIONS] TARGET [ARGUMENT]", "       ")


def run(  # noqa: PLR0913 - its options
    context: typer.Context,
    target: Target = "",
    argument: Argument = "",
    name: Name = "",
    priority: Priority = 0,
    grant: Grants = None,
    budget: Budgets = None,
    detach: Detach = False,
    durable: Durable = False,
    state: State = None,
    model: Model = settings.MODEL.default,
    embedder: Embedder = "",
    access: Access = "",
    url: Url = "",
) -> None:
    """Run a program as an agent of the running kernel, its output here and its status ours.

    Behind `--` any command, whose environment is pointed at the kernel. FILE.py or package:NAME:
    an agent of the SDK, or an `async def` that takes a client and an argument; without a running
    kernel, and with --durable, --state or --model, in one of its own. PACKAGE: what `aios agents
    install` installed.
    """
    behind: list[str] = context.meta.get(BEHIND, [])
    if not target and not behind:
        raise typer.BadParameter("expected -- COMMAND, FILE.py, package:NAME or a package's name")
    asked = Start(
        name=name or (name_of(behind) if not target else ""),
        argv=tuple(behind),
        priority=priority,
        grants=tuple(grant or ()),
        budgets=tuple(budget or ()),
        durable=durable,
    )
    wants_own = _were_typed(context, "state", "model", "embedder", "access")
    if not target or _is_installed(target):
        if wants_own:
            raise InvalidArgument(FOR_A_RUNNING_KERNEL.format(option=target or behind[0]))
        whole = _packaged(url, target, argument, asked) if target else asked
        raise typer.Exit(start(url, whole, detach=detach))
    if behind:
        raise InvalidArgument(f"expected nothing behind {target}; its argument is one word")
    if not wants_own and not durable and (url or _is_served()):
        raise typer.Exit(start(url, _of_code(target, argument, asked), detach=detach))
    for option in ("name", "priority", "grant", "budget", "detach"):
        if context.params[option]:
            raise InvalidArgument(FOR_A_RUNNING_KERNEL.format(option=f"--{option}"))
    kernel = _Kernel(
        model=model,
        home=state or (STATE if durable else None),
        embedder=embedder,
        access=policies.chosen(access),
    )
    print(asyncio.run(_run(runnable(target, argument), kernel, is_durable=durable)))


def _were_typed(context: typer.Context, *options: str) -> bool:
    """Whether one of them stood on the command line; what files and the environment say is not."""
    sources = map(context.get_parameter_source, options)
    return any(one is not None and one.name == "COMMANDLINE" for one in sources)


def _is_served() -> bool:
    """Whether a kernel of this user's runs here."""
    from aios.server.record import find

    try:
        find(places.record())
    except NotFound:
        return False
    return True


def _is_installed(target: str) -> bool:
    from aios.cli.packages.store import is_installed

    return is_installed(target)


def _packaged(url: str, target: str, argument: str, asked: Start) -> Start:
    from aios.cli.packages.running import prepared

    words = (argument, *asked.argv) if argument else asked.argv
    return prepared(url, target, words, asked)


def _of_code(target: str, argument: str, asked: Start) -> Start:
    from dataclasses import replace

    path, _, named = target.partition(":")
    if not Path(path).is_file() and not is_module(target):
        raise NotFound(
            f"{target!r}: expected FILE.py, package:NAME or an installed package; a command stands "
            "behind --"
        )
    argv = (sys.executable, "-m", "aios.cli.here", target, argument)
    return replace(asked, argv=argv, name=asked.name or named or Path(path).stem)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kernel:
    """What the run's own kernel is."""

    model: str
    home: Path | None
    embedder: str
    access: "Policy"


async def _run(chosen: Runnable, of: "_Kernel", *, is_durable: bool) -> str:
    from aios.cli.homes import booted
    from aios.sdk import hosted

    programs = {chosen.id: hosted(chosen.program)}
    asks = is_at_terminal()
    opened = booted(of.model, of.home, of.embedder, programs, of.access, asks=asks)
    async with opened as kernel, prompting(kernel, at_terminal) if asks else nullcontext():
        return await carried_out(kernel, chosen, is_durable=is_durable)


async def carried_out(kernel: Any, chosen: Runnable, *, is_durable: bool) -> str:
    """The result of the run that was cut off, or of a new one."""
    from aios.sdk import Client

    client = Client(kernel, kernel.token)
    known = (await client.list()).processes
    pid = next((one.pid for one in known if one.program == chosen.id), None)
    if pid is None:
        spawned = await client.spawn(chosen.name, chosen.id, chosen.argument, durable=is_durable)
        pid = spawned.pid
    elif remark := (await client.inspect(pid)).remark:
        sys.stderr.write(f"aios: {chosen.id}: {remark}\n")
    ended = await client.wait(pid)
    if ended.error:
        raise _failed(ended.error)
    mark(ended)
    return text_of(ended.result)


def _failed(error: str) -> Exception:
    from aios.errors import error_from

    code, _, message = error.partition(": ")
    return error_from(code, message or error)
