"""All that one agent may call as a tool: the syscalls offered, and the kernel's tools that it sees.

Every call is a syscall of that agent through the kernel's gate. What goes wrong there is a result
that a model can read; only what is no call at all is an error of the protocol.
"""

import hashlib
import re
from collections import Counter
from typing import Any

import msgspec

from aios.errors import AiosError, ShuttingDown, Unauthenticated
from aios.kernel import Kernel
from aios.server.mcp.offers import call_of, data_of, offers
from aios.server.rpc import PARAMS, Body, Problem
from aios.syscalls.tool import CallTool, Image, Json, ListTools, ToolInfo, ToolResult, text_of

NAME_MAX = 64  # What every client and model takes.
DOUBLES = ("aios/files_", "aios/notes_", "aios/search")  # What `OFFERED` does too, and better.
_STRANGE = re.compile(r"[^A-Za-z0-9_-]+")


class Tools:
    """Lists and calls."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._own = {name: offer for name, offer in offers().items() if kernel.answers(offer.kind)}

    async def list(self, token: str) -> list[Body]:
        """As `tools/list` tells them."""
        named = await self._named(token)
        return [offer.told for offer in self._own.values()] + [
            _told(name, info) for name, info in named.items()
        ]

    async def call(self, token: str, params: Body) -> Body:
        """The result of `tools/call`."""
        name, arguments = params.get("name"), params.get("arguments")
        if not isinstance(name, str) or not isinstance(arguments, dict | None):
            raise Problem(PARAMS, "expected a tool's name, and arguments that are an object")
        try:
            if name in self._own:
                call = call_of(self._own[name], arguments or {})
                return _result_of(data_of(await self._kernel.call(token, call)))
            return await self._run(token, name, arguments or {})
        except (Unauthenticated, ShuttingDown, Problem):
            raise
        except AiosError as error:
            return _failure(f"{error.code}: {error.message}")

    async def _run(self, token: str, name: str, arguments: Body) -> Body:
        info = (await self._named(token)).get(name)
        if info is None:
            raise Problem(PARAMS, f"no tool {name[:100]!r}; tools/list tells which there are")
        call = CallTool(name=info.name, arguments=msgspec.json.encode(arguments).decode())
        return _contents_of(await self._kernel.call(token, call))

    async def _named(self, token: str) -> dict[str, ToolInfo]:
        """The kernel's tools that can be called, by names that every client takes."""
        found = await self._kernel.call(token, ListTools())
        ready = [one for one in found.tools if one.state == "ready"]
        if self._own:
            ready = [one for one in ready if not one.name.startswith(DOUBLES)]
        return names_of(ready, set(self._own))


def names_of(tools: list[ToolInfo], taken: set[str]) -> dict[str, ToolInfo]:
    """Tools by plain names, each of one tool only.

    Where several would come to one name, or a name is too long, each gets a part of its own name's
    hash. What would still be ambiguous is left out.
    """
    plain = {one.name: _STRANGE.sub("_", one.name) for one in tools}
    counts = Counter(plain.values())
    named: dict[str, ToolInfo] = {}
    twice = set()
    for one in tools:
        name = plain[one.name]
        if counts[name] > 1 or name in taken or len(name) > NAME_MAX:
            digest = hashlib.sha256(one.name.encode()).hexdigest()[:8]
            name = f"{name[: NAME_MAX - 9]}_{digest}"
        twice |= {name} & named.keys()
        named[name] = one
    return {name: one for name, one in named.items() if name not in twice}


def _told(name: str, info: ToolInfo) -> Body:
    return {
        "name": name,
        "title": info.name,
        "description": info.description,
        "inputSchema": info.parameters | {"type": "object"},
        "annotations": {
            "destructiveHint": info.final,
            "idempotentHint": info.repeatable,
            "openWorldHint": info.outside,
        },
    }


def _result_of(data: Body) -> Body:
    text = data["text"] if isinstance(data.get("text"), str) and "total_bytes" in data else None
    told = text if text is not None else msgspec.json.encode(data).decode()
    return {"content": [_text(told)], "structuredContent": data, "isError": False}


def _contents_of(result: ToolResult) -> Body:
    content = [_content(one) for one in result.contents]
    content += [_text(f"[{remark}]") for remark in result.remarks]
    told: Body = {"content": content, "isError": result.is_error}
    values = [one.value for one in result.contents if isinstance(one, Json)]
    if len(values) == 1 and isinstance(values[0], dict):
        told["structuredContent"] = values[0]
    return told


def _content(one: Any) -> Body:
    if isinstance(one, Image):
        return {"type": "image", "data": msgspec.to_builtins(one.data), "mimeType": one.media_type}
    return _text(text_of(one))


def _text(text: str) -> Body:
    return {"type": "text", "text": text}


def _failure(message: str) -> Body:
    return {"content": [_text(message)], "isError": True}
