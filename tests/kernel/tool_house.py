"""Tools for tests of the kernel: they sleep in virtual time, and tell what ran beside what."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aios.kernel.tools.servers import Connect, ToolServers
from aios.sdk import Tool as Function
from aios.sdk import tool
from aios.syscalls.tool import Text, ToolResult
from aios.tools.base import Source, Terms, Tool
from aios.tools.functions import Functions
from aios.tools.naming import info_of


@dataclass
class Diary:
    """What began and ended, in order; and how often."""

    lines: list[str] = field(default_factory=list)
    running: set[str] = field(default_factory=set)
    most: int = 0  # at the same time

    async def spend(self, name: str, seconds: float) -> str:
        self.lines.append(f"{name} begins")
        self.running.add(name)
        self.most = max(self.most, len(self.running))
        try:
            await asyncio.sleep(seconds)
        finally:
            self.running.discard(name)
        self.lines.append(f"{name} ends")
        return name

    def began(self, name: str) -> int:
        return self.lines.count(f"{name} begins")


def functions(diary: Diary) -> list[Function]:
    """read, write, count and nap: what each touches is in its name."""

    @tool(reads="file:{path}", repeatable=True)
    async def read(path: str, seconds: float = 1.0) -> str:
        return await diary.spend(f"read {path}", seconds)

    @tool(writes="file:{path}")
    async def write(path: str, seconds: float = 1.0) -> str:
        return await diary.spend(f"write {path}", seconds)

    @tool(instances=1)
    async def alone(name: str, seconds: float = 1.0) -> str:
        return await diary.spend(f"alone {name}", seconds)

    @tool(per_minute=2)
    async def rare(name: str) -> str:
        return await diary.spend(f"rare {name}", 0.0)

    @tool(timeout_s=5.0)
    async def nap(seconds: float) -> str:
        """Sleep for a while.

        Args:
            seconds: how long
        """
        return await diary.spend("nap", seconds)

    return [read, write, alone, rare, nap]


def local(diary: Diary, *more: Function) -> ToolServers:
    return ToolServers([Functions([*functions(diary), *more])])


class Changing:
    """A `Source` whose tools a test changes as a server would, while the kernel runs."""

    def __init__(self, name: str = "far", *tools: Tool) -> None:
        self.name = name
        self.offered = tools
        self.is_closed = False

    async def tools(self) -> tuple[Tool, ...]:
        return self.offered

    async def close(self) -> None:
        self.is_closed = True


def far(name: str, description: str = "as it was", terms: Terms | None = None) -> Tool:
    """A tool that says its name."""

    async def run(arguments: Mapping[str, Any], outside: Any) -> Any:
        return text(name)

    terms = terms or Terms()
    return Tool(info=info_of(name, description, {"type": "object"}, terms), terms=terms, run=run)


def text(said: str) -> Any:
    return (Text(said),)


def given(source: Source) -> ToolServers:
    return ToolServers(given=[source])


def by_command(connect: Connect) -> ToolServers:
    return ToolServers(connects={"command": connect})


def texts(results: tuple[ToolResult, ...]) -> list[str]:
    return [one.text for one in results]
