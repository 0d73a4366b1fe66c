"""Which sources a kernel's tools come from, and how a server that the operator adds is connected.

A table of ways; a new kind of server is one more row.
"""

import asyncio
from collections.abc import Iterable, Mapping
from pathlib import Path

from aios.errors import Denied, InvalidArgument
from aios.kernel.tool_servers import Connect, ToolServers
from aios.sandbox.base import Sandbox
from aios.syscalls.tool import AddServer
from aios.tools import packages
from aios.tools.base import Source
from aios.tools.commands import Commands
from aios.tools.functions import Function, Functions
from aios.tools.manifest import BYTES_MAX, read_manifest


def servers_of(tools: Iterable[Function | Source], sandbox: Sandbox | None) -> ToolServers:
    """The operator's own functions and sources, and the ways to add more."""
    listed = tuple(tools)
    sources = [one for one in listed if _is_source(one)]
    functions = [one for one in listed if not _is_source(one)]
    own = [Functions(functions)] if functions else []  # type: ignore[arg-type]  # told apart above
    return ToolServers(own, sources, ways(sandbox))  # type: ignore[arg-type]


def ways(sandbox: Sandbox | None) -> Mapping[str, Connect]:
    """How to connect what `AddServer` names, by the field that names it."""

    async def manifest(call: AddServer) -> Source:
        if sandbox is None or not call.sandboxed:
            raise Denied(f"{call.name}: commands run in a sandbox only, and there is none here")
        place = Path(call.manifest)
        data = await asyncio.to_thread(_read, place)
        return Commands(call.name, read_manifest(data, call.manifest), sandbox)

    async def package(call: AddServer) -> Source:
        return await asyncio.to_thread(packages.load, call.package, call.name)

    return {"manifest": manifest, "package": package}


def _is_source(one: object) -> bool:
    return hasattr(one, "tools")


def _read(place: Path) -> bytes:
    try:
        with place.open("rb") as file:
            return file.read(BYTES_MAX + 1)
    except OSError as problem:
        raise InvalidArgument(f"{place}: expected a manifest: {problem.strerror}") from None
