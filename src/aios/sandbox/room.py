"""The sandbox that the kernel uses: jobs and sessions, side by side, by the tier that holds.

A launcher that dies takes its jobs along, and the next job starts another, with the same tier.
"""

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Protocol

import msgspec

from aios.errors import Denied, ShuttingDown
from aios.sandbox.base import Bounds, Egress, Job, Outcome, Tier, Whose
from aios.sandbox.collect import Caps, Collected, collect
from aios.sandbox.launched import DEFAULT, Found, Launched, Settings, launch
from aios.sandbox.link import Link
from aios.sandbox.orders import order, session_order
from aios.sandbox.outcomes import NOTHING, outcome, refusal
from aios.sandbox.service import Started
from aios.sandbox.session import Session
from aios.sandbox.wire import Frame

BOUNDS, NOBODY = Bounds(), Whose()
SETTINGS = Settings()
KILLED_S = 5.0  # for a cancelled job's tree to be gone
PROXY = "http://job:{token}@127.0.0.1:3128"
PROXY_NAMES = ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY")


class Exits(Protocol):
    """The guarded way out: who serves the sandboxes' listening sockets and knows their tokens."""

    def admit(self, job: str, egress: Egress, whose: Whose = ...) -> str: ...

    async def listen(self, listener: socket.socket, token: str) -> object: ...

    async def dismiss(self, token: str) -> None:
        """The job's connections are cut, and its sockets served no more."""
        ...


class LaunchedSandbox:
    """Implements `Sandbox`. Made by `open_sandbox`."""

    def __init__(self, launched: Launched, settings: Settings, exits: Exits | None) -> None:
        self._launched = launched
        self._in_force = launched.in_force
        self._settings = settings
        self._exits = exits
        self._restarting = asyncio.Lock()
        self._is_closed = False

    @property
    def tier(self) -> Tier:
        return self._in_force.tier

    @property
    def found(self) -> tuple[Found, ...]:
        """Every tier that was tried, in order."""
        return self._launched.found

    @property
    def place(self) -> Path:
        """The launcher's folder."""
        return self._launched.place

    @property
    def launcher_pid(self) -> int:
        return self._launched.link.pid

    async def run(self, job: Job) -> Outcome:
        """See `Sandbox`. The time of `wall_s` begins with the program, not with its sandbox."""
        link = await self._link()
        number = link.number()
        if job.egress is None:
            return await self._run(link, number, job)
        async with self._way_out(link, number, job) as environment:
            proxied = msgspec.structs.replace(job, environment={**environment, **job.environment})
            return await self._run(link, number, proxied)

    async def session(
        self, bounds: Bounds = BOUNDS, idle_s: float = 600.0, whose: Whose = NOBODY
    ) -> Session:
        """A sandboxed Python whose variables stay from one run to the next.

        `bounds.wall_s` is each run's, every other bound is the session's as a whole. It ends with
        a run that passes its time, and when it has been idle for `idle_s`.
        """
        link = await self._link()
        number = link.number()
        header, blobs = session_order(number, bounds, idle_s, whose)
        return await Session.open(link, header, blobs, self._in_force.name)

    async def serve(self, job: Job) -> Started:
        """Start a program that goes on until it is ended; see `Host`."""
        link = await self._link()
        number = link.number()
        way_out = AsyncExitStack()
        service = Started(link, number, self._in_force.name, way_out)
        try:
            if job.egress is None:
                link.hear(number, service.heard)
                way_out.callback(link.hear, number, None)
            else:
                leads = self._way_out(link, number, job, service.heard)
                environment = await way_out.enter_async_context(leads)
                job = msgspec.structs.replace(job, environment={**environment, **job.environment})
            header, blobs = order(number, job)
            await service.begin(header | {"talk": True}, blobs)
        except BaseException:
            link.tell({"do": "kill", "id": number})
            await way_out.aclose()
            raise
        return service

    async def close(self) -> None:
        self._is_closed = True
        await self._launched.close()

    async def _link(self) -> Link:
        """The living launcher's."""
        async with self._restarting:
            if self._is_closed:
                raise ShuttingDown("the sandboxes are closed")
            if self._launched.link.is_lost:
                await self._launched.close()
                self._launched = await launch((self._in_force.name,), self._settings)
                self._in_force = self._launched.in_force
            return self._launched.link

    async def _run(self, link: Link, number: int, job: Job) -> Outcome:
        header, blobs = order(number, job)
        answer = link.ask(header, blobs)
        try:
            frame = await asyncio.shield(answer)
        except asyncio.CancelledError:
            await _kill(link, number, answer)
            raise
        if frame.header["re"] != "ended":
            raise refusal(frame.header)
        brought = await self._collected(link, frame, job)
        return outcome(frame, self._in_force.name, brought)

    async def _collected(self, link: Link, frame: Frame, job: Job) -> Collected:
        """The files that were asked for. Everybody who could change them is gone."""
        if not frame.fds:
            return NOTHING
        folder = frame.fds[0]
        reading = asyncio.ensure_future(
            asyncio.to_thread(collect, folder, job.collect, Caps.of(job.bounds))
        )
        try:
            return await asyncio.shield(reading)
        finally:
            await asyncio.wait({reading})
            # Who lets go of it last clears it, however wide it is.
            await asyncio.to_thread(os.close, folder)
            link.tell({"do": "read", "id": frame.header["id"]})

    @asynccontextmanager
    async def _way_out(
        self,
        link: Link,
        number: int,
        job: Job,
        beside: Callable[[Frame], None] = lambda frame: None,
    ) -> AsyncIterator[dict[str, str]]:
        """The job's token at the proxy, and the variables that lead its program there."""
        exits = self._exits
        if exits is None or not self._in_force.has_own_network:
            raise Denied(f"the tier {self._in_force.name} has no guarded way out here")
        assert job.egress is not None
        token = exits.admit(str(number), job.egress, job.whose)
        serving: list[asyncio.Task[object]] = []

        def listens(frame: Frame) -> None:
            if frame.header["re"] != "listens" or not frame.fds:
                beside(frame)
                return
            listener = socket.socket(fileno=frame.fds[0])
            listener.setblocking(False)
            serving.append(asyncio.ensure_future(exits.listen(listener, token)))

        link.hear(number, listens)
        address = PROXY.format(token=token)
        try:
            yield dict.fromkeys(PROXY_NAMES, address)
        finally:
            link.hear(number, None)
            await asyncio.gather(*serving, return_exceptions=True)
            await exits.dismiss(token)


@asynccontextmanager
async def open_sandbox(
    tier: str = "", settings: Settings = SETTINGS, exits: Exits | None = None
) -> AsyncIterator[LaunchedSandbox]:
    """The strongest tier that holds here, or the one of that name; `Denied` where it does not.

    `tier="none"` runs programs as they are, with limits but without any confinement; that is never
    done unless it is asked for by this name.
    """
    launched = await launch((tier,) if tier else DEFAULT, settings)
    try:
        sandbox = LaunchedSandbox(launched, settings, exits)
    except Denied:
        await launched.close()
        raise
    try:
        yield sandbox
    finally:
        await sandbox.close()


async def _kill(link: Link, number: int, answer: "asyncio.Future[Frame]") -> None:
    """End the job, and wait until nothing of it is left."""
    link.tell({"do": "kill", "id": number})
    done, _ = await asyncio.wait({answer}, timeout=KILLED_S)
    for one in done:
        if not one.cancelled() and one.exception() is None:
            for fd in one.result().fds:
                os.close(fd)
