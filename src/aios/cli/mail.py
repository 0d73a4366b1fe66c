"""`aios send`: a message into an agent's mailbox."""

import json
from typing import TYPE_CHECKING, Annotated

import typer

from aios.cli.remote import Url, ask
from aios.cli.target import Target, pid_of
from aios.errors import InvalidArgument

if TYPE_CHECKING:
    from aios.sdk.client import Client

Body = Annotated[str, typer.Argument(help="The message, as text.")]
Json = Annotated[bool, typer.Option("--json", help="The message is JSON.")]


def send(agent: Target, body: Body, is_json: Json = False, url: Url = "") -> None:
    """Put a message into an agent's mailbox."""
    message = _parsed(body) if is_json else body

    async def work(client: "Client") -> None:
        await client.send(await pid_of(client, agent), message)

    ask(url, work)


def _parsed(body: str) -> object:
    try:
        return json.loads(body)
    except ValueError as problem:
        raise InvalidArgument(f"expected a message as JSON: {problem}") from None
