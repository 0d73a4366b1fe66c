"""A proxy on loopback with invented names and origins, and a client that speaks raw bytes."""

import asyncio
import base64
import itertools
import socket
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from aios.sandbox.addresses import Address
from aios.sandbox.base import Egress
from aios.sandbox.egress import Decision, Limits, Proxy
from aios.sandbox.reach import Dial, Ends, Reach

R = TypeVar("R")
PUBLIC = "93.184.216.34"
LIST = Egress(allowed=("origin.test:80", "origin.test:443", "*.wild.test:443", "1.2.3.4:80"))
Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class House:
    """The proxy, what it resolved and dialled, and what it decided."""

    def __init__(self, names: Callable[[str], Sequence[str]], talk: Talk) -> None:
        self.names = names
        self.talk = talk
        self.asked: list[str] = []  # names that were resolved
        self.dialled: list[tuple[str, int]] = []
        self.decisions: list[Decision] = []
        self.heard: list[bytes] = []  # heads that the origin got
        self.address: tuple[str, int] = ("", 0)  # the proxy's
        self.talks: list[asyncio.Task[None]] = []  # one an origin that was dialled

    async def resolve(self, host: str) -> Sequence[str]:
        self.asked.append(host)
        return self.names(host)

    async def dial(self, address: Address, port: int) -> Ends:
        """Wherever it should have gone, it reaches the test's own origin."""
        self.dialled.append((str(address), port))
        ours, theirs = socket.socketpair()
        far = await asyncio.open_connection(sock=theirs)
        self.talks.append(asyncio.ensure_future(self._talk(far)))
        return await asyncio.open_connection(sock=ours)

    async def _talk(self, ends: Ends) -> None:
        try:
            await self.talk(*ends)
        finally:
            ends[1].close()

    async def say(self, data: bytes, *, half: bool = False) -> bytes:
        """Everything the proxy answers to these bytes."""
        reader, writer = await asyncio.open_connection(*self.address)
        try:
            writer.write(data)
            if half:
                writer.write_eof()
            return await reader.read()
        except OSError:
            return b""
        finally:
            writer.transport.abort()


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """An origin that says back what it hears until there is no more."""
    while data := await reader.read(1 << 16):
        writer.write(data)
        await writer.drain()


def in_house(
    body: Callable[[House, Proxy, str], Awaitable[R]],
    *,
    names: Callable[[str], Sequence[str]] = lambda _: [PUBLIC],
    talk: Talk = echo,
    limits: Limits | None = None,
    dial: Dial | None = None,
    dial_private: bool = False,
) -> R:
    """What `body` returns, given the house, its proxy and the token of a job with `LIST`."""
    house = House(names, talk)
    reach = Reach(
        resolve=house.resolve, dial=dial or house.dial, dial_private=dial_private, resolve_s=0.2,
        dial_s=0.2,
    )  # fmt: skip
    tokens = map("token-{}".format, itertools.count())

    async def main() -> R:
        proxy = Proxy(reach, lambda: next(tokens), house.decisions.append, limits or Limits())
        listener = socket.create_server(("127.0.0.1", 0))
        house.address = listener.getsockname()
        await proxy.listen(listener)
        try:
            return await body(house, proxy, proxy.admit("job", LIST))
        finally:
            await proxy.close()
            for one in house.talks:
                one.cancel()
            await asyncio.gather(*house.talks, return_exceptions=True)

    return asyncio.run(main())


def connect(to: str, token: str | None = None, *more: str) -> bytes:
    """The head of a tunnel."""
    return head(f"CONNECT {to} HTTP/1.1", token, *more)


def get(url: str, token: str | None = None, *more: str) -> bytes:
    """The head of a plain request."""
    return head(f"GET {url} HTTP/1.1", token, *more)


def head(line: str, token: str | None, *more: str) -> bytes:
    """A request's head, with the job's token where one is given."""
    proof = base64.b64encode(f"aios:{token}".encode()).decode()
    fields = [f"Proxy-Authorization: Basic {proof}"] if token is not None else []
    return "\r\n".join([line, *fields, *more, "", ""]).encode()


def status(answer: bytes) -> int:
    """Of an answer; 0 where there is none."""
    return int(answer.split(b" ", 2)[1]) if answer.startswith(b"HTTP/1.1 ") else 0
