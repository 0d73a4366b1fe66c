"""What is fitted to a kernel's guard: each place once, handlers of its own, opened in time."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from aios.access.base import Act, Effect
from aios.access.policy import Line, Policy
from aios.errors import Denied
from aios.journal.base import Work
from aios.kernel.guard.accounts import Accounts
from aios.kernel.guard.flow_calls import Labels
from aios.kernel.guard.parts import Fence, Parts
from aios.kernel.guard.vault import Vault
from aios.kernel.process import Process
from aios.kernel.tools.servers import ToolServers
from aios.sdk import tool
from aios.syscalls import Syscall
from aios.syscalls.access import GrantRight, Verdict
from aios.syscalls.budget import Budgets
from aios.syscalls.tool import CallTool, CallTools, ListTools, Text
from aios.tools.functions import Functions
from tests.kernel.guard.house import house


class Witness:
    """Remembers effects."""

    def __init__(self) -> None:
        self.effects: list[tuple[str, Effect]] = []

    def note(self, process: Process, act: Act, call: Syscall[Any], verdict: Verdict) -> None:
        self.effects.append((act.verb, act.effect))

    def begins(self, act: Act, work: Work) -> None:
        """Nothing is kept here."""


@tool(inline=True, reads=("web",))
def look() -> str:
    """Look at something."""
    return "seen"


@tool(inline=True, outside=True)
def send() -> str:
    """Send something away."""
    return "sent"


def servers() -> ToolServers:
    """Two tools, of which one leaves the system."""
    return ToolServers(own=[Functions([look], "web"), Functions([send], "mail")])


def test_a_tool_has_the_effect_that_it_declares_also_in_a_batch(tmp_path: Path) -> None:
    async def main() -> None:
        witness = Witness()
        fence = Fence(
            policy=Policy(deny=(Line("nothing leaves", effects=(Effect.OUTSIDE,)),)),
            fittings=(Labels(), lambda _: Parts(witness=witness)),
        )
        async with house(tmp_path, fence, servers()) as home:
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


def test_a_fitting_brings_handlers_and_is_opened_before_the_first_call(tmp_path: Path) -> None:
    async def main() -> None:
        async with house(tmp_path, Fence(fittings=(Accounts(),))) as home:
            assert (await home.first(Budgets())).budgets == ()

    asyncio.run(main())


def test_a_tool_that_no_group_allows_is_allowed_by_a_capability(tmp_path: Path) -> None:
    async def main() -> None:
        async with house(tmp_path, None, servers()) as home:
            agent = await home.spawn("ada", groups=("reader",))
            call = CallTool(name="web/look")
            with pytest.raises(Denied, match="no right"):
                await home.kernel.call(agent.token, call)
            assert (await home.kernel.call(agent.token, ListTools())).tools == ()
            await home.first(GrantRight(to="ada", verbs="tool.call", object="web/*"))
            assert (await home.kernel.call(agent.token, call)).contents == (Text("seen"),)
            seen = await home.kernel.call(agent.token, ListTools())
            assert [one.name for one in seen.tools] == ["web/look"]

    asyncio.run(main())


def test_a_secret_leaves_in_no_result_and_no_error(tmp_path: Path) -> None:
    async def main() -> None:
        vault = Vault(tmp_path / "vault.json", {})
        vault.set("key", "sesame-street-1")
        vault.secret("key")  # From now on it is known, and hidden.
        fence = Fence(fittings=(Accounts(vault=vault),))
        tools = ToolServers(own=[Functions([leak, choke], "leaky")])
        async with house(tmp_path, fence, tools) as home:
            agent = await home.spawn("ada")
            told = await home.kernel.call(agent.token, CallTool(name="leaky/leak"))
            failed = await home.kernel.call(agent.token, CallTool(name="leaky/choke"))
            assert "sesame" not in repr((told, failed))
            assert failed.is_error

    asyncio.run(main())


@tool(inline=True)
def leak() -> dict[str, str]:
    """Tell what should not be told."""
    return {"header": "Bearer sesame-street-1"}


@tool(inline=True)
def choke() -> str:
    """Fail with what should not be told."""
    raise RuntimeError("refused: sesame-street-1")


def test_two_parts_for_one_place_are_a_mistake(tmp_path: Path) -> None:
    async def main() -> None:
        twice = Fence(fittings=(lambda _: Parts(witness=Witness()),) * 2)
        with pytest.raises(AssertionError, match="has a witness already"):
            async with house(tmp_path, twice):
                pass

    asyncio.run(main())
