"""`aios budgets`: what accounts may spend, and have spent."""

from typing import Annotated

import typer

from aios.cli.remote import Form, Output, Url, ask, group, show
from aios.errors import InvalidArgument
from aios.syscalls.budget import Budget, Resource

NONE = "none"
budgets = group("budgets", "What accounts may spend; without a command, the list.", is_alone=True)
Account = Annotated[
    str, typer.Argument(help="An agent, travel or travel/flights; @USER; @all for everybody.")
]
Below = Annotated[str, typer.Argument(help="Only this account and those below it.")]
What = Annotated[Resource, typer.Argument(help="Of what.")]
Limit = Annotated[str, typer.Argument(help="How much; none: it is counted, not limited.")]
Amount = Annotated[float, typer.Argument(help="How much more.", min=0)]


@budgets.callback(invoke_without_command=True)
def standing(context: typer.Context, url: Url = "") -> None:
    """What accounts may spend; without a command, the list."""
    if context.invoked_subcommand is None:
        list_(url=url)


@budgets.command("list")
def list_(account: Below = "", url: Url = "", output: Output = Form.TABLE) -> None:
    """Limits, what is spent and held, and how many calls wait for more."""
    found = ask(url, lambda client: client.budgets.list(account)).budgets
    columns = ("ACCOUNT", "RESOURCE", "LIMIT", "SPENT", "HELD", "WAITING")
    show(output, found, columns, [_row(one) for one in found])


@budgets.command("set")
def set_(account: Account, resource: What, limit: Limit, url: Url = "") -> None:
    """Limit an account."""
    amount = None if limit == NONE else _number(limit)
    _tell(ask(url, lambda client: client.budgets.set(account, resource, amount)))


@budgets.command("top-up")
def top_up(account: Account, resource: What, amount: Amount, url: Url = "") -> None:
    """Raise a limit; whoever waits for it goes on."""
    _tell(ask(url, lambda client: client.budgets.top_up(account, resource, amount)))


def _row(one: Budget) -> tuple[str, ...]:
    limit = NONE if one.limit is None else f"{one.limit:,g}"
    amounts = (limit, f"{one.spent:,g}", f"{one.held:,g}")
    return (one.account, one.resource.value, *amounts, str(one.waiting))


def _tell(one: Budget) -> None:
    limit = "not limited" if one.limit is None else f"limited to {one.limit:,g}"
    print(f"{one.account}: {one.resource.value} {limit}, {one.spent:,g} spent")


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise InvalidArgument(f"limit: expected a number or {NONE!r}, got {text!r}") from None
