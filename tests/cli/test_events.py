"""`aios events` over a socket."""

import asyncio

import pytest
import typer

from aios.cli.events import events, kinds
from aios.cli.remote import heard
from aios.errors import ShuttingDown
from aios.syscalls import Spawn
from tests.server.house import house


def test_events_of_a_kernel_are_heard_as_they_happen(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> bytes:
        async with house() as found:
            monkeypatch.setenv("AIOS_TOKEN", found.kernel.token)
            stream = heard(found.url, "/api/events")
            first = asyncio.ensure_future(anext(stream))
            number = 0
            async with asyncio.timeout(10):
                while not first.done():  # It is not told when the stream begins.
                    await found.kernel.call(found.kernel.token, Spawn(name=f"child {number}"))
                    number += 1
                    await asyncio.sleep(0)
            await stream.aclose()
            return first.result()

    assert b'"spawned"' in asyncio.run(main())


def test_a_kernel_that_is_not_there_is_told_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        await anext(heard("http://127.0.0.1:1", "/api/events"))

    monkeypatch.setenv("AIOS_TOKEN", "x")
    with pytest.raises(ShuttingDown, match="no kernel"):
        asyncio.run(main())


def test_a_kind_that_there_is_not_is_told_at_once_and_waited_for_by_nobody() -> None:
    with pytest.raises(typer.BadParameter, match=r"spawned, .* did you mean state"):
        events(kind=["spawned", "stat"])


def test_a_shell_is_offered_the_kinds_of_events() -> None:
    assert kinds("tool") == ["tool_started", "tool_ended"]
