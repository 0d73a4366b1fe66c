"""One engine process as the kernel holds it: its pipe, its last words, its end. Restarts nothing.

Everything here happens in callbacks of the event loop, so an answer arrives and a death is noticed
whoever waits for what. Where nobody takes the events, the pipe is left unread and the engine waits.
"""

import asyncio
import os
import signal
import socket
import sys
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, cast

import msgspec

from aios.cores import frames
from aios.cores.base import CoreEvent, Traits
from aios.errors import AiosError, Busy, CoreFailed, error_from

BATCHES_MAX = 64  # events not taken yet before the pipe is left unread
UNSENT_BYTES_MAX = 32 << 20
TAIL_BYTES = 8 << 10  # of what the process printed last
TOLD_CHARS = 400
DYING_S = 2.0  # for a process that closed its pipe to say why, and to exit
LINGER_S = 0.5  # between the end of the process and that of a pipe some grandchild holds
REAP_S = 10.0  # a killed process that is still there then hangs in the system, not in itself


class Link(asyncio.Protocol):
    """A running engine process, from its start to its end."""

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        self.hello: asyncio.Future[Traits] = loop.create_future()
        self.news = asyncio.Event()  # set when there are events to take, or the process is lost
        self._pinged_at: float | None = None  # and nothing heard since
        self.is_lost = False
        self.fault = ""  # why we ended it, if we did
        self._watch = _Watch(self._exited)
        self._splitter = frames.Splitter()
        self._batches: deque[tuple[CoreEvent, ...]] = deque()
        self._asked: dict[int, asyncio.Future[Any]] = {}
        self._pipe: asyncio.Transport | None = None
        self._process: asyncio.SubprocessTransport | None = None
        self._on: dict[type[frames.Answer], Callable[[Any], None]] = {
            frames.Hello: lambda answer: self._greeted(answer.traits, None),
            frames.Refused: lambda answer: self._greeted(
                None, error_from(answer.code, answer.message)
            ),
            frames.Prepared: lambda answer: self._answered(answer.ticket, answer.token_ids, None),
            frames.Embedded: lambda answer: self._answered(answer.ticket, answer.vector, None),
            frames.AskFailed: lambda answer: self._answered(
                answer.ticket, None, error_from(answer.code, answer.message)
            ),
            frames.Events: self._told,
            frames.Pong: lambda answer: None,
        }

    @classmethod
    async def open(cls, spec: frames.EngineSpec, start_s: float) -> "Link":
        """Start a process and wait until it serves. Raises why it does not."""
        link = cls()
        try:
            async with asyncio.timeout(start_s):
                await link._spawn(spec)
                await link.hello
        except (OSError, _Lost) as problem:
            if isinstance(problem, TimeoutError):
                link.fault = f"the engine was not ready within {start_s:g} s"
            elif isinstance(problem, OSError):
                link.fault = f"the engine cannot be started: {problem}"
            raise CoreFailed(await link.end(0.0)) from None
        except BaseException:
            await link.end(0.0)
            raise
        return link

    @property
    def pid(self) -> int:
        """The process's number."""
        pid = self._process.get_pid() if self._process else None
        return pid or 0

    @property
    def unsent_bytes(self) -> int:
        """Orders that the process has not taken."""
        return self._pipe.get_write_buffer_size() if self._pipe else 0

    @property
    def untaken_batches(self) -> int:
        """Events that nobody took yet; the engine waits where there are too many."""
        return len(self._batches)

    @property
    def tail(self) -> str:
        """What the process printed last."""
        return self._watch.tail.decode(errors="replace")

    def send(self, order: frames.Order, *, may_refuse: bool = True) -> None:
        """Write an order; one for a lost process is discarded.

        Raises `Busy` where too many wait, unless it must not be refused.
        """
        data = frames.frame(order)
        if self.is_lost or self._pipe is None:
            return
        waiting = self.unsent_bytes
        if may_refuse and waiting and waiting + len(data) > UNSENT_BYTES_MAX:
            raise Busy(f"{waiting} bytes of orders wait for the engine", retry_after_s=1.0)
        self._pipe.write(data)

    def expect(self, ticket: int) -> asyncio.Future[Any]:
        """What is answered to that ticket, or None: there will be no answer."""
        asked: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        if self.is_lost:
            asked.set_result(None)
            return asked
        self._asked[ticket] = asked
        asked.add_done_callback(lambda _: self._asked.pop(ticket, None))
        return asked

    def dismiss(self) -> None:
        """Let nobody wait for an answer any more."""
        for asked in list(self._asked.values()):
            if not asked.done():
                asked.set_result(None)

    def take(self) -> Sequence[CoreEvent]:
        """The oldest batch of events, or nothing."""
        if not self._batches:
            return ()
        batch = self._batches.popleft()
        if len(self._batches) < BATCHES_MAX and self._pipe and not self.is_lost:
            self._pipe.resume_reading()
        return batch

    def check(self, silent_s: float) -> None:
        """Ask for a sign of life; lose a process that gave none for so long after it was asked."""
        now = asyncio.get_running_loop().time()
        if self._pinged_at is None:
            self._pinged_at = now
            self.send(frames.Ping(), may_refuse=False)
        elif now - self._pinged_at >= silent_s:
            self._give_up(f"the engine gave no sign of life for {silent_s:g} s")

    async def end(self, grace_s: float) -> str:
        """Ask the process to exit, then make it; returns why it ended and what it said last."""
        self.send(frames.Shutdown(), may_refuse=False)
        is_dying = self.is_lost and not self.fault
        grace_s = max(grace_s, DYING_S) if is_dying else grace_s
        if self._process is not None and not await self._watch.wait_end(grace_s):
            self.fault = self.fault or "the engine did not exit by itself"
            with suppress(ProcessLookupError):
                # Not the transport's kill: that may reap the process before asyncio's own watcher.
                os.kill(self.pid, signal.SIGKILL)
            await self._watch.wait_end(REAP_S)
        for transport in (self._pipe, self._process):
            if transport is not None:
                transport.close()
        self._lose()
        return self._reason()

    # What the event loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # Not asserted: another event loop's transport is no subclass of asyncio's.
        self._pipe = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._pinged_at = None
        try:
            for body in self._splitter.feed(data):
                answer = frames.answer_in(body)
                self._on[type(answer)](answer)
        except AiosError as problem:
            self._give_up(f"the engine broke the protocol: {problem}")

    def connection_lost(self, problem: Exception | None) -> None:
        self._lose()

    # What its callbacks do.

    async def _spawn(self, spec: frames.EngineSpec) -> None:
        ours, theirs = socket.socketpair()
        loop = asyncio.get_running_loop()
        with theirs:
            ours.setblocking(False)
            await loop.create_connection(lambda: self, sock=ours)
            child = (str(theirs.fileno()), msgspec.json.encode(spec).decode())
            self._process, _ = await loop.subprocess_exec(
                lambda: self._watch,
                *(sys.executable, "-P", "-m", "aios.cores.child", *child),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
                pass_fds=(theirs.fileno(),),
                start_new_session=True,
            )

    def _greeted(self, traits: Traits | None, problem: AiosError | None) -> None:
        if self.hello.done():
            raise CoreFailed("it greeted twice")
        if traits is not None:
            self.hello.set_result(traits)
        elif problem is not None:
            self.hello.set_exception(problem)

    def _answered(self, ticket: int, found: Any, problem: AiosError | None) -> None:
        asked = self._asked.get(ticket)
        if asked is None or asked.done():
            return  # Whoever asked has gone.
        if problem is None:
            asked.set_result(found)
        else:
            asked.set_exception(problem)

    def _told(self, answer: frames.Events) -> None:
        self._batches.append(answer.events)
        self.news.set()
        if len(self._batches) >= BATCHES_MAX and self._pipe:
            self._pipe.pause_reading()

    def _exited(self) -> None:
        asyncio.get_running_loop().call_later(LINGER_S, self._lose)

    def _give_up(self, fault: str) -> None:
        self.fault = fault
        self._lose()
        if self._pipe is not None:
            self._pipe.abort()

    def _lose(self) -> None:
        if self.is_lost:
            return
        self.is_lost = True
        if not self.hello.done():
            self.hello.set_exception(_Lost())
            self.hello.exception()  # Seen, also where nobody waits for it.
        self.dismiss()
        self.news.set()

    def _reason(self) -> str:
        said = self.tail.strip()[-TOLD_CHARS:]
        why = self.fault or f"the engine {_ending(self._process)}"
        return f"{why}; it said last: {said}" if said else why


class _Lost(Exception):
    """The process ended before it said anything."""


class _Watch(asyncio.SubprocessProtocol):
    """Reads what the process prints, so that it never waits for that, and notices its exit."""

    def __init__(self, exited: Callable[[], None]) -> None:
        self.tail = b""
        self._tell = exited
        self._exit = asyncio.Event()
        self._end = asyncio.Event()  # what it printed is all here

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        self.tail = (self.tail + data)[-TAIL_BYTES:]

    def process_exited(self) -> None:
        self._exit.set()
        self._tell()

    def connection_lost(self, problem: Exception | None) -> None:
        self._end.set()

    async def wait_end(self, limit_s: float) -> bool:
        """Whether the process exits within that time; then waits a little for its last words."""
        if not await _set_within(self._exit, limit_s):
            return False
        await _set_within(self._end, LINGER_S)
        return True


async def _set_within(event: asyncio.Event, limit_s: float) -> bool:
    try:
        async with asyncio.timeout(limit_s):
            await event.wait()
    except TimeoutError:
        return event.is_set()
    return True


def _ending(process: asyncio.SubprocessTransport | None) -> str:
    code = process.get_returncode() if process else None
    if code is None:
        return "did not start"
    if code >= 0:
        return f"exited with code {code}"
    return f"was killed by {signal.Signals(-code).name}"
