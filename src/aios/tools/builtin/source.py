"""The server `aios`: the tools that this kernel can have, and why it lacks the others."""

from collections.abc import Callable, Sequence

from aios.clock import Clock
from aios.sandbox.base import Host
from aios.sandbox.egress import Decision
from aios.tools.base import Tool
from aios.tools.builtin import agents, ask, calculator, fetch, files, notes, python, search, shell
from aios.tools.builtin.base import SERVER
from aios.tools.builtin.fetch import Way


def lacking(host: Host | None, why: str, hosts: Sequence[str]) -> dict[str, str]:
    """Which tools are not there, each with the reason; `why` there is no sandbox."""
    unboxed = dict.fromkeys(("python", "shell"), why or "there is no sandbox here")
    unreached = {"http_fetch": "no host is allowed; `--allow-host` names those that are"}
    return {**({} if host is not None else unboxed), **({} if hosts else unreached)}


class Builtins:
    """A `Source` that never changes. What it opens it closes; the sandbox is somebody else's.

    Without a sandbox no program of a model runs; without hosts nothing is fetched.
    """

    name = SERVER

    def __init__(
        self,
        clock: Clock,
        tokens: Callable[[], str],
        *,
        host: Host | None = None,
        hosts: Sequence[str] = (),
        way: Way | None = None,  # to them; made here where none is given
    ) -> None:
        self._sessions = python.Sessions(host) if host is not None else None
        self._way = way or (Way(hosts, tokens) if hosts else None)
        self._tools = (
            *calculator.tools(),
            *files.tools(),
            *search.tools(),
            *notes.tools(),
            *agents.tools(clock),
            *ask.tools(),
            *self._risky(host),
        )

    def watch_exits(self, decided: Callable[[Decision], None]) -> None:
        if self._way is not None:
            self._way.watch_exits(decided)

    async def tools(self) -> tuple[Tool, ...]:
        return self._tools

    async def close(self) -> None:
        if self._sessions is not None:
            await self._sessions.close()
        if self._way is not None:
            await self._way.close()

    def _risky(self, host: Host | None) -> tuple[Tool, ...]:
        """Those that need a fence of their own."""
        found: tuple[Tool, ...] = ()
        if host is not None and self._sessions is not None:
            found = (*python.tools(self._sessions), *shell.tools(host))
        return (*found, *(fetch.tools(self._way) if self._way is not None else ()))
