"""`aios files`: a look into agents' files, and ways back in time."""

import sys
from typing import Annotated

import typer

from aios.cli.inside import Home, Mode, asked, look, look_at_home, searched, tell_pending
from aios.cli.paint import size
from aios.cli.remote import Form, Output, Url, group, plain, show, when
from aios.syscalls.note import SearchMode

files = group("files", "Look into agents' files.")
Agent = Annotated[str, typer.Option(help="Whose files: travel, or travel/flights for its child.")]
Place = Annotated[str, typer.Argument(help="A path in the agent's root.")]
Deep = Annotated[bool, typer.Option(help="All that is below it too.")]
Below = Annotated[str, typer.Option(help="Only what is below this folder.")]
Query = Annotated[str, typer.Argument(help="What to find.")]
Limit = Annotated[int, typer.Option(help="How many at most.", min=1, max=1_000)]
Number = Annotated[int, typer.Argument(help="As `aios files versions` shows it.", min=1)]
Deleted = Annotated[str, typer.Argument(help="As `aios files bin` shows it.")]
To = Annotated[str | None, typer.Option(help="Another path than it had.")]


@files.command()
def agents(home: Home = None, output: Output = Form.TABLE) -> None:
    """Agents that have files, and how much."""

    found = dict(look_at_home(home, lambda cabinet: cabinet.files()))
    rows = [(agent, f"{one.files:,}", size(one.bytes)) for agent, one in found.items()]
    show(output, found, ("AGENT", "FILES", "SIZE"), rows)


@files.command(name="list")
def list_(
    agent: Agent,
    path: Place = "",
    deep: Deep = False,
    home: Home = None,
    url: Url = "",
    output: Output = Form.TABLE,
) -> None:
    """What a folder holds."""
    from aios.syscalls.file import Folder

    found = asked(home, url, agent, Folder(path=path, deep=deep, limit=100_000)).files
    rows = [
        (
            f"{one.path}/" if one.kind == "folder" else one.path,
            size(one.bytes),
            f"v{one.version}",
            when(one.modified),
        )
        for one in found
    ]
    show(output, found, ("PATH", "SIZE", "VERSION", "MODIFIED"), rows)


@files.command()
def read(
    agent: Agent,
    path: Place,
    version: Annotated[int | None, typer.Option(help="An older version.", min=1)] = None,
    home: Home = None,
    url: Url = "",
) -> None:
    """Write a file's bytes to standard output."""
    from aios.syscalls.file import ReadFile

    data = asked(home, url, agent, ReadFile(path=path, version=version)).data
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


@files.command()
def versions(
    agent: Agent, path: Place, home: Home = None, url: Url = "", output: Output = Form.TABLE
) -> None:
    """A file's versions, newest first."""
    from aios.syscalls.file import Versions

    found = asked(home, url, agent, Versions(path=path)).versions
    rows = [(f"v{one.version}", when(one.time), size(one.bytes), one.by) for one in found]
    show(output, found, ("VERSION", "TIME", "SIZE", "BY"), rows)


@files.command()
def search(  # noqa: PLR0913 - its options
    agent: Agent,
    query: Query,
    path: Below = "",
    mode: Mode = SearchMode.HYBRID,
    limit: Limit = 10,
    home: Home = None,
    url: Url = "",
    output: Output = Form.TABLE,
) -> None:
    """Files by the words of a query, and by its meaning."""
    from aios.syscalls.file import SearchFiles

    call = SearchFiles(query=query, path=path, limit=limit, mode=mode)
    found = look(home, url, lambda inside: searched(inside, agent, call))
    tell_pending(found.pending)
    if output is not Form.TABLE:
        show(output, found.files, (), ())
        return
    for one in found.files:
        print(plain(one.file.path))
        for line in one.snippet.splitlines():
            print(f"    {plain(line)}")


@files.command()
def diff(
    agent: Agent,
    path: Place,
    old: Number,
    new: Annotated[int | None, typer.Argument(help="The present content if left out.")] = None,
    home: Home = None,
    url: Url = "",
) -> None:
    """What changed from version OLD to version NEW, or to the present content."""
    from aios.syscalls.file import Diff

    print(asked(home, url, agent, Diff(path=path, old=old, new=new)).text, end="")


@files.command()
def rollback(agent: Agent, path: Place, version: Number, home: Home = None, url: Url = "") -> None:
    """Bring an older version back, as a new one."""
    from aios.syscalls.file import RollbackFile

    info = asked(home, url, agent, RollbackFile(path=path, version=version))
    print(f"{info.path} is at version {info.version}, with the content of {version}")


@files.command(name="bin")
def bin_(agent: Agent, home: Home = None, url: Url = "", output: Output = Form.TABLE) -> None:
    """What was deleted, newest first."""
    from aios.syscalls.file import Bin

    found = asked(home, url, agent, Bin()).deleted
    rows = [(one.id, when(one.time), size(one.bytes), one.path) for one in found]
    show(output, found, ("ID", "DELETED", "SIZE", "PATH"), rows)


@files.command()
def restore(agent: Agent, id: Deleted, to: To = None, home: Home = None, url: Url = "") -> None:
    """Take something back from the bin."""
    from aios.syscalls.file import Restore

    print(plain(asked(home, url, agent, Restore(id=id, to=to)).path))
