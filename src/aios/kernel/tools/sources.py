"""Which sources a kernel's tools come from, and how a server that the operator adds is connected.

A table of ways; a new kind of server is one more row.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from pathlib import Path
from typing import cast

from aios.clock import Clock, LoopClock
from aios.errors import Denied, InvalidArgument, NotFound
from aios.kernel.tools.servers import Connect, ToolServers
from aios.sandbox.base import Host, Sandbox
from aios.syscalls.tool import AddServer
from aios.tools import packages
from aios.tools.base import Source
from aios.tools.commands import Commands
from aios.tools.functions import Function, Functions
from aios.tools.manifest import BYTES_MAX, read_manifest

Secret = Callable[[str], str]


def no_secret(name: str) -> str:
    """Where there is no vault."""
    raise NotFound(f"no secret {name!r}: this kernel has no vault")


def servers_of(
    tools: Iterable[Function | Source],
    sandbox: Sandbox | None,
    clock: Clock | None = None,
    secret: Secret = no_secret,
    own: Iterable[Source] = (),
) -> ToolServers:
    """The operator's own functions and sources, and the ways to add more."""
    listed = tuple(tools)
    sources = [one for one in listed if _is_source(one)]
    functions = [one for one in listed if not _is_source(one)]
    local = [Functions(functions)] if functions else []  # type: ignore[arg-type]  # told apart above
    tier = sandbox.tier.name if sandbox is not None else ""
    return ToolServers([*own, *local], sources, ways(sandbox, clock, secret), tier)  # type: ignore[arg-type]


def ways(
    sandbox: Sandbox | None, clock: Clock | None = None, secret: Secret = no_secret
) -> Mapping[str, Connect]:
    """How to connect what `AddServer` names, by the field that names it."""
    time = clock or LoopClock()

    async def manifest(call: AddServer) -> Source:
        if sandbox is None or not call.sandboxed:
            raise Denied(f"{call.name}: commands run in a sandbox only, and there is none here")
        place = Path(call.manifest)
        data = await asyncio.to_thread(_read, place)
        return Commands(call.name, read_manifest(data, call.manifest), sandbox)

    async def package(call: AddServer) -> Source:
        return await asyncio.to_thread(packages.load, call.package, call.name)

    async def command(call: AddServer) -> Source:
        await _load_protocol(call)
        from aios.tools.mcp.connecting import Means, by_command

        means = Means(host=host_of(sandbox), secret=secret, clock=time)
        return await by_command(call, means)

    async def url(call: AddServer) -> Source:
        await _load_protocol(call)
        from aios.tools.mcp.connecting import Means, by_url

        return await by_url(call, Means(host=None, secret=secret, clock=time))

    return {"manifest": manifest, "package": package, "command": command, "url": url}


async def _load_protocol(call: AddServer) -> None:
    """Import what speaks MCP, beside the loop: it takes most of a second."""
    try:
        await asyncio.to_thread(import_module, "aios.tools.mcp.connecting")
    except ImportError as missing:
        raise InvalidArgument(
            f"{call.name}: expected the extra `pip install aios-kernel[mcp]`: {missing}"
        ) from None


def host_of(sandbox: Sandbox | None) -> Host | None:
    """The sandbox, if it has room for what goes on."""
    return cast(Host, sandbox) if hasattr(sandbox, "serve") else None


def _is_source(one: object) -> bool:
    return hasattr(one, "tools")


def _read(place: Path) -> bytes:
    try:
        with place.open("rb") as file:
            return file.read(BYTES_MAX + 1)
    except OSError as problem:
        raise InvalidArgument(f"{place}: expected a manifest: {problem.strerror}") from None
