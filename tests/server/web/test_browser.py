"""The dashboard in a real browser: it follows agents, answers, steers, and fits a phone."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from aios.syscalls import Generate, Inspect, Message, ProcessState
from aios.syscalls.approval import AskHuman
from aios.testing.script import Script
from tests.server.web.browser import browser, needs_chromium
from tests.server.web.house import House, house, pending

pytestmark = needs_chromium
BUSY = Script(lanes=2, step_s=0.01, answer_tokens=(150, 300))
PAGES = ("/", "/approvals", "/files", "/tools", "/budgets", "/audit", "/events")


def lived(main: Callable[[], Awaitable[None]]) -> None:
    async def body() -> None:
        async with asyncio.timeout(90):
            await main()

    asyncio.run(body())


async def busy(home: House, count: int) -> list[asyncio.Task[None]]:
    """Agents that ask without end."""

    async def ask(token: str) -> None:
        while True:
            said = (Message("user", "and then?"),)
            await home.kernel.call(token, Generate(messages=said))

    agents = [await home.spawn(f"agent-{number}") for number in range(count)]
    return [asyncio.ensure_future(ask(agent.token)) for agent in agents]


def test_the_overview_follows_agents_as_they_come_and_run(tmp_path: Path) -> None:
    async def main() -> None:
        async with house(tmp_path, script=BUSY) as home, browser(home) as window:
            assert "aios run" in await window.text("#live_agents")
            tasks = await busy(home, 5)
            await window.page.wait_for_selector("table.agents tbody tr:nth-child(5)")
            await window.until("document.querySelector('#lanes canvas').dataset.switches > 5")
            await window.until(
                "document.querySelector('#live_agents').innerText.includes('on a lane')"
            )
            words = await window.text("#lane-words")
            assert "context switches in the last 60 seconds" in words
            # What a person does stays: the page changes below the cursor without taking it away.
            await window.page.fill("#search", "half a wor")
            before = await window.text("#live_tiles")
            await window.page.wait_for_function(
                "old => document.querySelector('#live_tiles').innerText !== old", arg=before
            )
            assert await window.page.input_value("#search") == "half a wor"
            assert await window.page.evaluate("document.activeElement.id") == "search"
            for task in tasks:
                task.cancel()

    lived(main)


def test_an_agent_is_watched_paused_resumed_and_killed(tmp_path: Path) -> None:
    async def main() -> None:
        async with house(tmp_path, script=BUSY) as home, browser(home) as window:
            tasks = await busy(home, 1)
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
            await window.until("document.querySelector('#live_talk').innerText.includes('blocked')")
            await page.click("#resume")
            await page.wait_for_selector("#pause")
            assert await state() is ProcessState.RUNNING
            await page.click("text=Kill…")
            assert await state() is ProcessState.RUNNING, "it asks first"
            await page.click("text=Kill it")
            await page.wait_for_selector(".notice >> text=was killed")
            assert await state() is ProcessState.KILLED
            await asyncio.gather(*tasks, return_exceptions=True)

    lived(main)


def test_an_approval_comes_up_by_itself_and_is_answered(tmp_path: Path) -> None:
    async def main() -> None:
        async with house(tmp_path, script=BUSY) as home, browser(home) as window:
            await window.open("/approvals")
            agent = await home.spawn("buyer")
            question = AskHuman(question="Shall I book the night train for 89 EUR?")
            asking = asyncio.ensure_future(home.kernel.call(agent.token, question))
            await pending(home, 1)
            await window.page.wait_for_selector("article.approval")
            assert "89 EUR" in await window.text("article.approval .arguments")
            assert await window.text(".badge") == "1"
            await window.page.fill("article.approval input[name=note]", "yes, but a window seat")
            await window.page.click("text=Yes, this once")
            await window.page.wait_for_selector(".notice >> text=Yes to")
            assert (await asking).text == "yes, but a window seat"
            assert "Nothing waits for you" in await window.text("#live_pending")

    lived(main)


def test_the_policy_is_changed_while_agents_run(tmp_path: Path) -> None:
    async def main() -> None:
        async with house(tmp_path, script=BUSY) as home, browser(home) as window:
            tasks = await busy(home, 4)
            await window.page.wait_for_selector("table.agents tbody tr:nth-child(4)")
            await window.page.select_option("select[name=policy]", "fifo")
            await window.page.click("text=Use it")
            await window.page.wait_for_selector(".notice >> text=fifo")
            assert home.kernel.loops[0].policy.name == "fifo"
            await window.until(
                "document.querySelector('#live_policy table')?.innerText.includes('fifo')"
            )
            for task in tasks:
                task.cancel()

    lived(main)


def test_no_page_scrolls_sideways_on_a_phone(tmp_path: Path) -> None:
    async def main() -> None:
        async with house(tmp_path, script=BUSY) as home:
            tasks = await busy(home, 3)
            tasks.append(asyncio.ensure_future(busy_name(home)))
            async with browser(home, width=375, height=740) as window:
                for path in (*PAGES, "/agent/2"):
                    await window.open(path)
                    assert await window.overflow() <= 0, path
            for task in tasks:
                task.cancel()

    lived(main)


async def busy_name(home: House) -> None:
    agent = await home.spawn("a-name-that-is-as-long-as-names-may-be-" * 3)
    question = AskHuman(question="word" * 500)
    await home.kernel.call(agent.token, question)


def test_light_and_dark_follow_the_system_until_somebody_chooses(tmp_path: Path) -> None:
    async def main() -> None:
        async with house(tmp_path, script=BUSY) as home, browser(home, theme="dark") as window:
            colour = "getComputedStyle(document.body).backgroundColor"
            dark = await window.page.evaluate(colour)
            await window.page.emulate_media(color_scheme="light")
            light = await window.page.evaluate(colour)
            assert dark != light
            await window.page.click("#theme")
            assert await window.page.evaluate(colour) == dark
            await window.open("/events")
            assert await window.page.evaluate(colour) == dark, "the choice stays"

    lived(main)


def test_everything_is_reached_by_the_keyboard(tmp_path: Path) -> None:
    async def main() -> None:
        async with house(tmp_path, script=BUSY) as home, browser(home) as window:
            tasks = await busy(home, 2)
            page = window.page
            await page.keyboard.press("Tab")
            assert await page.evaluate("document.activeElement.className") == "skip"
            await page.keyboard.press("Enter")
            assert await page.evaluate("location.hash") == "#main"
            await page.keyboard.press("?")
            assert await page.is_visible("#help")
            await page.keyboard.press("Escape")
            assert not await page.is_visible("#help")
            await page.keyboard.press("2")
            await page.wait_for_url("**/approvals")
            await page.keyboard.press("1")
            await page.wait_for_url(f"{home.url}/")
            await page.wait_for_selector("table.agents tbody tr:nth-child(2)")
            await page.keyboard.press("/")
            assert await page.evaluate("document.activeElement.id") == "search"
            await page.keyboard.press("Escape")
            await page.keyboard.press("j")
            await page.keyboard.press("j")
            await page.keyboard.press("Enter")
            await page.wait_for_url("**/agent/3")
            for task in tasks:
                task.cancel()

    lived(main)
