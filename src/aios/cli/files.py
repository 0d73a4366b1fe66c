"""`aios files`: a look into agents' files, and ways back in time."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from aios.cli.inside import Home, Inside, Mode, look, look_at_home, searched, tell_pending
from aios.cli.remote import Url, plain, when
from aios.syscalls.note import SearchMode

if TYPE_CHECKING:
    from aios.kernel.cabinet import Cabinet

files = typer.Typer(
    name="files",
    help="Look into agents' files.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
Agent = Annotated[str, typer.Option(help="Whose files: travel, or travel/flights for its child.")]
Place = Annotated[str, typer.Argument(help="A path in the agent's root.")]


@files.command()
def agents(home: Home = None) -> None:
    """Agents that have files, and how much."""

    async def show(cabinet: "Cabinet") -> None:
        for agent, quota in await cabinet.files():
            print(f"{quota.bytes:>14,} bytes {quota.files:>8,} files  {plain(agent)}")

    look_at_home(home, show)


@files.command(name="list")
def list_(
    agent: Agent, path: Place = "", deep: bool = False, home: Home = None, url: Url = ""
) -> None:
    """What a folder holds."""
    from aios.syscalls.file import Folder

    async def show(inside: Inside) -> None:
        listed = await inside.call(agent, Folder(path=path, deep=deep, limit=100_000))
        for info in listed.files:
            mark = "/" if info.kind == "folder" else ""
            shown = f"{info.bytes:>14,}  v{info.version:<5} {when(info.modified)}"
            print(f"{shown}  {plain(info.path)}{mark}")

    look(home, url, show)


@files.command()
def read(
    agent: Agent,
    path: Place,
    version: Annotated[int, typer.Option(help="An older version.", min=1)] | None = None,
    home: Home = None,
    url: Url = "",
) -> None:
    """Write a file's bytes to standard output."""
    from aios.syscalls.file import ReadFile

    async def show(inside: Inside) -> None:
        data = (await inside.call(agent, ReadFile(path=path, version=version))).data
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()

    look(home, url, show)


@files.command()
def versions(agent: Agent, path: Place, home: Home = None, url: Url = "") -> None:
    """A file's versions, newest first."""
    from aios.syscalls.file import Versions

    async def show(inside: Inside) -> None:
        for one in (await inside.call(agent, Versions(path=path))).versions:
            print(f"v{one.version:<5} {when(one.time)} {one.bytes:>14,}  {plain(one.by)}")

    look(home, url, show)


@files.command()
def search(  # noqa: PLR0913 - its options
    agent: Agent,
    query: str,
    path: str = "",
    mode: Mode = SearchMode.HYBRID,
    limit: int = 10,
    home: Home = None,
    url: Url = "",
) -> None:
    """Files by the words of a query, and by its meaning."""
    from aios.syscalls.file import SearchFiles

    async def show(inside: Inside) -> None:
        call = SearchFiles(query=query, path=path, limit=limit, mode=mode)
        found = await searched(inside, agent, call)
        tell_pending(found.pending)
        for one in found.files:
            print(plain(one.file.path))
            for line in one.snippet.splitlines():
                print(f"    {plain(line)}")

    look(home, url, show)


@files.command()
def diff(
    agent: Agent,
    path: Place,
    old: int,
    new: Annotated[int | None, typer.Argument(help="The present content if left out.")] = None,
    home: Home = None,
    url: Url = "",
) -> None:
    """What changed from version OLD to version NEW, or to the present content."""
    from aios.syscalls.file import Diff

    async def show(inside: Inside) -> None:
        print((await inside.call(agent, Diff(path=path, old=old, new=new))).text, end="")

    look(home, url, show)


@files.command()
def rollback(agent: Agent, path: Place, version: int, home: Home = None, url: Url = "") -> None:
    """Bring an older version back, as a new one."""
    from aios.syscalls.file import RollbackFile

    async def show(inside: Inside) -> None:
        info = await inside.call(agent, RollbackFile(path=path, version=version))
        print(f"{info.path} is at version {info.version}, with the content of {version}")

    look(home, url, show)


@files.command(name="bin")
def bin_(agent: Agent, home: Home = None, url: Url = "") -> None:
    """What was deleted, newest first."""
    from aios.syscalls.file import Bin

    async def show(inside: Inside) -> None:
        for one in (await inside.call(agent, Bin())).deleted:
            print(f"{one.id}  {when(one.time)} {one.bytes:>14,}  {plain(one.path)}")

    look(home, url, show)


@files.command()
def restore(agent: Agent, id: str, to: str | None = None, home: Home = None, url: Url = "") -> None:
    """Take something back from the bin."""
    from aios.syscalls.file import Restore

    async def show(inside: Inside) -> None:
        print(plain((await inside.call(agent, Restore(id=id, to=to))).path))

    look(home, url, show)
