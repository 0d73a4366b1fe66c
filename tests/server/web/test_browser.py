"""The dashboard in a real browser: it follows agents, answers, steers, and fits a phone."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from aios.errors import AiosError
from aios.syscalls import Generate, Inspect, Message, ProcessState, Spawned
from aios.syscalls.approval import AskHuman
from aios.testing.script import Script
from tests.server.web.browser import browser, needs_chromium
from tests.server.web.house import House, house, pending

pytestmark = needs_chromium
BUSY = Script(lanes=2, step_s=0.01, answer_tokens=(100, 200))
PAGES = ("/", "/approvals", "/files", "/tools", "/budgets", "/audit", "/events", "/agent/2")


def lived(main: Callable[[], Awaitable[None]]) -> None:
    async def body() -> None:
        async with asyncio.timeout(100):
            await main()

    asyncio.run(body())


@asynccontextmanager
async def busy(home: House, count: int) -> AsyncIterator[list[Spawned]]:
    """Agents that ask without end, until the block does."""

    async def ask(token: str) -> None:
        said = (Message("user", "and then?"),)
        with suppress(AiosError):
            while True:
                await home.kernel.call(token, Generate(messages=said))

    agents = [await home.spawn(f"agent-{number}") for number in range(count)]
    async with ended(*(ask(agent.token) for agent in agents)):
        yield agents


@asynccontextmanager
async def ended(*works: Awaitable[object]) -> AsyncIterator[None]:
    """Work beside the block that ends with it, however that ends."""
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def test_the_overview_follows_agents_as_they_run_and_changes_their_policy(tmp_path: Path) -> None:
    async def main() -> None:
        async with house(tmp_path, script=BUSY) as home, browser(home) as window:
            assert "aios run" in await window.text("#live_agents")
            async with busy(home, 5):
                await window.page.wait_for_selector("table.agents tbody tr:nth-child(5)")
                await window.until("document.querySelector('canvas').dataset.switches > 3")
                await window.page.wait_for_selector("#live_agents >> text=on a lane")
                words = await window.text("#lane-words")
                assert "context switches in the last 60 seconds" in words
                # The page changes below a person's hands without taking anything out of them.
                await window.page.fill("#search", "half a wor")
                before = json.dumps(await window.text("#live_tiles"))
                await window.until(f"document.querySelector('#live_tiles').innerText != {before}")
                assert await window.page.input_value("#search") == "half a wor"
                assert await window.page.evaluate("document.activeElement.id") == "search"
                await window.page.select_option("select[name=policy]", "fifo")
                await window.page.click("text=Use it")
                await window.page.wait_for_selector(".notice >> text=fifo")
                assert home.kernel.loops[0].policy.name == "fifo"
                await window.page.wait_for_selector("#live_policy tbody >> text=fifo")

    lived(main)


def test_an_agent_is_watched_paused_resumed_and_killed(tmp_path: Path) -> None:
    async def main() -> None:
        async with house(tmp_path, script=BUSY) as home, browser(home) as window, busy(home, 1):
            page = window.page
            await page.click("table.agents tbody a")
            await window.live()
            await window.until("document.querySelector('#answer')?.innerText.length > 100")
            pid = int(page.url.rpartition("/")[2])

            async def state() -> ProcessState:
                return (await home.first(Inspect(pid=pid))).state

            await page.click("#pause")
            await page.wait_for_selector("#resume")
            assert await state() is ProcessState.PAUSED
            await page.wait_for_selector("#live_talk >> text=blocked")
            await page.click("#resume")
            await page.wait_for_selector("#pause")
            assert await state() is ProcessState.RUNNING
            await page.click("text=Kill…")
            assert await state() is ProcessState.RUNNING, "it asks first"
            await page.click("text=Kill it")
            await page.wait_for_selector(".notice >> text=was killed")
            assert await state() is ProcessState.KILLED

    lived(main)


def test_an_approval_comes_up_by_itself_and_is_answered(tmp_path: Path) -> None:
    async def main() -> None:
        async with house(tmp_path, script=BUSY) as home, browser(home) as window:
            page = window.page
            await window.open("/approvals")
            agent = await home.spawn("buyer")
            question = AskHuman(question="Shall I book the night train for 89 EUR?")
            asking = asyncio.ensure_future(home.kernel.call(agent.token, question))
            async with ended(asking):
                await pending(home, 1)
                await page.wait_for_selector("article.approval")
                assert "89 EUR" in await window.text("article.approval .arguments")
                assert await window.text(".badge") == "1"
                await page.fill("article.approval input[name=note]", "yes, but a window seat")
                await page.click("text=Yes, this once")
                await page.wait_for_selector(".notice >> text=Yes to")
                assert (await asking).text == "yes, but a window seat"
                assert "Nothing waits for you" in await window.text("#live_pending")

    lived(main)


def test_no_page_scrolls_sideways_on_a_phone(tmp_path: Path) -> None:
    async def main() -> None:
        async with house(tmp_path, script=BUSY) as home, busy(home, 3):
            agent = await home.spawn("a-name-that-is-as-long-as-names-may-be-" * 3)
            question = home.kernel.call(agent.token, AskHuman(question="word" * 500))
            async with ended(question), browser(home, width=375, height=740) as window:
                await pending(home, 1)
                for path in PAGES:
                    await window.open(path)
                    assert await window.overflow() <= 0, path

    lived(main)


def test_light_and_dark_follow_the_system_until_somebody_chooses(tmp_path: Path) -> None:
    async def main() -> None:
        async with house(tmp_path, script=BUSY) as home, browser(home, theme="dark") as window:
            colour = "getComputedStyle(document.body).backgroundColor"
            dark = await window.page.evaluate(colour)
            await window.page.emulate_media(color_scheme="light")
            assert await window.page.evaluate(colour) != dark
            await window.page.click("#theme")
            assert await window.page.evaluate(colour) == dark
            await window.open("/events")
            assert await window.page.evaluate(colour) == dark, "the choice stays"

    lived(main)


def test_everything_is_reached_by_the_keyboard(tmp_path: Path) -> None:
    async def main() -> None:
        async with house(tmp_path, script=BUSY) as home, browser(home) as window, busy(home, 2):
            page, press = window.page, window.page.keyboard.press
            await press("Tab")
            assert await page.evaluate("document.activeElement.className") == "skip"
            await press("Enter")
            assert await page.evaluate("location.hash") == "#main"
            await press("?")
            assert await page.is_visible("#help")
            await press("Escape")
            assert not await page.is_visible("#help")
            await press("2")
            await page.wait_for_url("**/approvals")
            await press("1")
            await page.wait_for_url(f"{home.url}/")
            await page.wait_for_selector("table.agents tbody tr:nth-child(2)")
            await press("/")
            assert await page.evaluate("document.activeElement.id") == "search"
            for key in ("Escape", "j", "j", "Enter"):
                await press(key)
            await page.wait_for_url("**/agent/3")

    lived(main)
