"""From a name to a connection: resolved once, every address checked, and the checked one dialled.

Knows no job and no list. A name of which any address is refused is refused whole: somebody who
mixes private addresses among public ones waits for the dialler to take the other one.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from ipaddress import ip_address

import msgspec

from aios.errors import DeadlineExceeded, Denied, NotFound
from aios.sandbox.addresses import Address, fault
from aios.sandbox.targets import Target

ADDRESSES_MAX = 32
TRIES_MAX = 3  # addresses of one name that are dialled, one after the other

Resolve = Callable[[str], Awaitable[Sequence[str]]]
"""A name's addresses as text. Raises `OSError`."""
Ends = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Dial = Callable[[Address, int], Awaitable[Ends]]
"""A connection to exactly that address. Raises `OSError`."""


async def resolve(host: str) -> Sequence[str]:
    """Ask the system."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]


async def dial(address: Address, port: int) -> Ends:
    """Connect over TCP."""
    return await asyncio.open_connection(str(address), port)


class Reach(msgspec.Struct, frozen=True, kw_only=True):
    """How to get to a target. `dial_private` is an operator's word that inside is meant."""

    resolve: Resolve = resolve
    dial: Dial = dial
    dial_private: bool = False
    resolve_s: float = 5.0
    dial_s: float = 10.0  # of all tries together

    async def addresses(self, target: Target) -> tuple[Address, ...]:
        """Where the target is now. Raises `Denied`, `NotFound`, `DeadlineExceeded`."""
        found = await self._resolved(target)
        if self.dial_private:
            return found
        for address in found:
            why = fault(address)
            if why is not None:
                raise Denied(f"{target}: {why}")
        return found

    async def connect(self, target: Target, addresses: Sequence[Address]) -> Ends:
        """A connection to one of addresses that were checked; nothing is looked up again."""
        failure: OSError | None = None
        try:
            async with asyncio.timeout(self.dial_s):
                for address in addresses[:TRIES_MAX]:
                    try:
                        return await self.dial(address, target.port)
                    except OSError as error:
                        failure = error
        except TimeoutError as error:
            raise DeadlineExceeded(f"{target}: no connection in {self.dial_s:g} s") from error
        raise NotFound(f"{target}: nobody answers there") from failure

    async def _resolved(self, target: Target) -> tuple[Address, ...]:
        if target.address is not None:
            return (target.address,)
        try:
            async with asyncio.timeout(self.resolve_s):
                found = await self.resolve(target.host)
        except TimeoutError as error:
            raise DeadlineExceeded(f"{target}: no address in {self.resolve_s:g} s") from error
        except (OSError, UnicodeError) as error:
            raise NotFound(f"{target}: no such host") from error
        addresses = tuple(dict.fromkeys(_address(target, text) for text in found[:ADDRESSES_MAX]))
        if not addresses:
            raise NotFound(f"{target}: the host has no address")
        return addresses


def _address(target: Target, text: str) -> Address:
    try:
        if "%" in text:
            raise ValueError(text)
        return ip_address(text)
    except ValueError as error:
        raise Denied(f"{target}: {text[:60]!a} is no plain address") from error
