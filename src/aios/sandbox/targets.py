"""`host:port` as a program writes it, read once and strictly, and the list it is held to. Pure.

What does not read in exactly one way is refused: two parts that read a name differently is how
fences are passed. After this nobody looks at the text again.
"""

import re
from collections.abc import Sequence
from ipaddress import AddressValueError, IPv4Address, IPv6Address

import msgspec

from aios.errors import InvalidArgument
from aios.sandbox.addresses import Address

HOST_CHARS_MAX = 253
ALLOWED_MAX = 1_024
_LABEL = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)")
_LOOKS_NUMERIC = re.compile(r"[0-9]+|0x[0-9a-f]*")
_PORT = re.compile(r"[1-9][0-9]{0,4}")
_EXPECTED = "expected 'host:port' with a name in ASCII (xn-- for others), '1.2.3.4' or '[2001:...]'"


class Target(msgspec.Struct, frozen=True):
    """One place to connect to: a name in lower case, or an address."""

    host: str
    port: int
    address: Address | None = None

    def __str__(self) -> str:
        host = f"[{self.host}]" if isinstance(self.address, IPv6Address) else self.host
        return f"{host}:{self.port}"


class Allowed:
    """The places of one job. An address must be listed itself; `*.host` is below, not the host."""

    def __init__(self, entries: Sequence[str]) -> None:
        if len(entries) > ALLOWED_MAX:
            raise InvalidArgument(f"expected at most {ALLOWED_MAX} hosts, got {len(entries)}")
        below = [entry[2:] for entry in entries if entry.startswith("*.")]
        self._exact = {target(entry) for entry in entries if not entry.startswith("*.")}
        self._below = {_named(entry) for entry in below}

    def __contains__(self, target: Target) -> bool:
        if target in self._exact:
            return True
        if target.address is not None:
            return False
        labels = target.host.split(".")
        above = (".".join(labels[start:]) for start in range(1, len(labels)))
        return any(Target(host, target.port) in self._below for host in above)


def target(text: str, default_port: int | None = None) -> Target:
    """What a program or an operator named. Raises `InvalidArgument`."""
    host, port = _split(text)
    if not port and default_port is not None:
        return _target(text, host, default_port)
    if _PORT.fullmatch(port) is None or int(port) > 65_535:
        raise InvalidArgument(f"{_shown(text)}: {_EXPECTED}, the port 1 to 65535")
    return _target(text, host, int(port))


def _named(text: str) -> Target:
    found = target(text)
    if found.address is not None:
        raise InvalidArgument(f"{_shown('*.' + text)}: expected a name after '*.', not an address")
    return found


def _split(text: str) -> tuple[str, str]:
    """Host and port as text; a colon belongs to the host only between brackets."""
    if text.startswith("["):
        inside, bracket, rest = text.partition("]")
        if bracket and (not rest or (rest[0] == ":" and len(rest) > 1)):
            return inside + bracket, rest[1:]
        raise InvalidArgument(f"{_shown(text)}: {_EXPECTED}")
    host, colon, port = text.partition(":")
    if colon and not port:
        raise InvalidArgument(f"{_shown(text)}: {_EXPECTED}")
    return host, port


def _target(text: str, host: str, port: int) -> Target:
    if host.startswith("["):
        return _at_address(text, host[1:-1], port)
    host = host.lower() if host.isascii() else ""
    labels = host.split(".")
    if _LOOKS_NUMERIC.fullmatch(labels[-1]):
        # Only four plain numbers are an address; 127.1, 0x7f.0.0.1 and 017700000001 are what some
        # resolvers make one of.
        return _at_address(text, host, port)
    if len(host) > HOST_CHARS_MAX or not all(map(_LABEL.fullmatch, labels)):
        raise InvalidArgument(f"{_shown(text)}: {_EXPECTED}")
    return Target(host, port)


def _at_address(text: str, host: str, port: int) -> Target:
    kind = IPv6Address if ":" in host else IPv4Address
    try:
        if "%" in host:  # a zone names an interface of this machine
            raise AddressValueError(host)
        address = kind(host)
    except AddressValueError as error:
        raise InvalidArgument(f"{_shown(text)}: {_EXPECTED}") from error
    return Target(str(address), port, address)


def _shown(text: str) -> str:
    return ascii(text[:100])
