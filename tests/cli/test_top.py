"""`aios top` over a socket: with a pilot at its keys, and in a real terminal."""

import asyncio
from collections.abc import Awaitable, Callable

from textual.pilot import Pilot
from textual.widgets import DataTable, Input

from aios.cli.remote import client_of, heard
from aios.cli.top_screen import Top
from tests.cli.terminal import PATIENCE_S, Terminal
from tests.server.house import House


def names(top: Top) -> list[str]:
    table = top.query_one(DataTable)
    return [str(table.get_row_at(at)[1]) for at in range(table.row_count)]


async def shows(top: Top, pilot: Pilot[None], *wanted: str) -> None:
    """The screen shows these agents, if not at once then soon."""
    async with asyncio.timeout(PATIENCE_S):
        while names(top) != list(wanted):
            await pilot.pause(0.02)


async def becomes(home: House, pilot: Pilot[None], wanted: str) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while home.kernel.table.all(ended=True)[1].state != wanted:
            await pilot.pause(0.02)


def piloted(
    home: House, steps: Callable[[Top, Pilot[None]], Awaitable[None]], width: int = 140
) -> None:
    async def main() -> None:
        async with client_of(home.url) as client:
            top = Top(client, lambda: heard(home.url, "/api/events"), every_s=0.05)
            async with top.run_test(size=(width, 30)) as pilot:
                await steps(top, pilot)

    asyncio.run(main())


def state(home: House) -> str:
    return home.kernel.table.all(ended=True)[1].state


def test_the_agent_under_the_cursor_is_paused_resumed_and_killed_on_a_second_press(
    first: House,
) -> None:
    async def steps(top: Top, pilot: Pilot[None]) -> None:
        await shows(top, pilot, "init", "agent")
        await pilot.press("down", "p")
        await becomes(first, pilot, "paused")
        await pilot.press("r")
        await becomes(first, pilot, "running")
        await pilot.press("k")
        await pilot.pause(0.2)
        assert state(first) == "running", "one press does not kill"
        await pilot.press("k")
        await becomes(first, pilot, "killed")
        await shows(top, pilot, "init")

    piloted(first, steps)


def test_a_narrow_screen_says_too_that_a_second_press_kills(first: House) -> None:
    async def steps(top: Top, pilot: Pilot[None]) -> None:
        await shows(top, pilot, "init", "agent")
        await pilot.press("down", "k")
        async with asyncio.timeout(PATIENCE_S):
            while "again" not in top.export_screenshot():
                await pilot.pause(0.02)

    piloted(first, steps, width=60)


def test_a_filter_leaves_what_matches_and_a_tree_puts_children_below(first: House) -> None:
    async def steps(top: Top, pilot: Pilot[None]) -> None:
        await shows(top, pilot, "init", "agent")
        await pilot.press("t")
        await shows(top, pilot, "init", "  agent")
        await pilot.press("slash")
        async with asyncio.timeout(PATIENCE_S):
            while not isinstance(top.focused, Input):
                await pilot.pause(0.02)
        await pilot.press("a", "g", "e", "enter")
        await shows(top, pilot, "agent")

    piloted(first, steps)


def test_a_kernel_that_went_away_is_told_and_the_screen_stays(first: House) -> None:
    async def steps(top: Top, pilot: Pilot[None]) -> None:
        await shows(top, pilot, "init", "agent")
        first.kernel.gate.is_closed = True
        await pilot.press("p")
        async with asyncio.timeout(PATIENCE_S):
            while "stopping" not in str(top.query_one("#head").render()):
                await pilot.pause(0.02)
        first.kernel.gate.is_closed = False

    piloted(first, steps)


def test_an_answer_that_comes_after_the_screen_was_left_is_let_go(first: House) -> None:
    async def main() -> None:
        async with client_of(first.url) as client:
            top = Top(client, lambda: heard(first.url, "/api/events"), every_s=60.0)
            async with top.run_test(size=(140, 30)) as pilot:
                await shows(top, pilot, "init", "agent")
            await top._refresh()

    asyncio.run(main())


def test_it_runs_in_a_terminal_and_leaves_it_at_q(first: House) -> None:
    with Terminal("top", "--url", first.url) as terminal:
        assert b"agent" in terminal.read_until(b"WAITS FOR")
        terminal.press(b"q")
        assert terminal.ended() == 0
