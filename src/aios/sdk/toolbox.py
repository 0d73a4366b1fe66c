"""The tools of one agent by name, and the answer to each call that a model makes."""

from collections.abc import Iterable, Iterator

from aios.errors import InvalidArgument
from aios.sdk.client import Client
from aios.sdk.tool import ERROR, Tool
from aios.syscalls import Message, ToolCall

UNKNOWN = f"{ERROR}the outcome is unknown: the system stopped while this ran"


class Toolbox:
    """An immutable set of tools in order; their names differ."""

    def __init__(self, tools: Iterable[Tool] = ()) -> None:
        listed = tuple(tools)
        self._tools = {tool.name: tool for tool in listed}
        if len(self._tools) != len(listed):
            names = [tool.name for tool in listed]
            raise InvalidArgument(f"expected tools of different names, got {names}")

    def __iter__(self) -> Iterator[Tool]:
        return iter(self._tools.values())

    def __len__(self) -> int:
        return len(self._tools)

    async def run(self, call: ToolCall, client: Client | None = None) -> Message:
        """The observation that answers a call, an error text for an unknown tool included.

        For a durable program a run is remembered by its `client`, and not repeated after a crash.
        """
        tool = self._tools.get(call.name)
        if tool is None:
            known = ", ".join(self._tools) or "none"
            text = f"{ERROR}no tool {call.name!r}; known: {known}"
        elif client is not None and client.is_durable:
            text = await _once(tool, call.arguments, client)
        else:
            text = await tool.run(call.arguments)
        return Message(role="tool", content=text, tool_call_id=call.id, name=call.name)


async def _once(tool: Tool, arguments: str, client: Client) -> str:
    """Run a tool of a durable program: that it begins and what it gave are both remembered.

    Where a crash came between, only a tool that is declared `repeatable` runs again.
    """
    attempt = await client.attempt(tool.name, arguments)
    if attempt.outcome == "done":
        text = attempt.result
    elif attempt.outcome == "unknown" and not tool.repeatable:
        text = UNKNOWN
    else:
        text = await tool.run(arguments)
    await client.report(attempt.id, text)
    return text
