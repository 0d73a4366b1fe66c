"""`aios dashboard`: a link that signs a browser in, once; opened where there is one to open."""

import os
import sys
import webbrowser
from typing import Annotated

import typer

from aios.cli.remote import Url, signed_link

Open = Annotated[bool, typer.Option("--open/--no-open", help="Open it in your browser.")]


def dashboard(open: Open = True, url: Url = "") -> None:
    """Print a link to the dashboard, good once and for two minutes, and open it."""
    link = signed_link(url)
    print(link)
    if open and sys.stdout.isatty() and _has_screen():
        webbrowser.open(link)


def _has_screen() -> bool:
    """Whether a browser would be a window. One in the terminal is not what was asked for."""
    if sys.platform in ("darwin", "win32"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
