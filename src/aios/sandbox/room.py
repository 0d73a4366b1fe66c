"""The sandbox that the kernel uses: a launcher, the tier that holds here, and jobs side by side."""

import asyncio
import os
import shutil
import socket
import sys
import sysconfig
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Protocol

import msgspec

from aios.errors import AiosError, Busy, Denied, InvalidArgument
from aios.sandbox.base import Egress, Job, Outcome, Tier
from aios.sandbox.link import Link
from aios.sandbox.orders import order
from aios.sandbox.wire import Frame

DEFAULT = ("bubblewrap", "landlock", "seatbelt")  # the strongest first
KILLED_S = 5.0  # for a cancelled job's tree to be gone
PROXY = "http://job:{token}@127.0.0.1:3128"


class Exits(Protocol):
    """The guarded way out: who holds the sandboxes' listening sockets and their tokens."""

    def admit(self, job: str, egress: Egress) -> str: ...

    async def listen(self, listener: socket.socket) -> None: ...

    async def dismiss(self, token: str) -> None: ...


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """How many sandboxes there are at a time."""

    pool: int = 4  # started before anybody asks
    live: int = 16  # at work at once
    waiting: int = 256  # more jobs than these are told `Busy`
    disk_bytes: int = 64 << 20  # of a pooled one's workspace


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """What came of trying a tier."""

    name: str
    works: bool
    detail: str
    strength: int = 0
    unbounded: tuple[str, ...] = ()
    has_own_network: bool = False

    @property
    def tier(self) -> Tier:
        return Tier(
            name=self.name, strength=self.strength, unbounded=self.unbounded, detail=self.detail
        )


class LaunchedSandbox:
    """Implements `Sandbox`. Made by `open_sandbox`."""

    def __init__(self, link: Link, found: tuple[Found, ...], in_force: Found, exits: Exits | None):
        self.found = found  # every tier that was tried, in order
        self._link = link
        self._in_force = in_force
        self._exits = exits

    @property
    def tier(self) -> Tier:
        return self._in_force.tier

    @property
    def launcher_pid(self) -> int:
        return self._link.pid

    async def run(self, job: Job) -> Outcome:
        number = self._link.number()
        if job.egress is None:
            return await self._run(number, job)
        async with self._way_out(number, job.egress) as environment:
            proxied = msgspec.structs.replace(job, environment={**environment, **job.environment})
            return await self._run(number, proxied)

    async def close(self) -> None:
        await self._link.close()

    async def _run(self, number: int, job: Job) -> Outcome:
        header, blobs = order(number, job)
        answer = self._link.ask(header, blobs)
        try:
            frame = await asyncio.shield(answer)
        except asyncio.CancelledError:
            await self._kill(number, answer)
            raise
        return await self._outcome(frame, job)

    async def _kill(self, number: int, answer: "asyncio.Future[Frame]") -> None:
        """End the job, and wait until nothing of it is left."""
        self._link.tell({"do": "kill", "id": number})
        done, _ = await asyncio.wait({answer}, timeout=KILLED_S)
        for one in done:
            if not one.cancelled() and one.exception() is None:
                _close(one.result().fds)

    async def _outcome(self, frame: Frame, job: Job) -> Outcome:
        header = frame.header
        if header["re"] != "ended":
            raise _refusal(header)
        stdout, stderr = frame.blobs
        return Outcome(
            ended=header["ended"],
            code=header["code"],
            stdout=stdout,
            stderr=stderr,
            is_cut=header["is_cut"],
            tier=self._in_force.name,
            wall_s=header["wall_s"],
        )

    @asynccontextmanager
    async def _way_out(self, number: int, egress: Egress) -> AsyncIterator[dict[str, str]]:
        """The job's token at the proxy, and the variables that lead its program there."""
        if self._exits is None or not self._in_force.has_own_network:
            raise Denied(f"the tier {self._in_force.name} has no guarded way out here")
        exits = self._exits
        token = exits.admit(f"{number}", egress)
        listening: list[asyncio.Task[None]] = []

        def listens(frame: Frame) -> None:
            listener = socket.socket(fileno=frame.fds[0])
            listener.setblocking(False)
            listening.append(asyncio.ensure_future(exits.listen(listener)))

        self._link.hear(number, listens)
        address = PROXY.format(token=token)
        try:
            yield {name: address for name in _PROXY_NAMES}
        finally:
            self._link.hear(number, None)
            await exits.dismiss(token)
            await asyncio.gather(*listening, return_exceptions=True)


_PROXY_NAMES = ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY")


@asynccontextmanager
async def open_sandbox(
    tier: str = "", settings: Settings = Settings(), exits: Exits | None = None
) -> AsyncIterator[LaunchedSandbox]:
    """The strongest tier that holds here, or the one of that name; `Denied` where none does."""
    names = (tier,) if tier else DEFAULT
    async with _launched(names, settings, is_all=False) as (link, found):
        in_force = next((one for one in found if one.works), None)
        if in_force is None:
            raise Denied(f"no sandbox holds on this machine; {_told(found)}")
        sandbox = LaunchedSandbox(link, found, in_force, exits)
        yield sandbox


async def probe_all() -> tuple[Found, ...]:
    """What every tier says of this machine."""
    async with _launched(DEFAULT, Settings(pool=0), is_all=True) as (_, found):
        return found


@asynccontextmanager
async def _launched(
    names: tuple[str, ...], settings: Settings, *, is_all: bool
) -> AsyncIterator[tuple[Link, tuple[Found, ...]]]:
    """A launcher in a folder of its own, and what it found."""
    place = Path(tempfile.mkdtemp(prefix="aios-sandbox-"))
    place.chmod(0o711)  # Users of sandboxes go through it, and see nothing in it.
    link = Link.start()
    try:
        asked = {
            "do": "open",
            "id": 0,
            "tiers": list(names),
            "all": is_all,
            "place": str(place),
            "interpreter": _interpreter(),
            **msgspec.structs.asdict(settings),
        }
        frame = await link.ask(asked)
        yield link, msgspec.convert(frame.header["found"], tuple[Found, ...])
    finally:
        await link.close()
        with suppress(OSError):
            shutil.rmtree(place)


def _interpreter() -> dict[str, Any]:
    """The Python that runs here, which is the one that runs inside."""
    program = os.path.realpath(sys._base_executable)  # type: ignore[attr-defined]
    packages = sysconfig.get_path("purelib")
    return {
        "program": program,
        "folders": [sys.base_prefix, sys.prefix],
        "packages": [packages],
    }


def _refusal(header: dict[str, Any]) -> AiosError:
    if header["re"] == "busy":
        return Busy("as many jobs wait for a sandbox as may wait", retry_after_s=1.0)
    return InvalidArgument(f"no sandbox can be made for this job: {header['why']}")


def _told(found: tuple[Found, ...]) -> str:
    return "; ".join(f"{one.name}: {one.detail}" for one in found)


def _close(fds: list[int]) -> None:
    for fd in fds:
        os.close(fd)
