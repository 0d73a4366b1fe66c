"""`aios shell`: an agent that works on files as told, and asks before it takes anything away."""

import asyncio
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from aios.cli import settings
from aios.errors import AiosError

if TYPE_CHECKING:
    from aios.agents.shell import Shell
    from aios.agents.steps import Step
    from aios.sdk import Client

Request = Annotated[str, typer.Argument(help="What to do; without it, one request a line.")]
Home = Annotated[Path, settings.HOME.option()]
Agent = Annotated[str, typer.Option(help="Whose files.")]
Model = Annotated[
    str,
    typer.Option(help="A local model, by folder or hub id. pocket knows other tools than these."),
]


def shell(
    home: Home, request: Request = "", agent: Agent = "shell", model: Model = "pocket"
) -> None:
    """Work on an agent's files in plain language."""
    asyncio.run(_serve(home, request, agent, model))


async def _serve(home: Path, request: str, agent: str, model: str) -> None:
    from aios.agents.shell import Person, Shell
    from aios.cli.homes import booted
    from aios.sdk import Client

    async with booted(model, home) as kernel:
        child = await Client(kernel, kernel.token).spawn(agent)
        client = Client(kernel, child.token)
        shell = Shell(Person(show=_show, confirm=_confirm), kernel.clock, zone=_here())
        if request:
            print(await shell(client, request))
            return
        while line := await asyncio.to_thread(_ask, "aios> "):
            await _one(shell, client, line)


async def _one(shell: "Shell", client: "Client", line: str) -> None:
    """One request of several; an error ends it and not the shell."""
    try:
        print(await shell(client, line))
    except AiosError as error:
        print(f"{error.code}: {error}")


def _show(step: "Step") -> None:
    print(f"  {step.act}: {step.text}")


async def _confirm(step: "Step") -> bool:
    answer = await asyncio.to_thread(_ask, f"  {step.because}. Do it? [y/N] ")
    return answer.casefold() in ("y", "yes")


def _ask(prompt: str) -> str:
    """A line from whoever sits there; empty at the end of input, which is a no."""
    try:
        return input(prompt).strip()
    except EOFError:
        return ""


def _here() -> tzinfo:
    zone = datetime.now(UTC).astimezone().tzinfo
    assert zone is not None, "an aware time has a zone"
    return zone
