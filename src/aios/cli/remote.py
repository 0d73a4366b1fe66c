"""What commands on a running kernel share: where it is, one client for it, two forms of output."""

import asyncio
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from aios.cli import places, settings, sources
from aios.cli.paint import painted
from aios.errors import InvalidArgument

if TYPE_CHECKING:
    from aios.sdk.client import Client

R = TypeVar("R")
CONNECT_S = 10.0
DATA = b"data: "


class Form(StrEnum):
    """How a result is written."""

    TABLE = "table"
    JSON = "json"
    YAML = "yaml"


def group(name: str, help: str, *, is_alone: bool = False) -> typer.Typer:
    """A command that has commands; `is_alone`: it does something without one, too."""
    return typer.Typer(name=name, help=help, no_args_is_help=not is_alone, rich_markup_mode=None)


Output = Annotated[Form, settings.OUTPUT.option()]
Url = Annotated[str, settings.URL.option()]


def ask(url: str, work: Callable[["Client"], Awaitable[R]]) -> R:
    """What `work` finds with a client of the kernel at `url`."""

    async def main() -> R:
        async with client_of(url) as client:
            return await work(client)

    return asyncio.run(main())


@asynccontextmanager
async def client_of(url: str) -> AsyncIterator["Client"]:
    """A client of the kernel at `url`.

    The token is the setting's; this machine's own kernel has left one.
    """
    from aios.sdk.again import Patience
    from aios.sdk.client import Client
    from aios.sdk.http import HttpTransport

    place, token = place_of(url)
    at_once = Patience(total_s=0.0)  # A person sees what is the matter, and tries again.
    async with HttpTransport(place, patience=at_once) as transport:
        yield Client(transport, token)


def show(form: Form, reply: Any, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Write `reply` as JSON or YAML, or its rows as columns."""
    if form is not Form.TABLE:
        print(_written(form, reply))
        return
    print("\n".join(table(columns, rows)))


def table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Aligned lines, the columns' names first; states in colour where a person looks at it."""
    lines = [columns, *([plain(cell) for cell in row] for row in rows)]
    widths = [max(len(row[at]) for row in lines) for at in range(len(columns))]
    return [
        "  ".join(
            painted(column, cell, cell.ljust(width))
            for column, cell, width in zip(columns, row, widths, strict=True)
        ).rstrip()
        for row in lines
    ]


def _written(form: Form, reply: Any) -> str:
    import msgspec

    if form is Form.YAML:
        return msgspec.yaml.encode(reply).decode().rstrip()
    return msgspec.json.format(msgspec.json.encode(reply), indent=2).decode()


def plain(text: str) -> str:
    """A text of an agent's as one line that does nothing to a terminal."""
    return "".join(one if one.isprintable() else ascii(one)[1:-1] for one in text)


def when(time: float) -> str:
    """Seconds since the epoch as a time of this place."""
    return f"{datetime.fromtimestamp(time, UTC).astimezone():%Y-%m-%d %H:%M:%S}"


async def heard(url: str, path: str) -> AsyncGenerator[bytes, None]:
    """The data of each server-sent event of a kernel's stream, as it comes, until it ends."""
    import aiohttp

    from aios.errors import AiosError, ShuttingDown
    from aios.sdk.http import why

    place, token = place_of(url)
    headers = {"authorization": f"Bearer {token}"}
    patience = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_S)
    try:
        async with (
            aiohttp.ClientSession(timeout=patience, headers=headers) as session,
            session.get(f"{place.rstrip('/')}{path}") as response,
        ):
            if response.status != 200:
                raise AiosError(f"the kernel answered {response.status}: {await response.text()}")
            async for line in response.content:
                if line.startswith(DATA):
                    yield line.removeprefix(DATA).rstrip()
    except aiohttp.ClientError as problem:
        raise ShuttingDown(f"no kernel answers at {place}: {why(problem)}") from None


def place_of(url: str) -> tuple[str, str]:
    """Where a kernel is, and the token by which it is spoken to."""
    token = sources.found(settings.TOKEN).value
    if url and not url.startswith(("http://", "https://")):
        raise InvalidArgument(f"expected a URL such as http://127.0.0.1:8642, got {url!r}")
    if url and token:
        return url, token
    if url:
        raise InvalidArgument("expected AIOS_TOKEN or AIOS_TOKEN_FILE beside --url or AIOS_URL")
    from aios.server.record import find

    record = find(places.record())
    return record.url, token or record.token


def mark(ended: Any) -> None:
    """Say beside an answer whose words may be in it."""
    if ended.sources:
        sys.stderr.write(f"aios: this may be in the words of {', '.join(ended.sources)}\n")
