"""The tools of one agent by name, and the answers to the calls of one turn of a model.

An agent's own functions run in its own program. Those that declare what they touch run side by side
unless they conflict; those that declare nothing run one after another in the model's order. The
kernel's tools, named `server/tool`, run in the kernel, which decides what runs beside what.
"""

import asyncio
from collections.abc import Iterable, Iterator, Sequence

from aios.errors import InvalidArgument
from aios.sdk.abreast import needs_of, waits_for
from aios.sdk.client import Client
from aios.sdk.tool import ERROR, Tool
from aios.sdk.tools import observed
from aios.syscalls import Message, ToolCall, ToolSpec
from aios.syscalls.tool import ARGUMENTS_MAX, BATCH_MAX, CallTool

UNKNOWN = f"{ERROR}the outcome is unknown: the system stopped while this ran"


class Toolbox:
    """An immutable set of tools in order; their names differ. Iterates over the agent's own."""

    def __init__(self, tools: Iterable[Tool | str] = ()) -> None:
        listed = tuple(tools)
        self._tools = {one.name: one for one in listed if isinstance(one, Tool)}
        self.names = tuple(one for one in listed if isinstance(one, str))  # of the kernel's
        if len(self._tools.keys() | set(self.names)) != len(listed):
            names = [one if isinstance(one, str) else one.name for one in listed]
            raise InvalidArgument(f"expected tools of different names, got {names}")

    def __iter__(self) -> Iterator[Tool]:
        return iter(self._tools.values())

    def __len__(self) -> int:
        return len(self._tools) + len(self.names)

    async def specs(self, client: Client) -> tuple[ToolSpec, ...]:
        """What a model is told of all of them now."""
        own = [one.spec for one in self]
        return (*own, *(await client.tools.specs(self.names)))

    async def run(self, call: ToolCall, client: Client | None = None) -> Message:
        """The observation that answers a call, an error text for an unknown tool included.

        For a durable program a run is remembered by its `client`, and not repeated after a crash.
        """
        return (await self.run_all([call], client))[0]

    async def run_all(
        self, calls: Sequence[ToolCall], client: Client | None = None
    ) -> tuple[Message, ...]:
        """The observations that answer a turn's calls, in the calls' order."""
        far = [call for call in calls if call.name in self.names]
        near = [call for call in calls if call.name not in self.names]
        if not far:
            texts, answers = await self._near(near, client), []
        elif client is None:
            raise InvalidArgument("expected a client: the kernel's tools run in a kernel")
        elif not near:
            texts, answers = [], await _far(far, client)
        else:
            texts, answers = await asyncio.gather(self._near(near, client), _far(far, client))
        kernels, own = iter(answers), iter(texts)
        return tuple(
            _message(call, next(kernels if call.name in self.names else own)) for call in calls
        )

    async def _near(self, calls: Sequence[ToolCall], client: Client | None) -> list[str]:
        """The agent's own functions. Each begins once those have ended that it conflicts with."""
        if len(calls) == 1:
            return [await self._own(calls[0], client)]
        needs = [
            needs_of(self._tools[call.name], call.arguments) if call.name in self._tools else {}
            for call in calls
        ]
        loop = asyncio.get_running_loop()
        tasks: list[asyncio.Task[str]] = []
        for call, ahead in zip(calls, waits_for(needs), strict=True):
            before = [tasks[number] for number in ahead]
            tasks.append(loop.create_task(self._after(before, call, client)))
        try:
            return await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()

    async def _after(
        self, before: Sequence[asyncio.Task[str]], call: ToolCall, client: Client | None
    ) -> str:
        if before:
            await asyncio.wait(before)
        return await self._own(call, client)

    async def _own(self, call: ToolCall, client: Client | None) -> str:
        tool = self._tools.get(call.name)
        if tool is None:
            known = ", ".join((*self._tools, *self.names)) or "none"
            return f"{ERROR}no tool {call.name!r}; known: {known}"
        if client is not None and client.is_durable:
            return await _remembered(tool, call.arguments, client)
        return await tool.run(call.arguments)


async def _far(calls: Sequence[ToolCall], client: Client) -> list[str]:
    """The kernel's tools: a turn's calls as one syscall, unless they are very many."""
    texts: list[str] = []
    for start in range(0, len(calls), BATCH_MAX):
        part = calls[start : start + BATCH_MAX]
        asked = [_asked(call) for call in part if _fits(call)]
        told = iter(await client.tools.batch(asked) if asked else ())
        texts += [observed(next(told)) if _fits(call) else _too_long(call) for call in part]
    return texts


async def _remembered(tool: Tool, arguments: str, client: Client) -> str:
    """Run a tool of a durable program: that it begins and what it gave are both remembered.

    Where a crash came between, only a tool that is declared `repeatable` runs again.
    """
    attempt = await client.attempt(tool.name, arguments)
    if attempt.outcome == "done":
        text = attempt.result
    elif attempt.outcome == "unknown" and not tool.terms.repeatable:
        text = UNKNOWN
    else:
        text = await tool.run(arguments)
    await client.report(attempt.id, text)
    return text


def _asked(call: ToolCall) -> CallTool:
    return CallTool(name=call.name, arguments=call.arguments)


def _fits(call: ToolCall) -> bool:
    return len(call.arguments) <= ARGUMENTS_MAX


def _too_long(call: ToolCall) -> str:
    return (
        f"{ERROR}bad arguments for {call.name}: expected at most {ARGUMENTS_MAX:,} characters, "
        f"got {len(call.arguments):,}"
    )


def _message(call: ToolCall, text: str) -> Message:
    return Message(role="tool", content=text, tool_call_id=call.id, name=call.name)
