"""A sandboxed program that goes on until it is ended, and is talked to over its stdin and stdout.

Both are one socket, handed over by the sandbox itself, so that no byte passes the launcher.
"""

import asyncio
import os
import socket
from contextlib import AsyncExitStack
from typing import Any

from aios.errors import DeadlineExceeded
from aios.sandbox.base import Outcome
from aios.sandbox.link import Link
from aios.sandbox.outcomes import outcome, refusal
from aios.sandbox.wire import Frame

START_S = 60.0  # to begin, where many wait for their turn
GRACE_S = 0.5  # to leave by itself, now that its stdin has ended
END_S = 10.0  # for its tree to be gone


class Started:
    """Implements `Service`. Made by `LaunchedSandbox.serve`."""

    def __init__(self, link: Link, number: int, tier: str, way_out: AsyncExitStack) -> None:
        self._link = link
        self._number = number
        self._tier = tier
        self._way_out = way_out
        self._connection: socket.socket | None = None
        self._talks = asyncio.Event()
        self._answer: asyncio.Future[Frame]

    @property
    def connection(self) -> socket.socket:
        assert self._connection is not None, "it has begun"
        return self._connection

    @property
    def tier(self) -> str:
        return self._tier

    def heard(self, frame: Frame) -> None:
        """The program's end of the talk has come."""
        if frame.header["re"] == "talks" and frame.fds and self._connection is None:
            self._connection = socket.socket(fileno=frame.fds[0])
            self._connection.setblocking(False)
            self._talks.set()
            return
        for fd in frame.fds:
            os.close(fd)

    async def begin(self, header: dict[str, Any], blobs: list[bytes]) -> None:
        """Start it. Raises `Busy`, `Denied`, `DeadlineExceeded`."""
        self._answer = self._link.ask(header, blobs)
        talks = asyncio.ensure_future(self._talks.wait())
        try:
            await asyncio.wait(
                (talks, asyncio.shield(self._answer)),
                timeout=START_S,
                return_when=asyncio.FIRST_COMPLETED,
            )
            if self._connection is not None:
                return
            if self._answer.done():
                frame = self._answer.result()
                raise refusal(frame.header | {"why": _last_words(frame)})
            raise DeadlineExceeded(f"no sandbox was ready within {START_S:g} s")
        finally:
            talks.cancel()

    async def end(self) -> Outcome:
        """End its whole tree, if it has not ended by itself; how it went."""
        if self._connection is not None:
            self._connection.close()
        await asyncio.wait({self._answer}, timeout=GRACE_S)
        if not self._answer.done():
            self._link.tell({"do": "kill", "id": self._number})
        try:
            async with asyncio.timeout(END_S):
                frame = await asyncio.shield(self._answer)
        except TimeoutError:
            raise DeadlineExceeded(f"it was not gone within {END_S:g} s") from None
        finally:
            self._link.forget(self._number)
            await self._way_out.aclose()
        return outcome(
            frame._replace(header=frame.header | {"ended": _known(frame.header["ended"])}),
            self._tier,
        )


def _known(ended: str) -> str:
    """To be ended when it is asked for is how a service ends."""
    return "exited" if ended == "cancelled" else ended


def _last_words(frame: Frame) -> str:
    told = b"".join(frame.blobs[1:2]).decode(errors="replace").strip()
    return str(frame.header.get("why") or told or "it ended at once")
