"""`aios run`: one agent or program from a file, in a kernel of its own; durable if asked to be.

A durable run that was cut off, by whatever, goes on when the same command is given again.
"""

import asyncio
import importlib.util
import sys
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Annotated, Any

import typer

from aios.cli import policies, settings
from aios.cli.policies import Access
from aios.cli.prompt import at_terminal, is_at_terminal, prompting
from aios.errors import InvalidArgument, NotFound

if TYPE_CHECKING:
    from aios.access.policy import Policy

STATE = Path(".aios")

Target = Annotated[str, typer.Argument(metavar="FILE.py[:NAME]", show_default=False)]
Argument = Annotated[str, typer.Argument(help="What the agent is asked to do.")]
Durable = Annotated[
    bool, typer.Option("--durable", help="Go on where it was, if this was cut off before.")
]
State = Annotated[
    Path | None, typer.Option(help="The kernel's home; a durable run has .aios.", file_okay=False)
]
Embedder = Annotated[str, settings.EMBEDDER.option()]
Model = Annotated[str, settings.MODEL.option()]


@dataclass(frozen=True, slots=True, kw_only=True)
class Runnable:
    """A program of a file: `id` tells it and its argument from all others in one home."""

    id: str
    name: str
    program: Any
    argument: str


def run(  # noqa: PLR0913 - its options
    target: Target,
    argument: Argument = "",
    durable: Durable = False,
    state: State = None,
    model: Model = settings.MODEL.default,
    embedder: Embedder = "",
    access: Access = "",
) -> None:
    """Run an agent, or an `async def` that takes a client and an argument, from a Python file."""
    chosen = runnable(target, argument)
    home = state or (STATE if durable else None)
    kernel = _Kernel(model=model, home=home, embedder=embedder, access=policies.chosen(access))
    result = asyncio.run(_run(chosen, kernel, is_durable=durable))
    print(result)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kernel:
    """What the run's own kernel is."""

    model: str
    home: Path | None
    embedder: str
    access: "Policy"


def runnable(target: str, argument: str) -> Runnable:
    """What a target names; without a name, the only agent in the file, or its `program`."""
    path, _, name = target.partition(":")
    file = Path(path).resolve()
    if not file.is_file():
        raise NotFound(f"no file {path!r}; expected FILE.py or FILE.py:NAME")
    found = _public(_load(file))
    if not name:
        name = _only(found, path)
    if not callable(found.get(name)):
        raise NotFound(f"nothing to run by the name {name!r} in {path}; there is {sorted(found)}")
    program = found[name]
    return Runnable(
        id=f"{file}:{name}({argument!r})",
        name=str(getattr(program, "name", name)),
        program=program,
        argument=argument,
    )


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
    return _text(ended.result)


def _failed(error: str) -> Exception:
    from aios.errors import error_from

    code, _, message = error.partition(": ")
    return error_from(code, message or error)


def _text(result: Any) -> str:
    import msgspec

    return result if isinstance(result, str) else msgspec.json.encode(result).decode()


def _load(file: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(file.stem, file)
    if spec is None or spec.loader is None:
        raise InvalidArgument(f"expected a Python file, got {file.name!r}")
    module = importlib.util.module_from_spec(spec)
    sys.modules[file.stem] = module  # Where its own functions look for their types.
    sys.path.insert(0, str(file.parent))
    spec.loader.exec_module(module)
    return module


def _public(module: ModuleType) -> dict[str, Any]:
    return {name: value for name, value in vars(module).items() if not name.startswith("_")}


def _only(found: Mapping[str, Any], path: str) -> str:
    agents = [name for name, value in found.items() if _is_agent(value)]
    if not agents and "program" in found:
        return "program"
    if len(agents) != 1:
        raise InvalidArgument(f"expected one agent in {path}, got {agents}; name one: {path}:NAME")
    return agents[0]


def _is_agent(value: Any) -> bool:
    return not isinstance(value, type) and isinstance(getattr(value, "definition", None), str)
