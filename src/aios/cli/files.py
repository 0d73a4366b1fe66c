"""`aios files`: a look into the files of a home whose kernel is stopped, and ways back in time."""

import asyncio
import sys
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from aios.kernel.cabinet import Cabinet

files = typer.Typer(
    name="files",
    help="Look into the files of a stopped kernel's home.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
Home = Annotated[Path, typer.Option(help="The kernel's home.", envvar="AIOS_HOME")]
Agent = Annotated[str, typer.Option(help="Whose files: travel, or travel/flights for its child.")]
Place = Annotated[str, typer.Argument(help="A path in the agent's root.")]


@files.command()
def agents(home: Home) -> None:
    """Agents that have files, and how much."""

    async def show(cabinet: "Cabinet") -> None:
        for agent, quota in await cabinet.agents():
            print(f"{quota.bytes:>14,} bytes {quota.files:>8,} files  {agent}")

    _run(home, show)


@files.command(name="list")
def list_(home: Home, agent: Agent, path: Place = "", deep: bool = False) -> None:
    """What a folder holds."""
    from aios.syscalls.file import Folder

    async def show(cabinet: "Cabinet") -> None:
        listed = await cabinet.call(agent, Folder(path=path, deep=deep, limit=100_000))
        for info in listed.files:
            mark = "/" if info.kind == "folder" else ""
            print(
                f"{info.bytes:>14,}  v{info.version:<5} {_when(info.modified)}  {info.path}{mark}"
            )

    _run(home, show)


@files.command()
def read(
    home: Home,
    agent: Agent,
    path: Place,
    version: Annotated[int, typer.Option(help="An older version.", min=1)] | None = None,
) -> None:
    """Write a file's bytes to standard output."""
    from aios.syscalls.file import ReadFile

    async def show(cabinet: "Cabinet") -> None:
        data = (await cabinet.call(agent, ReadFile(path=path, version=version))).data
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()

    _run(home, show)


@files.command()
def versions(home: Home, agent: Agent, path: Place) -> None:
    """A file's versions, newest first."""
    from aios.syscalls.file import Versions

    async def show(cabinet: "Cabinet") -> None:
        for one in (await cabinet.call(agent, Versions(path=path))).versions:
            print(f"v{one.version:<5} {_when(one.time)} {one.bytes:>14,}  {one.by}")

    _run(home, show)


@files.command()
def search(home: Home, agent: Agent, query: str, path: str = "", limit: int = 10) -> None:
    """Files that hold the words of a query."""
    from aios.syscalls.file import SearchFiles
    from aios.syscalls.note import SearchMode

    async def show(cabinet: "Cabinet") -> None:
        call = SearchFiles(query=query, path=path, limit=limit, mode=SearchMode.KEYWORD)
        for one in (await cabinet.call(agent, call)).files:
            print(one.file.path)
            for line in one.snippet.splitlines():
                print(f"    {line}")

    _run(home, show)


@files.command()
def diff(home: Home, agent: Agent, path: Place, old: int, new: int | None = None) -> None:
    """What changed from version OLD to version NEW, or to the present content."""
    from aios.syscalls.file import Diff

    async def show(cabinet: "Cabinet") -> None:
        print((await cabinet.call(agent, Diff(path=path, old=old, new=new))).text, end="")

    _run(home, show)


@files.command()
def rollback(home: Home, agent: Agent, path: Place, version: int) -> None:
    """Bring an older version back, as a new one."""
    from aios.syscalls.file import RollbackFile

    async def show(cabinet: "Cabinet") -> None:
        info = await cabinet.call(agent, RollbackFile(path=path, version=version))
        print(f"{info.path} is at version {info.version}, with the content of {version}")

    _run(home, show)


@files.command(name="bin")
def bin_(home: Home, agent: Agent) -> None:
    """What was deleted, newest first."""
    from aios.syscalls.file import Bin

    async def show(cabinet: "Cabinet") -> None:
        for one in (await cabinet.call(agent, Bin())).deleted:
            print(f"{one.id}  {_when(one.time)} {one.bytes:>14,}  {one.path}")

    _run(home, show)


@files.command()
def restore(home: Home, agent: Agent, id: str, to: str | None = None) -> None:
    """Take something back from the bin."""
    from aios.syscalls.file import Restore

    async def show(cabinet: "Cabinet") -> None:
        print((await cabinet.call(agent, Restore(id=id, to=to))).path)

    _run(home, show)


def _run(home: Path, show: Callable[["Cabinet"], Coroutine[Any, Any, None]]) -> None:
    from aios.kernel.cabinet import open_cabinet

    async def run() -> None:
        async with open_cabinet(home) as cabinet:
            await show(cabinet)

    asyncio.run(run())


def _when(time: float) -> str:
    return f"{datetime.fromtimestamp(time, UTC).astimezone():%Y-%m-%d %H:%M:%S}"
