"""`aios memory`: a look into agents' blocks, histories and notes. Changes none of them."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from aios.cli.inside import Home, Mode, asked, look, look_at_home, searched, tell_pending
from aios.cli.remote import Form, Output, Url, group, show, when
from aios.syscalls.note import SearchMode

if TYPE_CHECKING:
    from aios.syscalls.llm import Message

LINE = 100  # characters of a text in a table

memory = group("memory", "Look into agents' memory: blocks, histories, notes.")
Agent = Annotated[str, typer.Argument(help="Whose: travel, or travel/flights for its child.")]
Block = Annotated[str, typer.Argument(help="The block's name.")]
Owner = Annotated[str, typer.Option(help="Another agent, which shares the block with AGENT.")]
Name = Annotated[str, typer.Argument(help="The history's name.")]
Query = Annotated[str, typer.Option(help="What to find; without it the newest.")]
Tags = Annotated[list[str] | None, typer.Option("--tag", help="A tag to bear; may be repeated.")]
Limit = Annotated[int, typer.Option(help="How many at most.", min=1, max=1_000)]


@memory.command()
def agents(home: Home = None, output: Output = Form.TABLE) -> None:
    """Agents that remember something, and how much."""

    found = look_at_home(home, lambda cabinet: cabinet.memory())
    rows = [
        (one.agent, str(one.blocks), f"{one.bytes:,}", str(one.histories), str(one.notes))
        for one in found
    ]
    show(output, found, ("AGENT", "BLOCKS", "BYTES", "HISTORIES", "NOTES"), rows)


@memory.command()
def blocks(agent: Agent, home: Home = None, url: Url = "", output: Output = Form.TABLE) -> None:
    """An agent's blocks, and those that others share with it."""
    from aios.syscalls.memory import Blocks

    found = asked(home, url, agent, Blocks()).blocks
    rows = [
        (
            one.owner, one.name, f"{one.bytes:,}", f"{one.limit_bytes:,}",
            ", ".join(f"{grant.agent} ({grant.access.value})" for grant in one.shared),
        )
        for one in found
    ]  # fmt: skip
    show(output, found, ("OWNER", "NAME", "BYTES", "LIMIT", "SHARED WITH"), rows)


@memory.command()
def read(
    agent: Agent,
    block: Block,
    owner: Owner = "",
    home: Home = None,
    url: Url = "",
    output: Output = Form.TABLE,
) -> None:
    """Write a block's bytes to standard output; as JSON in base64."""
    from aios.syscalls.memory import Read

    found = asked(home, url, agent, Read(name=block, owner=owner))
    if output is not Form.TABLE:
        show(output, found, (), ())
        return
    sys.stdout.buffer.write(found.data)
    sys.stdout.buffer.flush()


@memory.command()
def histories(agent: Agent, home: Home = None, url: Url = "", output: Output = Form.TABLE) -> None:
    """An agent's conversations."""
    from aios.syscalls.history import Histories

    found = asked(home, url, agent, Histories()).histories
    show(output, found, ("NAME", "MESSAGES"), [(one.name, str(one.length)) for one in found])


@memory.command()
def history(
    agent: Agent, name: Name, home: Home = None, url: Url = "", output: Output = Form.TABLE
) -> None:
    """The messages of one conversation."""
    from aios.syscalls.history import Turns

    found = asked(home, url, agent, Turns(name=name)).messages
    rows = [(str(number), one.role, _said(one)) for number, one in enumerate(found)]
    show(output, found, ("NO", "ROLE", "MESSAGE"), rows)


@memory.command()
def notes(  # noqa: PLR0913 - its options
    agent: Agent,
    query: Query = "",
    tag: Tags = None,
    mode: Mode = SearchMode.HYBRID,
    limit: Limit = 20,
    home: Home = None,
    url: Url = "",
    output: Output = Form.TABLE,
) -> None:
    """An agent's notes and those shared with it: the nearest to a query, or the newest."""
    from aios.syscalls.note import Search

    call = Search(query=query, tags=tuple(tag or ()), mode=mode, limit=limit)
    if query:
        found = look(home, url, lambda inside: searched(inside, agent, call))
    else:
        found = asked(home, url, agent, call)
    tell_pending(found.pending if query else 0)
    rows = [
        (one.note.id, one.note.owner, when(one.note.updated), ", ".join(one.note.tags),
         _cut(one.note.text))
        for one in found.notes
    ]  # fmt: skip
    show(output, found.notes, ("ID", "OWNER", "CHANGED", "TAGS", "TEXT"), rows)


def _said(message: "Message") -> str:
    calls = ", ".join(f"{call.name}({call.arguments})" for call in message.tool_calls)
    return _cut(" ".join(part for part in (message.content, calls) if part))


def _cut(text: str) -> str:
    return text if len(text) <= LINE else f"{text[: LINE - 3]}..."
