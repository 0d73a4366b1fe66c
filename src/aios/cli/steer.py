"""`aios pause`, `aios resume`, `aios kill`: a hand on running agents. Prints their pids."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from aios.cli.remote import Url, ask
from aios.cli.target import Targets, pid_of

if TYPE_CHECKING:
    from aios.sdk.client import Client

Act = Callable[["Client", int], Awaitable[Any]]


def pause(agents: Targets, url: Url = "") -> None:
    """Suspend agents: generations stop mid-sentence, new calls wait."""
    _each(agents, url, lambda client, pid: client.pause(pid))


def resume(agents: Targets, url: Url = "") -> None:
    """Let paused agents go on exactly where they stopped."""
    _each(agents, url, lambda client, pid: client.resume(pid))


def kill(agents: Targets, url: Url = "") -> None:
    """End agents and their children."""
    _each(agents, url, lambda client, pid: client.kill(pid))


def _each(agents: list[str], url: str, act: Act) -> None:
    async def work(client: "Client") -> None:
        for pid in [await pid_of(client, one) for one in agents]:  # All are known, or none is done.
            await act(client, pid)
            print(pid)

    ask(url, work)
