"""One turn's calls: side by side where nothing conflicts, answered in the model's order."""

import asyncio
import random
from collections.abc import Awaitable, Callable

import pytest

from aios.errors import InvalidArgument, NotFound
from aios.kernel import Kernel
from aios.sdk import Agent, Client, Tool, Toolbox, tool
from aios.syscalls import Generate, Message, ToolCall
from aios.syscalls.tool import CallTool, ToolResult
from aios.testing.loop import VirtualClock, run
from tests.house import on_a_kernel


class Desk:
    """Tools that sleep in virtual time, and what began and ended."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    async def spend(self, what: str, seconds: float) -> str:
        self.lines.append(f"+{what}")
        await asyncio.sleep(seconds)
        self.lines.append(f"-{what}")
        return what

    @property
    def tools(self) -> list[Tool]:
        @tool(reads="{path}")
        async def read(path: str, seconds: float = 1.0) -> str:
            return await self.spend(f"read {path}", seconds)

        @tool(writes="{path}")
        async def write(path: str = "a") -> str:
            return await self.spend(f"write {path}", 1.0)

        @tool
        async def undeclared(name: str) -> str:
            return await self.spend(name, 1.0)

        return [read, write, undeclared]


def asked(*calls: tuple[str, str]) -> list[ToolCall]:
    return [ToolCall(str(n), name, arguments) for n, (name, arguments) in enumerate(calls)]


def timed(work: Callable[[], Awaitable[tuple[Message, ...]]]) -> tuple[list[str], float]:
    async def body(_: random.Random) -> tuple[list[str], float]:
        clock = VirtualClock()
        began = clock.now()
        said = [one.content or "" for one in await work()]
        return said, clock.now() - began

    return run(body)


def turn(desk: Desk, *calls: tuple[str, str]) -> tuple[list[str], float]:
    return timed(lambda: Toolbox(desk.tools).run_all(asked(*calls)))


def test_what_does_not_conflict_runs_at_once_and_is_answered_in_order() -> None:
    said, took = turn(
        Desk(),
        ("read", '{"path": "a", "seconds": 3}'),
        ("read", '{"path": "a"}'),
        ("write", '{"path": "b"}'),
    )
    assert said == ["read a", "read a", "write b"]
    assert took == 3.0


def test_what_conflicts_keeps_the_models_order() -> None:
    desk = Desk()
    said, took = turn(desk, ("read", '{"path": "a"}'), ("write", "{}"), ("read", '{"path": "a"}'))
    assert said == ["read a", "write a", "read a"]
    assert took == 3.0
    assert desk.lines == ["+read a", "-read a", "+write a", "-write a", "+read a", "-read a"]


def test_functions_that_declare_nothing_run_one_after_another() -> None:
    said, took = turn(
        Desk(), ("undeclared", '{"name": "x"}'), ("undeclared", '{"name": "y"}'), ("read", "{")
    )
    assert said[:2] == ["x", "y"]
    assert said[2].startswith("error: bad arguments for read")
    assert took == 2.0


def test_one_that_fails_is_its_own_answer_and_no_others() -> None:
    said, _ = turn(Desk(), ("nobody", "{}"), ("read", '{"path": 5}'), ("read", '{"path": "b"}'))
    assert said[0] == "error: no tool 'nobody'; known: read, write, undeclared"
    assert said[1].startswith("error: ")
    assert said[2] == "read b"


def test_names_differ_and_the_kernels_tools_need_a_kernel() -> None:
    with pytest.raises(InvalidArgument, match="different names"):
        Toolbox(["a/b", "a/b"])
    with pytest.raises(InvalidArgument, match="expected a client"):
        asyncio.run(Toolbox(["a/b"]).run_all(asked(("a/b", "{}"))))


@pytest.mark.parametrize(
    "options",
    [{"retries": 1}, {"timeout_s": 0}, {"instances": 0}, {"per_minute": -1.0}, {"wirtes": "a"}],
)
def test_terms_that_cannot_be_are_refused_where_they_are_declared(
    options: dict[str, object],
) -> None:
    with pytest.raises(InvalidArgument):
        tool(**options)(lambda: None)  # type: ignore[call-overload]


def test_an_agent_uses_its_own_tools_and_the_kernels_in_one_turn() -> None:
    @tool(inline=True, reads=())
    def double(n: int) -> int:
        """Twice a number."""
        return 2 * n

    @tool(inline=True)
    def triple(n: int) -> int:
        """Three times a number."""
        return 3 * n

    calls = asked(
        ("double", '{"n": 1}'), ("local/triple", '{"n": "2"}'), ("double", '{"n": 3}'),
        ("local/triple", "{}"), ("local/triple", f'{{"n": "{"1" * (1 << 20)}"}}'),
    )  # fmt: skip
    heard: list[Generate] = []

    def speech(call: Generate) -> str | Message:
        heard.append(call)
        return "done" if len(heard) > 1 else Message("assistant", tool_calls=tuple(calls))

    async def main(kernel: Kernel) -> str:
        agent = Agent("both", tools=[double, "local/triple"])
        client = Client(kernel, kernel.token)
        with pytest.raises(NotFound, match="no tool local/nothing"):
            await Toolbox(["local/nothing"]).specs(client)
        return await agent(client, "go")

    assert on_a_kernel(main, speech, tools=[triple]) == "done"
    assert [one.name for one in heard[0].decoding.tools] == ["double", "local/triple"]
    said = [one.content or "" for one in heard[1].messages if one.role == "tool"]
    assert said[:3] == ["2", '6\n[`n`: "2" was taken as 2]', "6"]
    assert said[3].startswith("error: bad arguments for local/triple: `n` is missing")
    assert said[4].startswith("error: bad arguments for local/triple: expected at most 1,048,576")


def test_a_batch_of_calls_is_one_syscall() -> None:
    @tool(inline=True)
    def triple(n: int) -> int:
        return 3 * n

    async def main(kernel: Kernel) -> tuple[ToolResult, ...]:
        client = Client(kernel, kernel.token)
        before = (await client.whoami()).calls
        calls = [CallTool(name="local/triple", arguments=f'{{"n": {n}}}') for n in range(5)]
        results = await client.tools.batch(calls)
        assert (await client.whoami()).calls - before == 2
        return results

    results = on_a_kernel(main, lambda call: "", tools=[triple])
    assert [one.text for one in results] == ["0", "3", "6", "9", "12"]
