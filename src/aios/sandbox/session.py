"""A sandboxed Python that lives over several runs and keeps its variables. One agent's, never two.

It ends with a run that passes its time or bounds, when the program leaves, when it was idle for too
long, and when it is closed; then everything in it is gone, and `run` says so.
"""

import asyncio
from typing import Any

from aios.errors import DeadlineExceeded, Denied, WrongState
from aios.sandbox.base import Outcome
from aios.sandbox.link import Link
from aios.sandbox.orders import source_blob
from aios.sandbox.outcomes import outcome, refusal
from aios.sandbox.wire import Frame

OPEN_S = 60.0  # to be ready, where many wait for their turn


class Session:
    """One interpreter. Made by `LaunchedSandbox.session`."""

    def __init__(self, link: Link, header: dict[str, Any], tier: str) -> None:
        self._link = link
        self._number: int = header["id"]
        self._wall_s: float = header["bounds_wall_s"]
        self._tier = tier
        self._opened = asyncio.Event()
        self._turn = asyncio.Lock()
        self._over = ""  # why there is no more of it
        self._gone = asyncio.Event()

    @classmethod
    async def open(
        cls, link: Link, header: dict[str, Any], blobs: list[bytes], tier: str
    ) -> "Session":
        """Start it. Raises `Busy` where too many wait, `DeadlineExceeded` after `OPEN_S`."""
        session = cls(link, header, tier)
        link.hear(session._number, session._hear)
        refused = link.ask(header, blobs)
        opened = asyncio.ensure_future(session._opened.wait())
        try:
            await asyncio.wait(
                (opened, asyncio.shield(refused)),
                timeout=OPEN_S,
                return_when=asyncio.FIRST_COMPLETED,
            )
            if refused.done():
                raise refusal(refused.result().header)
            if session._over:
                raise Denied(f"no session here: {session._over}")
            if not opened.done():
                session._end("it did not start")
                raise DeadlineExceeded(f"no sandbox was ready within {OPEN_S:g} s")
        except asyncio.CancelledError:
            session._end("cancelled")
            raise
        finally:
            opened.cancel()
            link.forget(session._number)
        return session

    @property
    def is_over(self) -> bool:
        """Whether the interpreter and its variables are gone."""
        return bool(self._over) or self._link.is_lost

    async def run(self, code: str, wall_s: float | None = None) -> Outcome:
        """Run code in the session's variables; the value of a last expression is shown.

        An outcome other than `exited` with 0 or 1 ended the session; so did a program that left,
        which `is_over` tells. Raises `WrongState` once it is over. One run at a time, in order.
        """
        async with self._turn:
            if self.is_over:
                raise WrongState(f"this session is over: {self._over or 'its launcher died'}")
            return await self._say(code, min(wall_s or self._wall_s, self._wall_s))

    async def wait_over(self) -> None:
        """Wait until the interpreter and all it started are gone."""
        await self._gone.wait()

    async def close(self) -> None:
        """End the interpreter and all it started; when this returns, nothing is left."""
        if self.is_over:
            return
        self._end("closed")
        async with asyncio.timeout(OPEN_S):
            await self._gone.wait()

    async def _say(self, code: str, wall_s: float) -> Outcome:
        header = {
            "do": "say",
            "id": self._link.number(),
            "session": self._number,
            "wall_s": wall_s,
        }
        answer = self._link.ask(header, [source_blob(code)])
        try:
            frame = await asyncio.shield(answer)
        except asyncio.CancelledError:
            await self.close()  # Nobody could tell what a half-run program left in its variables.
            raise
        if frame.header["re"] == "over":
            self._over = self._over or "it was idle for too long"
            raise WrongState(f"this session is over: {self._over}")
        return outcome(frame, self._tier)

    def _hear(self, frame: Frame) -> None:
        self._opened.set()  # One way or the other.
        if not frame.header.get("over"):
            return
        self._over = self._over or _why(frame.header)
        self._link.hear(self._number, None)
        self._gone.set()

    def _end(self, why: str) -> None:
        self._over = self._over or why
        self._link.tell({"do": "kill", "id": self._number})


def _why(header: dict[str, Any]) -> str:
    if header["re"] == "lost":
        return "its launcher died"
    if header["ended"] == "refused":
        return "its sandbox did not start"
    if header["id"] == 0:
        return "it was idle for too long"
    if header["ended"] == "exited":
        return f"its program left with {header['code']}"
    return {"timeout": "a run took too long", "memory": "it took too much memory"}.get(
        header["ended"], f"it ended by signal {header['code']}"
    )
