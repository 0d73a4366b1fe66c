"""`aios top`: a running kernel's agents, live, with a hand on them; a remote kernel's too."""

import asyncio
import importlib.util
from typing import Annotated

import typer

from aios.cli.remote import Url, client_of, heard
from aios.errors import WrongState

Every = Annotated[float, typer.Option("--every", help="Seconds between refreshes.", min=0.1)]


def top(every: Every = 1.0, url: Url = "") -> None:
    """Watch agents live, and pause, resume or kill them."""
    if importlib.util.find_spec("textual") is None:
        raise WrongState("expected the extra `tui`: pip install 'aios-kernel[tui]'")

    async def main() -> None:
        from aios.cli.top_screen import Top

        async with client_of(url) as client:
            await client.whoami()  # What is wrong with the place or the token is told at once.
            screen = Top(client, lambda: heard(url, "/api/events"), every_s=every)
            await screen.run_async()

    asyncio.run(main())
