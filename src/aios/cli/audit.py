"""`aios audit`: who did what, what was decided, and whether the record is whole."""

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Protocol, TypeVar

import typer

from aios.cli.inside import Home
from aios.cli.remote import Form, Output, Url, client_of, group, show, when

if TYPE_CHECKING:
    from aios.sdk.client import Client
    from aios.syscalls.audit import AuditPage, AuditRecord, AuditRecords, AuditState

T = TypeVar("T")
EACH = 10_000  # records that are asked for at once
audit = group("audit", "The record of every decision: look, check, export.")
Agent = Annotated[str, typer.Option(help="Only this agent's.")]
Verb = Annotated[str, typer.Option(help="Only this syscall's: file.delete.")]
Decided = Annotated[str, typer.Option("--decision", help="Only allow, deny or ask.")]
Start = Annotated[int, typer.Option(help="From this number on; without it, the newest.", min=0)]
Limit = Annotated[int, typer.Option(help="How many at most.", min=1, max=EACH)]
To = Annotated[Path | None, typer.Argument(help="A file; standard output without one.")]


@audit.command("show")
def show_(  # noqa: PLR0913 - its options
    agent: Agent = "",
    verb: Verb = "",
    decision: Decided = "",
    start: Start = 0,
    limit: Limit = 50,
    home: Home = None,
    url: Url = "",
    output: Output = Form.TABLE,
) -> None:
    """Records, the newest first."""
    from aios.syscalls.audit import AuditRecords

    wanted = AuditRecords(
        start=start or 1, limit=limit, agent=agent, verb=verb, decision=decision, newest=not start
    )
    records = _run(home, url, lambda inside: inside.list(wanted)).records
    columns = ("NUMBER", "AT", "AGENT", "VERB", "OBJECT", "COUNT", "DECISION", "RULE")
    show(output, records, columns, [_row(one) for one in records])


@audit.command()
def verify(home: Home = None, url: Url = "", output: Output = Form.TABLE) -> None:
    """Check every link of the chain and the sealed head; name what is wrong."""
    state = _run(home, url, lambda inside: inside.verify())
    if output is Form.JSON:
        show(output, state, (), ())
    elif state.is_whole:
        print(f"{state.records} records are whole; head {state.head}")
    else:
        print(f"record {state.first_wrong}: {state.detail}")
    if not state.is_whole:
        raise typer.Exit(1)


@audit.command()
def export(to: To = None, home: Home = None, url: Url = "") -> None:
    """Write every record as a line of JSON, and last the head, to be kept elsewhere."""
    import msgspec

    async def written(inside: "_Inside") -> int:
        state, count = await inside.verify(), 0
        file = sys.stdout.buffer if to is None else to.open("xb")
        try:
            async for record in inside.all():
                file.write(msgspec.json.encode(record) + b"\n")
                count += 1
            file.write(msgspec.json.encode(state) + b"\n")
        finally:
            if to is not None:
                file.close()
        return count

    count = _run(home, url, written)
    sys.stderr.write(f"aios: {count} records exported\n")


class _Inside(Protocol):
    """An audit to be read: a running kernel's, or that of a stopped kernel's home."""

    async def list(self, call: "AuditRecords") -> "AuditPage": ...

    async def verify(self) -> "AuditState": ...

    def all(self) -> AsyncIterator["AuditRecord"]: ...


class _Running:
    """A running kernel's."""

    def __init__(self, client: "Client") -> None:
        self._client = client

    async def list(self, call: "AuditRecords") -> "AuditPage":
        return await self._client.call(call)

    async def verify(self) -> "AuditState":
        return await self._client.audit.verify()

    async def all(self) -> AsyncIterator["AuditRecord"]:
        start, page = 1, await self._client.audit.list(1, EACH)
        last = page.last  # Asking makes records too: those are the next export's.
        while page.records and start <= last:
            for record in page.records:
                yield record
            start = page.records[-1].number + 1
            page = await self._client.audit.list(start, EACH)


def _run(home: Path | None, url: str, work: Callable[[_Inside], Awaitable[T]]) -> T:
    async def main() -> T:
        async with _opened(home, url) as inside:
            return await work(inside)

    return asyncio.run(main())


@asynccontextmanager
async def _opened(home: Path | None, url: str) -> AsyncIterator[_Inside]:
    if home is None:
        async with client_of(url) as client:
            yield _Running(client)
        return
    from aios.kernel.guard.audit_home import open_audit

    async with open_audit(home) as book:
        yield book


def _row(one: "AuditRecord") -> tuple[str, ...]:
    return (
        str(one.number), when(one.at), one.agent, one.verb, one.object, str(one.count),
        one.decision, one.rule,
    )  # fmt: skip
