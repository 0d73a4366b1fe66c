"""`aios approvals`: what agents wait for a human to allow, and the human's answers."""

from typing import TYPE_CHECKING, Annotated

import typer

from aios.cli.remote import Form, Output, Url, ask, group, plain, show, when
from aios.errors import NotFound

if TYPE_CHECKING:
    from aios.sdk.client import Client
    from aios.syscalls.approval import Approval

approvals = group(
    "approvals", "What waits for your yes; without a command, the list.", is_alone=True
)
All = Annotated[bool, typer.Option("--all", "-a", help="What is over, too.")]
Full = Annotated[bool, typer.Option("--full", help="All arguments, however long.")]
Number = Annotated[int, typer.Argument(help="The approval's number.", min=1)]
Numbers = Annotated[list[int], typer.Argument(help="The numbers of approvals.", min=1)]
Note = Annotated[str, typer.Option(help="A word to the agent.")]


@approvals.callback(invoke_without_command=True)
def waiting(context: typer.Context, url: Url = "") -> None:
    """What waits for your yes; without a command, the list."""
    if context.invoked_subcommand is None:
        list_(url=url)


@approvals.command("list")
def list_(all: All = False, url: Url = "", output: Output = Form.TABLE) -> None:
    """What waits, oldest first, and what a yes would do."""
    found = ask(url, lambda client: client.approvals.list(all=all)).approvals
    rows = [
        (str(one.id), one.agent, one.consequence, one.reason, when(one.expires), one.answer.value)
        for one in found
    ]
    show(output, found, ("NUMBER", "AGENT", "A YES MEANS", "ASKED BY", "UNTIL", "ANSWER"), rows)


@approvals.command("show")
def show_(number: Number, full: Full = False, url: Url = "", output: Output = Form.TABLE) -> None:
    """One question with its arguments; what is long in them is cut by itself, unless --full."""
    question = ask(
        url, lambda client: client.approvals.show(number) if full else found(client, number)
    )
    if output is Form.JSON:
        show(output, question, (), ())
    else:
        print(told(question))


@approvals.command()
def yes(numbers: Numbers, note: Note = "", url: Url = "") -> None:
    """Allow exactly these acts, each once."""
    _answer(numbers, note, url, yes=True)


@approvals.command()
def no(numbers: Numbers, note: Note = "", url: Url = "") -> None:
    """Refuse these acts."""
    _answer(numbers, note, url, yes=False)


def told(question: "Approval") -> str:
    """A question as a person reads it, whatever an agent wrote into it."""
    lines = (
        f"approval {question.id}, asked by agent {question.agent} (process {question.pid})",
        f"  a yes means  {question.consequence}",
        f"  the act      {question.verb} {question.object}",
        f"  arguments    {question.arguments}",
        f"  asked by     {question.reason}",
        f"  until        {when(question.expires)}, then it is a no",
        f"  digest       {question.digest}",
        f"  answer       {question.answer.value} {question.answered_by} {question.note}",
    )
    return "\n".join(plain(line).rstrip() for line in lines)


async def found(client: "Client", number: int) -> "Approval":
    """A question by its number."""
    known = (await client.approvals.list(all=True, limit=10_000)).approvals
    one = next((one for one in known if one.id == number), None)
    if one is None:
        raise NotFound(f"no approval {number}; `aios approvals list --all` shows those there are")
    return one


def _answer(numbers: list[int], note: str, url: str, *, yes: bool) -> None:
    async def answered(client: "Client") -> None:
        for number in numbers:
            question = await found(client, number)
            await client.approvals.answer(number, question.digest, yes, note)
            print(plain(f"{'yes' if yes else 'no'} to {number}: {question.consequence}"))

    ask(url, answered)
