"""Who speaks: a token in a header or in the URL, or nobody on loopback where that is allowed."""

import asyncio
from collections.abc import Iterator, Mapping
from ipaddress import ip_address
from typing import NamedTuple
from urllib.parse import urlsplit

from aios.errors import Denied, InvalidArgument, Unauthenticated
from aios.kernel import Kernel
from aios.kernel.process import INIT, Process
from aios.server.asgi import Exchange
from aios.server.settings import Settings
from aios.syscalls import Pid, Spawn

ANONYMOUS = "anonymous"  # what a client sends that cannot send no token
AGENT_HEADER = "x-aios-agent"
MISSING = (
    "expected a token as `Authorization: Bearer`, `x-api-key` or /agents/TOKEN/v1 in the URL; "
    "`aios agents token NAME` makes one"
)


class Owner(NamedTuple):
    """Whose a thing is, and the process tree that it counts for: nobody has more by children."""

    tree: Pid
    pid: Pid


class Identities:
    """Tokens on the wire to tokens of the kernel."""

    def __init__(self, kernel: Kernel, settings: Settings) -> None:
        self._kernel = kernel
        self._settings = settings
        self._fixed: dict[str, str] = {}  # token of the settings -> the kernel's
        self._anonymous: dict[str, str] = {}  # name -> the kernel's token; bounded
        self._crowd = ""  # the kernel's token of the parent of these
        self._lock = asyncio.Lock()

    async def open(self) -> None:
        """Enroll the agents whose tokens are fixed, as whom they were in an earlier kernel."""
        await self.reload(self._settings.agents)

    async def reload(self, agents: Mapping[str, str]) -> None:
        """From now on these tokens are let in, and no other fixed ones. All of it, or nothing."""
        if ANONYMOUS in agents.values():
            raise InvalidArgument(f"expected another agent's name than {ANONYMOUS!r}, nobody's")
        async with self._lock:  # Else two at once would each open the agent of a new token.
            for token in self._fixed.keys() - agents.keys():
                del self._fixed[token]
            for token, name in agents.items():
                if token not in self._fixed:
                    self._fixed[token] = self._survivor(name) or await self._spawn(name)

    async def caller(self, exchange: Exchange) -> str:
        """The kernel's token of who asks."""
        told = shown(exchange)
        if told in ("", ANONYMOUS):
            return await self._nobody(exchange)
        return self.known(told)

    async def owner(self, exchange: Exchange) -> int:
        """The process tree of who asks: of whatever process in it, it is one owner."""
        return self.owner_of(await self.caller(exchange))

    def owner_of(self, token: str) -> int:
        """The same of a token of the kernel."""
        return self.whose(token).tree

    def whose(self, token: str) -> Owner:
        """A token's process, and its tree."""
        table = self._kernel.table
        process = table.by_token(token)
        return Owner(table.root_of(process), process.pid)

    def known(self, told: str) -> str:
        """The kernel's token for one that was shown; one that is nobody's is an error."""
        token = self._fixed.get(told, told)
        self._kernel.table.by_token(token)
        return token

    def is_known(self, told: str) -> bool:
        """Whether somebody is let in who shows that."""
        return self._is_alive(self._fixed.get(told, told))

    async def _nobody(self, exchange: Exchange) -> str:
        if not self._settings.anonymous:
            raise Unauthenticated(MISSING)
        _expect_local(exchange)
        name = exchange.header(AGENT_HEADER)[:128] or self._settings.anonymous
        async with self._lock:
            parent = await self._parent()
            known = self._anonymous.get(name)
            if known is not None and self._is_alive(known):
                return known
            if known is None and len(self._anonymous) >= self._settings.anonymous_max:
                raise Denied(f"{len(self._anonymous)} agents without a token are known already")
            self._anonymous[name] = await self._spawn(name, parent)
            return self._anonymous[name]

    async def _parent(self) -> str:
        """Of callers without a token: below it none of them is an agent that has one."""
        if not self._crowd or not self._is_alive(self._crowd):
            self._crowd = self._survivor(ANONYMOUS) or await self._spawn(ANONYMOUS)
            table = self._kernel.table
            for child in self._children(table.by_token(self._crowd).pid):
                self._anonymous.setdefault(child.name, table.token_of(child))
        return self._crowd

    def _survivor(self, name: str) -> str:
        """A token of an agent that an earlier kernel left; empty if there is none.

        Keys and snapshots belong to a process: with a new one they would all be lost.
        """
        taken = set(self._fixed.values())
        token_of = self._kernel.table.token_of
        of_name = (token_of(one) for one in self._children(INIT) if one.name == name)
        return next((token for token in of_name if token not in taken), "")

    def _children(self, parent: Pid) -> Iterator[Process]:
        """Agents below a process, oldest first. Programs are no agents."""
        living = self._kernel.table.all(ended=False)
        return (one for one in living if (one.parent, one.program) == (parent, None))

    async def _spawn(self, name: str, parent: str = "") -> str:
        spawned = await self._kernel.call(parent or self._kernel.token, Spawn(name=name))
        return spawned.token

    def _is_alive(self, token: str) -> bool:
        try:
            self._kernel.table.by_token(token)
        except Unauthenticated:
            return False
        return True


def is_loopback(host: str) -> bool:
    """Whether that name or address can only be this machine's own."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def is_of_this_machine(url: str) -> bool:
    """Whether a URL's host can only be this machine."""
    return is_loopback(_host_of(url))


def shown(exchange: Exchange) -> str:
    """The token that a client sends, in whichever way; empty if it sends none."""
    if exchange.path_token:
        return exchange.path_token
    scheme, _, value = exchange.header("authorization").partition(" ")
    if scheme.lower() == "bearer" and value.strip():
        return value.strip()
    return exchange.header("x-api-key").strip()


def _expect_local(exchange: Exchange) -> None:
    """A web page elsewhere must not speak through its reader's browser."""
    host = _host_of(f"//{exchange.header('host')}")
    origin = exchange.header("origin")
    came_from = _host_of(origin) if origin else host
    if not all(map(is_loopback, (exchange.peer, host, came_from))):
        raise Unauthenticated(f"without a token only this machine may ask; {MISSING}")


def _host_of(url: str) -> str:
    """The host that a URL names; empty where it is no URL or names none."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""
