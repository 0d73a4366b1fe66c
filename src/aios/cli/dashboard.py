"""`aios dashboard`: a link that signs a browser in, once; opened where there is one to open."""

import asyncio
import os
import sys
import webbrowser
from typing import Annotated

import typer

from aios.cli.remote import CONNECT_S, Url, place_of
from aios.errors import AiosError, ShuttingDown

Open = Annotated[bool, typer.Option("--open/--no-open", help="Open it in your browser.")]


def dashboard(open: Open = True, url: Url = "") -> None:
    """Print a link to the dashboard, good once and for two minutes, and open it."""
    place, token = place_of(url)
    link = asyncio.run(_link(place.rstrip("/"), token))
    print(link)
    if open and sys.stdout.isatty() and _has_screen():
        webbrowser.open(link)


async def _link(place: str, token: str) -> str:
    import aiohttp

    from aios.sdk.http import why

    patience = aiohttp.ClientTimeout(total=CONNECT_S)
    headers = {"authorization": f"Bearer {token}"}
    try:
        async with (
            aiohttp.ClientSession(timeout=patience, headers=headers) as session,
            session.post(f"{place}/web/tickets") as response,
        ):
            if response.status != 200:
                said = await response.text()
                raise AiosError(f"the kernel answered {response.status}: {said}")
            return f"{place}{(await response.json())['path']}"
    except (aiohttp.ClientError, TimeoutError) as problem:
        raise ShuttingDown(f"no kernel answers at {place}: {why(problem)}") from None


def _has_screen() -> bool:
    """Whether a browser would be a window. One in the terminal is not what was asked for."""
    if sys.platform in ("darwin", "win32"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
