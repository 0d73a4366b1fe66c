"""What is fitted to a kernel's guard: each place once, handlers of its own, opened in time."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from aios.access.base import Act, Effect
from aios.access.policy import Line, Policy
from aios.errors import Denied
from aios.journal.base import Work
from aios.kernel.guard.parts import Fence, Parts, Setting
from aios.kernel.process import Process
from aios.syscalls import Syscall
from aios.syscalls.access import GrantRight, Verdict
from aios.syscalls.tool import CallTool, CallTools, ListTools, ToolList, ToolResult, ToolResults
from tests.kernel.guard.house import house


class Witness:
    """Remembers effects."""

    def __init__(self) -> None:
        self.effects: list[tuple[str, Effect]] = []

    def note(self, process: Process, act: Act, call: Syscall[Any], verdict: Verdict) -> None:
        self.effects.append((act.verb, act.effect))

    def begins(self, act: Act, work: Work) -> None:
        """Nothing is kept here."""


class Tools:
    """A tool room, as small as can be: what `send` does leaves the system."""

    def __init__(self) -> None:
        self.is_open = False

    async def open(self) -> None:
        self.is_open = True

    async def list(self, process: Process, call: ListTools) -> ToolList:
        return ToolList(())

    async def call(self, process: Process, call: CallTool, work: object) -> ToolResult:
        return ToolResult(contents=())

    async def batch(self, process: Process, call: CallTools, work: object) -> ToolResults:
        return ToolResults(tuple(ToolResult(contents=()) for _ in call.calls))

    def effect(self, call: CallTool) -> Effect:
        return Effect.OUTSIDE if call.name == "mail/send" else Effect.READ

    def fit(self, setting: Setting) -> Parts:
        return Parts(
            readings={ListTools: self.list},
            handlers={CallTool: self.call, CallTools: self.batch},
            effects={CallTool: self.effect},
            open=(self.open,),
        )


def test_a_fitting_brings_handlers_effects_and_is_opened_before_the_first_call(
    tmp_path: Path,
) -> None:
    async def main() -> None:
        tools, witness = Tools(), Witness()
        fence = Fence(
            policy=Policy(deny=(Line("nothing leaves", effects=(Effect.OUTSIDE,)),)),
            fittings=(tools.fit, lambda _: Parts(witness=witness)),
        )
        async with house(tmp_path, fence) as home:
            assert tools.is_open
            agent = await home.spawn("ada")
            look, send = CallTool(name="web/look"), CallTool(name="mail/send")
            await home.kernel.call(agent.token, look)
            with pytest.raises(Denied, match="nothing leaves"):
                await home.kernel.call(agent.token, send)
            with pytest.raises(Denied, match="nothing leaves"):
                await home.kernel.call(agent.token, CallTools(calls=(look, send)))
            await home.kernel.call(agent.token, CallTools(calls=(look, look)))
            assert ("tool.call", Effect.READ) in witness.effects
            assert ("tool.call", Effect.OUTSIDE) in witness.effects

    asyncio.run(main())


def test_a_tool_that_no_group_allows_is_allowed_by_a_capability(tmp_path: Path) -> None:
    async def main() -> None:
        async with house(tmp_path, Fence(fittings=(Tools().fit,))) as home:
            agent = await home.spawn("ada", groups=("reader",))
            call = CallTool(name="web/look")
            with pytest.raises(Denied, match="no right"):
                await home.kernel.call(agent.token, call)
            await home.first(GrantRight(to="ada", verbs="tool.call", object="web/*"))
            assert await home.kernel.call(agent.token, call) == ToolResult(contents=())

    asyncio.run(main())


def test_two_parts_for_one_place_are_a_mistake(tmp_path: Path) -> None:
    async def main() -> None:
        twice = Fence(fittings=(lambda _: Parts(witness=Witness()),) * 2)
        with pytest.raises(AssertionError, match="has a witness already"):
            async with house(tmp_path, twice):
                pass

    asyncio.run(main())
