"""What the daemon tells the service manager that started it: systemd's sd_notify protocol.

A datagram of lines to the socket that NOTIFY_SOCKET names; where none is named, nothing is sent.
Source: the manual page sd_notify(3).
"""

import asyncio
import os
import socket
import time
from collections.abc import Mapping

READY = "READY=1"
STOPPING = "STOPPING=1"
ALIVE = "WATCHDOG=1"


class Notifier:
    """One per daemon. A manager that does not listen is nobody's error."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        self._address = environment.get("NOTIFY_SOCKET", "")
        told = environment.get("WATCHDOG_USEC", "")
        is_ours = environment.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        self._watchdog_s = int(told) / 1e6 if told.isdigit() and is_ours else 0.0

    def ready(self, status: str) -> None:
        """The service is up, for the first time or after a reload."""
        self._send(READY, f"STATUS={status}")

    def reloading(self) -> None:
        """Until `ready` is told again."""
        at = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1_000
        self._send("RELOADING=1", f"MONOTONIC_USEC={at}")

    def stopping(self) -> None:
        self._send(STOPPING)

    async def watch(self) -> None:
        """Tell, for as long as the event loop turns, that it turns: twice in each period asked."""
        while self._address and self._watchdog_s:
            self._send(ALIVE)
            await asyncio.sleep(self._watchdog_s / 2)

    def _send(self, *lines: str) -> None:
        if not self._address:
            return
        address = f"\0{self._address[1:]}" if self._address[0] == "@" else self._address
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as out:
            try:
                out.sendto("\n".join(lines).encode(), address)
            except OSError:
                return
