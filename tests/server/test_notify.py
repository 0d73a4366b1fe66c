"""What a service manager is told, over a socket as systemd's."""

import asyncio
import os
import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from aios.server.notify import Notifier

PATIENCE_S = 30.0


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[tuple[str, socket.socket]]:
    address = str(tmp_path / "notify")
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as heard:
        heard.bind(address)
        heard.settimeout(PATIENCE_S)
        yield address, heard


def test_a_manager_is_told_of_readiness_reload_and_stop(
    manager: tuple[str, socket.socket],
) -> None:
    address, heard = manager
    notifier = Notifier({"NOTIFY_SOCKET": address})
    notifier.ready("ready at http://127.0.0.1:1")
    notifier.reloading()
    notifier.stopping()
    assert heard.recv(1_000) == b"READY=1\nSTATUS=ready at http://127.0.0.1:1"
    assert heard.recv(1_000).startswith(b"RELOADING=1\nMONOTONIC_USEC=")
    assert heard.recv(1_000) == b"STOPPING=1"


def test_a_watchdog_is_fed_for_as_long_as_the_loop_turns(
    manager: tuple[str, socket.socket],
) -> None:
    address, heard = manager
    told = {"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "20000", "WATCHDOG_PID": str(os.getpid())}

    async def main() -> None:
        watch = asyncio.ensure_future(Notifier(told).watch())
        for _ in range(3):
            assert await asyncio.to_thread(heard.recv, 1_000) == b"WATCHDOG=1"
        watch.cancel()

    asyncio.run(main())


@pytest.mark.parametrize(
    "told",
    [{}, {"NOTIFY_SOCKET": "/nowhere/at/all"}, {"NOTIFY_SOCKET": "@nobody-listens-here"}],
    ids=["none", "no such file", "nobody"],
)
def test_where_no_manager_listens_nothing_is_wrong(told: dict[str, str]) -> None:
    notifier = Notifier(told)
    notifier.ready("ready")
    asyncio.run(notifier.watch())


def test_the_watchdog_of_another_process_is_not_ours(manager: tuple[str, socket.socket]) -> None:
    address, heard = manager
    told = {"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "20000", "WATCHDOG_PID": "1"}
    asyncio.run(Notifier(told).watch())
    heard.setblocking(False)
    with pytest.raises(BlockingIOError):
        heard.recv(1_000)
