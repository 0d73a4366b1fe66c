"""A whole kernel, as it is booted, whose till pays; a human who says yes; and a victim to kill."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from aios.access.policy import PERSONAL, Policy
from aios.config import Limits
from aios.errors import Denied
from aios.kernel.guard.fittings import fittings, vault_of
from aios.kernel.guard.parts import Fence
from aios.kernel.tools.servers import ToolServers
from aios.sdk import Client, tool
from aios.syscalls.approval import Approval
from aios.tools.functions import Functions
from tests.kernel.guard.house import house

SOMEBODY = Limits(approval_s=600.0)
Paid = Callable[[str], None]


@dataclass
class Till:
    """What was paid, which no error takes back."""

    paid: list[str] = field(default_factory=list)
    is_open: asyncio.Event = field(default_factory=asyncio.Event)

    def tools(self) -> ToolServers:
        @tool(final=True)
        async def pay(to: str, memo: str = "", memo2: str = "") -> str:
            self.paid.append(to)
            return "paid"

        @tool(final=True)
        async def pay_slowly(to: str) -> str:
            self.paid.append(to)
            await self.is_open.wait()
            return "paid"

        @tool(final=True)
        async def pay_and_fail(to: str) -> str:
            self.paid.append(to)
            raise Denied("the receipt printer says no")

        @tool(final=True, writes="drawer")
        async def hold(to: str) -> str:
            self.paid.append(to)
            await self.is_open.wait()
            return "paid"

        return ToolServers([Functions([pay, pay_slowly, pay_and_fail, hold])])


@dataclass(frozen=True)
class Human:
    """The first process; it lets through whatever it is asked, and counts."""

    client: Client

    async def asked(self, count: int = 1) -> tuple[Approval, ...]:
        """What waits, once that much does."""
        async with asyncio.timeout(10):
            while len(found := (await self.client.approvals.list()).approvals) < count:  # noqa: ASYNC110
                await asyncio.sleep(0.005)
        return found

    async def says_yes(self, count: int = 1) -> None:
        for one in await self.asked(count):
            await self.client.approvals.answer(one.id, one.digest, True)


@asynccontextmanager
async def shop(
    folder: Path, tools: ToolServers, policy: Policy = PERSONAL
) -> AsyncIterator[tuple[Human, Client]]:
    """A human, and the agent `ada`, in a kernel with all its fittings."""
    fence = Fence(policy=policy, fittings=fittings(folder, vault_of(folder)))
    async with house(folder, fence, tools, SOMEBODY) as home:
        first = Client(home.kernel, home.kernel.token)
        yield Human(first), first.of(await first.spawn("ada"))


def deadly(folder: Path) -> ToolServers:
    """A till whose kernel dies as it pays, once."""

    @tool(final=True)
    async def pay(to: str) -> str:
        with (folder / "paid").open("a") as file:
            file.write(f"{to}\n")
        if not (folder / "spared").exists():
            os.kill(os.getpid(), signal.SIGKILL)
        return "paid"

    return ToolServers([Functions([pay])])


async def dies(folder: Path) -> None:
    async with shop(folder, deadly(folder)) as (human, _):
        bob = await human.client.spawn("bob")
        (folder / "bob").write_text(f"{bob.pid} {bob.token}")
        paying = asyncio.ensure_future(
            human.client.of(bob).tools.call("local/pay", {"to": "ann"}, key="first")
        )
        await human.says_yes()
        await paying


if __name__ == "__main__":
    asyncio.run(dies(Path(sys.argv[1])))
