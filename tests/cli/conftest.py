"""A kernel that commands can be pointed at: served on another thread's loop."""

import asyncio
import threading
from collections.abc import Iterator

import pytest

from tests.server.house import House, house

FIELDS = [("AIOS_TOKEN", None), ("AIOS_TOKEN_FILE", None), ("XDG_RUNTIME_DIR", "/nix")]


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    """A server on another thread's loop, and no traces of any other."""
    for name, value in FIELDS:
        monkeypatch.delenv(name, raising=False)
        if value:
            monkeypatch.setenv(name, value)
    opened: list[House] = []
    is_open = threading.Event()
    stop = asyncio.Event()
    loops: list[asyncio.AbstractEventLoop] = []

    async def main() -> None:
        async with house() as found:
            opened.append(found)
            loops.append(asyncio.get_running_loop())
            is_open.set()
            await stop.wait()

    thread = threading.Thread(target=asyncio.run, args=(main(),))
    thread.start()
    assert is_open.wait(10)
    yield opened[0]
    loops[0].call_soon_threadsafe(stop.set)
    thread.join(10)


@pytest.fixture
def first(home: House, monkeypatch: pytest.MonkeyPatch) -> House:
    """The same, and commands speak as its first process."""
    monkeypatch.setenv("AIOS_TOKEN", home.kernel.token)
    return home
