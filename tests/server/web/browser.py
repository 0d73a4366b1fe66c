"""Debian's Chromium without a screen, driven over its debugging protocol; skipped by name without.

Whatever a page writes to the console, and every breach of its content policy, fails the test.
"""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from tests.server.web.house import House

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
needs_chromium = pytest.mark.skipif(
    CHROMIUM is None, reason="needs Chromium: apt-get install chromium"
)
PATIENCE_MS = 30_000


class Window:
    """Pages of one browser that has signed in."""

    def __init__(self, house: House, context: Any, page: Any) -> None:
        self.house = house
        self.context = context
        self.page = page

    async def open(self, path: str) -> None:
        await self.page.goto(self.house.url + path)
        await self.live()

    async def live(self) -> None:
        """Wait until the page follows the kernel."""
        await self.page.wait_for_selector('#connection[data-state="live"]')

    async def text(self, selector: str) -> str:
        return str(await self.page.inner_text(selector))

    async def until(self, expression: str) -> None:
        """Wait until something is so on the page, whose policy lets nobody wait inside of it."""
        async with asyncio.timeout(PATIENCE_MS / 1_000):
            while not await self.page.evaluate(expression):  # noqa: ASYNC110 - no event of ours
                await asyncio.sleep(0.05)

    async def overflow(self) -> int:
        """How many pixels the page is wider than the window."""
        return int(
            await self.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        )


@asynccontextmanager
async def browser(
    house: House, *, width: int = 1280, height: int = 800, theme: str = "light", scale: float = 1.0
) -> AsyncIterator[Window]:
    """A window that was opened by a link of `aios dashboard`."""
    from playwright.async_api import Error, async_playwright

    complaints: list[str] = []
    async with async_playwright() as driver:
        try:
            chromium = await driver.chromium.launch(
                executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"]
            )
        except Error as problem:
            pytest.skip(f"Chromium does not start on this machine: {problem.message[:200]}")
        try:
            context = await chromium.new_context(
                viewport={"width": width, "height": height},
                color_scheme=theme,  # type: ignore[arg-type]
                device_scale_factor=scale,
            )
            context.set_default_timeout(PATIENCE_MS)
            page = await context.new_page()
            page.on("console", lambda one: complaints.append(f"{one.type}: {one.text}"))
            page.on("pageerror", lambda problem: complaints.append(str(problem)))
            await page.goto(await house.ticket())
            await page.wait_for_url(f"{house.url}/")
            window = Window(house, context, page)
            await window.live()
            yield window
            assert complaints == []
        finally:
            await chromium.close()
