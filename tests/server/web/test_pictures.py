"""The pictures of the guide; drawn anew where AIOS_PICTURES=1 is set, else left alone."""

import asyncio
import itertools
import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path

import pytest

from aios.errors import AiosError
from aios.syscalls import Generate, Message, Pause, Spawned
from aios.syscalls.approval import AskHuman
from aios.syscalls.budget import Resource, SetBudget
from aios.syscalls.file import WriteFile
from aios.syscalls.memory import Free, Write
from aios.syscalls.scheduling import SetPolicy
from aios.testing.script import Script
from tests.server.web.browser import Window, browser, needs_chromium
from tests.server.web.house import House, house, pending
from tests.server.web.test_browser import ended, lived

PICTURES = Path(__file__).parents[3] / "docs" / "guide" / "pictures"
BYTES_MAX = 150_000
CREW = Script(model="pocket", lanes=3, step_s=0.06, context_tokens=8_192, kv_tokens=4_096)
pytestmark = [
    needs_chromium,
    pytest.mark.skipif(
        "AIOS_PICTURES" not in os.environ, reason="draws pictures only with AIOS_PICTURES=1"
    ),
]
ANSWERS = (
    "The Nightjet from Vienna leaves at 19:18 and is in Rome at 10:05. A couchette costs 89 EUR, "
    "a seat 49 EUR. Via Milan it is 12 EUR less, but you change at 02:40. I would take the direct "
    "train: the difference buys a night of sleep. Shall I look for a hotel near Termini as well?",
    "Three sources agree on the departure, one gives an older timetable. I keep the operator's "
    "own page as the source and note when it was read, so that the next check can be compared.",
    "The draft says what was asked, in the order in which it was asked. Two sentences repeat each "
    "other; I have merged them. The figures are those of the table, rounded to whole euros.",
)
TURNS = (
    Message("system", "You plan trips. Ask before you pay for anything."),
    Message("user", "I want to be in Rome on Saturday morning, by night train from Vienna."),
    Message("assistant", "I compare the trains of Friday night first, then the prices."),
    Message("user", "Good. Which one would you take, and why?"),
)
PLAN = "# Rome\n\n- Friday 19:18 from Vienna\n- couchette, {}\n- hotel near {}\n"


@asynccontextmanager
async def crew(home: House) -> AsyncIterator[Spawned]:
    """A few agents at work; the first of them."""
    await home.first(SetPolicy(policy="rr", slice_tokens=16))

    async def work(agent: Spawned, pause_s: float) -> None:
        with suppress(AiosError):
            for number in itertools.count():
                turns = TURNS if agent is planner else (*TURNS[:3], Message("user", f"{number}?"))
                await home.kernel.call(agent.token, Generate(messages=turns))
                await asyncio.sleep(pause_s)

    planner = await home.spawn("trip-planner")
    names = ("fares", "timetables")
    team = [planner, *[await home.spawn(name, planner.token) for name in names]]
    team += [await home.spawn(name) for name in ("writer", "fact-checker", "translator", "archive")]
    works = (work(agent, 0.4 * at) for at, agent in enumerate(team[:-1]))
    async with ended(*works):
        yield planner


async def picture(window: Window, name: str) -> None:
    path = PICTURES / f"{name}.png"
    await window.page.screenshot(path=path)
    assert path.stat().st_size < BYTES_MAX, f"{path.name}: {path.stat().st_size} bytes"


async def furnished(home: House, planner: Spawned, stack: AsyncExitStack) -> None:
    """What the pages beside the overview show."""
    for price, place in (
        ("89 EUR", "Termini"),
        ("89 EUR, booked", "Termini"),
        ("49 EUR", "Trastevere"),
    ):
        file = WriteFile(path="rome/plan.md", data=PLAN.format(price, place).encode())
        await home.kernel.call(planner.token, file)
    await home.kernel.call(planner.token, Write(name="itinerary", data=b"Friday 19:18"))
    question = AskHuman(question="Book the couchette for 89 EUR?", choices=("book", "wait"))
    wishes = (Free(name="itinerary"), question)
    waiting = (home.kernel.call(planner.token, wish) for wish in wishes)
    await stack.enter_async_context(ended(*waiting))
    await pending(home, 2)
    limits = (("trip-planner", Resource.TOKENS, 50_000), ("writer", Resource.CALLS, 12))
    for account, resource, limit in limits:
        await home.first(SetBudget(account=account, resource=resource, limit=limit))


def test_the_pictures_of_the_guide_are_drawn(tmp_path: Path) -> None:
    numbers = itertools.count()

    def speech(call: Generate) -> str:
        return ANSWERS[0] if call.messages == TURNS else ANSWERS[next(numbers) % len(ANSWERS)]

    async def main() -> None:
        async with (
            house(tmp_path, script=CREW, speech=speech) as home,
            crew(home) as planner,
            AsyncExitStack() as stack,
        ):
            await furnished(home, planner, stack)
            async with browser(home, width=1180, height=840) as window:
                await asyncio.sleep(30)
                await picture(window, "overview")
                sleeper = next(
                    one for one in home.kernel.table.all(ended=False) if one.name == "writer"
                )
                await home.first(Pause(pid=sleeper.pid))
                await window.open(f"/agent/{planner.pid}")
                await asyncio.sleep(3)
                await picture(window, "agent")
                await window.open("/approvals")
                await picture(window, "approvals")
                await window.open("/files?agent=trip-planner&path=rome/plan.md&version=3&against=2")
                await picture(window, "files")
            async with browser(home, width=1180, height=840, theme="dark") as window:
                await asyncio.sleep(3)
                await picture(window, "dark")
            async with browser(home, width=375, height=760, theme="dark", scale=1.5) as window:
                await asyncio.sleep(3)
                await picture(window, "phone")

    PICTURES.mkdir(exist_ok=True)
    lived(main)
