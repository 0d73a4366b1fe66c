"""The kernel's tools for one client. A method is named after its syscall's verb."""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from aios.errors import NotFound
from aios.sdk.caller import Family, verb
from aios.syscalls import ToolSpec, tool
from aios.syscalls.codec import encode


class Tools(Family):
    """The tool syscalls of one client. Arguments are a mapping, or JSON as a model wrote it."""

    accept = verb(tool.AcceptTool)
    remove = verb(tool.RemoveServer)

    async def list(self, prefix: str = "", names: Iterable[str] = ()) -> tool.ToolList:
        return await self._client.call(tool.ListTools(prefix=prefix, names=tuple(names)))

    async def specs(self, names: Iterable[str]) -> tuple[ToolSpec, ...]:
        """What a model is told of these tools, in this order. Raises `NotFound` for the others."""
        wanted = tuple(names)
        if not wanted:
            return ()
        known = {one.name: one for one in (await self.list(names=wanted)).tools}
        missing = [name for name in wanted if name not in known or known[name].state == "gone"]
        if missing:
            raise NotFound(f"no tool {', '.join(missing)}")
        return tuple(_spec(known[name]) for name in wanted)

    async def call(
        self,
        name: str,
        arguments: Mapping[str, Any] | str = "{}",
        timeout_s: float | None = None,
        *,
        key: str = "",
    ) -> tool.ToolResult:
        call = tool.CallTool(name=name, arguments=_json(arguments), timeout_s=timeout_s)
        return await self._client.call(call, key=key)

    async def batch(
        self, calls: Iterable[tool.CallTool], *, key: str = ""
    ) -> tuple[tool.ToolResult, ...]:
        """One result per call, in the calls' order."""
        return (await self._client.call(tool.CallTools(calls=tuple(calls)), key=key)).results

    async def add(self, server: tool.AddServer) -> tool.ToolList:
        return await self._client.call(server)


def observed(result: tool.ToolResult) -> str:
    """What a model is told of a result."""
    told = f"error: {result.text}" if result.is_error else result.text
    return "\n".join([told, *(f"[{remark}]" for remark in result.remarks)])


def _spec(info: tool.ToolInfo) -> ToolSpec:
    return ToolSpec(info.name, info.description, info.parameters)


def _json(arguments: Mapping[str, Any] | str) -> str:
    if isinstance(arguments, str):
        return arguments
    encode(arguments)  # An error that tells the place where it is no data.
    return msgspec.json.encode(arguments).decode()
