"""The tools of one agent by name, and the answer to each call that a model makes."""

from collections.abc import Iterable, Iterator

from aios.errors import InvalidArgument
from aios.sdk.tool import ERROR, Tool
from aios.syscalls import Message, ToolCall


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

    async def run(self, call: ToolCall) -> Message:
        """The observation that answers a call, an error text for an unknown tool included."""
        tool = self._tools.get(call.name)
        if tool is None:
            known = ", ".join(self._tools) or "none"
            text = f"{ERROR}no tool {call.name!r}; known: {known}"
        else:
            text = await tool.run(call.arguments)
        return Message(role="tool", content=text, tool_call_id=call.id, name=call.name)
