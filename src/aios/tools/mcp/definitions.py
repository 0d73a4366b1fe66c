"""A tool as its server offers it, and as the kernel has it. Pure.

What a server says of its own harmlessness makes its tool no more trusted, unless the operator
believes it; what it says of its danger counts, and is part of what is pinned.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import msgspec

from aios.errors import InvalidArgument
from aios.syscalls.tool import ToolInfo
from aios.tools.base import Keeping, Run, Terms, Tool
from aios.tools.mcp.visible import visible, visible_schema
from aios.tools.naming import info_of
from aios.tools.registry import TOOLS_MAX

if TYPE_CHECKING:
    from mcp_types import Tool as Offered
    from mcp_types import ToolAnnotations

SHOWN_MAX = 80


class Trust(msgspec.Struct, frozen=True, kw_only=True):
    """What the operator says of a server."""

    believes_hints: bool = False
    is_shut_in: bool = False  # in a sandbox without a way out: nothing it does leaves the machine
    is_stateless: bool = False  # no call leaves anything there that a later one may tell


RunOf = Callable[[str, ToolInfo, Terms], Run]  # of a tool by the name it has at its server


def tools_of(
    server: str, offered: Sequence["Offered"], trust: Trust, run_of: RunOf
) -> tuple[Tool, ...]:
    """All tools of a server, in its order. Raises `InvalidArgument` for what cannot be one."""
    if len(offered) > TOOLS_MAX:
        raise InvalidArgument(f"{server}: expected at most {TOOLS_MAX:,} tools")
    tools: dict[str, Tool] = {}
    for one in offered:
        tool = _tool(server, one, trust, run_of)
        if tool.info.name in tools:
            raise InvalidArgument(f"{tool.info.name}: expected one tool of that name, got two")
        tools[tool.info.name] = tool
    return tuple(tools.values())


def terms_of(server: str, hints: "ToolAnnotations | None", trust: Trust) -> Terms:
    """What holds of a tool with those annotations."""
    says = _Says(hints)
    believed = trust.believes_hints
    return Terms(
        final=says.is_destructive,
        outside=not trust.is_shut_in and not (believed and says.is_closed),
        repeatable=believed and (says.is_idempotent or says.is_read_only),
        declared=believed and says.is_read_only,
        source=f"mcp:{server}",
        keeps=None if trust.is_stateless else Keeping(by="server"),
    )


def _tool(server: str, one: "Offered", trust: Trust, run_of: RunOf) -> Tool:
    name = f"{server}/{one.name}"
    terms = terms_of(server, one.annotations, trust)
    try:
        parameters = visible_schema(one.input_schema)
    except InvalidArgument as problem:
        raise InvalidArgument(f"{visible(name)[:SHOWN_MAX]}: {problem}") from None
    told = visible(one.description or one.title or "")
    # In the description because that is pinned: what it admits today it cannot take back silently.
    admitted = _Says(one.annotations).told(trust.believes_hints)
    description = "\n\n".join(part for part in (told, admitted) if part)
    info = info_of(name, description, parameters, terms)
    return Tool(info=info, terms=terms, run=run_of(one.name, info, terms))


class _Says:
    """What annotations say; nothing where they say nothing."""

    def __init__(self, hints: "ToolAnnotations | None") -> None:
        self.is_destructive = hints is not None and hints.destructive_hint is True
        self.is_open = hints is not None and hints.open_world_hint is True
        self.is_closed = hints is not None and hints.open_world_hint is False
        self.is_idempotent = hints is not None and hints.idempotent_hint is True
        self.is_read_only = hints is not None and hints.read_only_hint is True

    def told(self, is_believed: bool) -> str:
        """The hints that count, for the model and the operator."""
        count = [
            ("destructive", self.is_destructive),
            ("reaches outside", self.is_open),
            ("reaches nothing outside", is_believed and self.is_closed),
            ("idempotent", is_believed and self.is_idempotent),
            ("read-only", is_believed and self.is_read_only),
        ]
        words = [word for word, is_said in count if is_said]
        return f"(By its server: {', '.join(words)}.)" if words else ""
