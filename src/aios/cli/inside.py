"""Where commands look at what agents keep: in a stopped kernel's home, or through a running kernel.

A running kernel is asked as the agent in question. The first process may do that for all of them:
whoever has an agent's path of names is that agent.
"""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Protocol, TypeVar

import typer

from aios.cli import remote, settings, sources
from aios.errors import Busy, Denied, InvalidArgument
from aios.syscalls.note import SearchMode

if TYPE_CHECKING:
    from aios.kernel.cabinet import Cabinet
    from aios.sdk.client import Client
    from aios.syscalls.base import Syscall
    from aios.syscalls.file import FilesFound
    from aios.syscalls.note import NotesFound

R = TypeVar("R")
Found = TypeVar("Found", "FilesFound", "NotesFound")
PATIENCE_S, AGAIN_S = 3.0, 0.1  # for an index that is behind
Home = Annotated[
    Path | None,
    settings.HOME.option(help="A stopped kernel's home; without it a running kernel is asked."),
]
Mode = Annotated[SearchMode, typer.Option(help="By words, by meaning, or both.")]


class Inside(Protocol):
    """Makes syscalls in agents' names."""

    async def call(self, agent: str, call: "Syscall[R]") -> R: ...

    async def settled(self) -> None:
        """Wait a while until searches find all that there is."""
        ...


def look(home: Path | None, url: str, work: Callable[[Inside], Coroutine[Any, Any, R]]) -> R:
    """What `work` finds in the home, or with the running kernel."""

    async def run() -> R:
        async with opened(home) if home is not None else _running(url) as inside:
            return await work(inside)

    return asyncio.run(run())


def asked(home: Path | None, url: str, agent: str, call: "Syscall[R]") -> R:
    """The reply to one syscall in an agent's name."""
    return look(home, url, lambda inside: inside.call(agent, call))


def look_at_home(home: Path | None, work: Callable[["Cabinet"], Coroutine[Any, Any, R]]) -> R:
    """The same where a home is needed: no syscall tells what all agents have."""
    if home is None:
        raise InvalidArgument("expected --home: only a stopped kernel's home tells of all agents")

    async def run() -> R:
        async with opened(home) as cabinet:
            return await work(cabinet)

    return asyncio.run(run())


async def searched(inside: Inside, agent: str, call: "Syscall[Found]") -> "Found":
    """What a search finds, asked again for a while where not everything is indexed yet."""
    await inside.settled()
    found = await inside.call(agent, call)
    for _ in range(round(PATIENCE_S / AGAIN_S)):
        if not found.pending:
            break
        await asyncio.sleep(AGAIN_S)
        found = await inside.call(agent, call)
    return found


def tell_pending(count: int) -> None:
    """A search may have missed what is not indexed yet."""
    if count:
        sys.stderr.write(f"aios: {count} changes are not indexed yet; they may be missing here\n")


@asynccontextmanager
async def opened(home: Path) -> AsyncIterator["Cabinet"]:
    """A stopped kernel's rooms, with the embedder that the home goes by."""
    from aios.kernel.cabinet import open_cabinet
    from aios.retrieval.choose import chosen, name_for

    key = sources.found(settings.EMBEDDER_KEY).value
    async with AsyncExitStack() as stack:
        try:
            cabinet = await stack.enter_async_context(
                open_cabinet(home, chosen(name_for(home), key))
            )
        except Busy as busy:
            raise Busy(f"{busy.message}; without --home the running kernel is asked") from None
        yield cabinet


@asynccontextmanager
async def _running(url: str) -> AsyncIterator[Inside]:
    async with remote.client_of(url) as client:
        running = _Running(client)
        try:
            yield running
        finally:
            await running.close()


class _Running:
    """A kernel that runs, asked through processes of the agents that end with the command."""

    def __init__(self, client: "Client") -> None:
        self._client = client
        self._agents: dict[str, Client] = {}
        self._started: list[int] = []

    async def call(self, agent: str, call: "Syscall[R]") -> R:
        if agent not in self._agents:
            self._agents[agent] = await self._become(agent)
        return await self._agents[agent].call(call)

    async def settled(self) -> None:
        """A running kernel tells with each search how much it does not know yet."""

    async def close(self) -> None:
        for pid in self._started:
            await self._client.kill(pid)

    async def _become(self, agent: str) -> "Client":
        me = await self._client.whoami()
        if agent == me.agent:
            return self._client
        way = agent if me.pid == 1 else agent.removeprefix(f"{me.agent}/")
        if me.pid != 1 and way == agent:
            raise Denied(f"this token is agent {me.agent!r}'s; expected that of {agent!r}")
        client = self._client
        for number, name in enumerate(way.split("/")):
            spawned = await client.spawn(name)
            if not number:
                self._started.append(spawned.pid)
            client = client.of(spawned)
        return client
