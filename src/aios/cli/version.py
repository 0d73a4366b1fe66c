"""`aios version`: this program's, and the kernel's where one is reached."""

from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as version_of
from typing import Any

from aios.cli import places
from aios.cli.quick import answered
from aios.cli.remote import Form, Output, Url, show
from aios.errors import AiosError
from aios.server.record import find as found

PACKAGE = "aios-kernel"
SOURCE = "source"  # where it is run from its folder


def version(output: Output = Form.TABLE, url: Url = "") -> None:
    """Show the version of this program, and of the kernel where one is reached."""
    try:
        own = version_of(PACKAGE)
    except PackageNotFoundError:
        own = SOURCE
    kernel = _kernel(url)
    if output is not Form.TABLE:
        show(output, {"aios": own, "kernel": kernel}, (), ())
        return
    print(f"aios {own}")
    if kernel:
        print(f"kernel {kernel['version']} at {kernel['url']}")


def _kernel(url: str) -> dict[str, Any] | None:
    """What the kernel says of itself; it tells that to everybody."""
    try:
        place = url or found(places.record()).url
    except AiosError:
        return None
    said = answered(place, "/version")
    return {"url": place, **said} if isinstance(said, dict) else None
