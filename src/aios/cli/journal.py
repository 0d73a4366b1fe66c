"""`aios journal`: is it whole, a copy of it, and a home from a copy. A kernel may run meanwhile.

A journal holds all of a home that cannot be made again: what agents are and remember, and their
files with all versions. Real files and search indexes are made from it.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from aios.cli import settings, sources
from aios.cli.remote import Form, Output, group, show
from aios.errors import NotFound, WrongState

if TYPE_CHECKING:
    from aios.journal.check import Trouble

JOURNAL = "journal"  # in a home

journal = group("journal", "Check, copy and restore what a kernel keeps.")
Home = Annotated[
    Path | None,
    settings.HOME.option(help="The kernel's home; that of `aios serve` if not given."),
]
Copy = Annotated[Path, typer.Argument(help="A folder that is not there yet.", show_default=False)]
Backup = Annotated[Path, typer.Argument(help="What `aios journal backup` made.")]


@journal.command()
def check(home: Home = None, output: Output = Form.TABLE) -> None:
    """Look at every byte and name what is damaged; of a home, or of a backup."""
    folder = journal_of(home or sources.home())
    troubles = found_in(folder)
    if output is not Form.TABLE:
        show(output, troubles, (), ())
    elif troubles:
        show(output, troubles, ("DAMAGED", "WHAT IS WRONG"), [
            (one.place, one.problem) for one in troubles
        ])  # fmt: skip
    else:
        print(f"{folder} is whole")
    if troubles:
        raise typer.Exit(1)


@journal.command()
def backup(copy: Copy, home: Home = None) -> None:
    """Copy all that a home must not lose, as of one moment; its kernel may go on."""
    from aios.journal.backup import backup as copied
    from aios.retrieval.choose import name_for, remember

    source = home or sources.home()
    copied(journal_of(source), copy.absolute())
    remember(copy, name_for(source))
    print(f"{copy} holds {source} as it is now; `aios journal restore` makes a home of it")


@journal.command()
def restore(backup: Backup, home: Home = None) -> None:
    """Make a home of a backup: nothing may be there yet. Agents' real files are written anew."""
    import asyncio

    from aios.cli.inside import opened
    from aios.journal.backup import restore as restored
    from aios.retrieval.choose import name_for, remember

    place = home or sources.home()
    if place.exists() and (not place.is_dir() or any(place.iterdir())):
        raise WrongState(f"expected nothing in {place}: move what is there out of the way first")
    if not (backup / "journal.db").is_file():
        raise NotFound(f"no backup in {backup}; expected what `aios journal backup` made")
    place.mkdir(parents=True, exist_ok=True)
    restored(backup, place.absolute() / JOURNAL)
    remember(place, name_for(backup))

    async def write_files() -> int:
        async with opened(place) as cabinet:
            return await cabinet.write_files()

    print(f"{place} is as {backup} was, with the files of {asyncio.run(write_files())} agents")


def journal_of(place: Path) -> Path:
    """The journal's folder in a home; a backup is one itself."""
    for folder in (place / JOURNAL, place):
        if (folder / "journal.db").is_file() or (folder / "witness").is_file():
            return folder
    raise NotFound(f"no journal in {place}; expected a kernel's home, or a backup of one")


def found_in(folder: Path) -> "list[Trouble]":
    """All that is damaged in a journal's folder, blobs that are gone included."""
    from aios.journal.check import blobs_in_use
    from aios.journal.check import check as checked

    return checked(folder, blobs_in_use(folder))
