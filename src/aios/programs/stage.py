"""The kernel's end of programs: has them started, hears what becomes of each. Knows no agent."""

import asyncio
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aios.errors import OutcomeUnknown, ShuttingDown
from aios.sandbox.wire import Channel, Frame

CLOSE_S = 10.0  # for the launcher to end everything and itself
# The launcher must not load the package's own front doors, only the modules it is made of.
_BOOT = """
import sys, types
for name in ("aios", "aios.sandbox", "aios.programs"):
    package = sys.modules[name] = types.ModuleType(name)
    package.__path__ = [sys.argv[2] + name.removeprefix("aios").replace(".", "/")]
from aios.programs.launcher import main
sys.exit(main(int(sys.argv[1])))
"""
_PACKAGE = str(Path(__file__).parent.parent)


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A program to be started, and where its log lies."""

    argv: Sequence[str]
    folder: str
    environment: Mapping[str, str]
    log: Path
    takes_input: bool = False


class Running:
    """A program and its keeper. Orders never wait; `ended` does."""

    def __init__(self, connection: socket.socket, is_over: Callable[["Running"], None]) -> None:
        self._leave = is_over
        self._loop = asyncio.get_running_loop()
        self._channel = Channel(connection)
        self._end: asyncio.Future[int] = self._loop.create_future()
        self._end.add_done_callback(lambda done: done.cancelled() or done.exception())  # Seen.
        self._news: asyncio.Future[None] | None = None
        self._fed: dict[int, asyncio.Future[bool]] = {}
        self._last = 0
        self._feeding = asyncio.Lock()
        self._loop.add_reader(self._channel.fileno(), self._hear)

    @property
    def is_over(self) -> bool:
        return self._end.done()

    async def ended(self) -> int:
        """The exit status, beyond 128 a signal's, once no process of it is left."""
        return await asyncio.shield(self._end)

    def pause(self) -> None:
        self._tell({"do": "pause"})

    def resume(self) -> None:
        self._tell({"do": "resume"})

    def kill(self) -> None:
        """Have it end, within half a second; `ended` tells when it has."""
        self._tell({"do": "kill"})

    async def feed(self, data: bytes, *, is_last: bool) -> bool:
        """Give it input; whether it takes more. Waits until it has taken this."""
        async with self._feeding:
            if self.is_over:
                return False
            self._last += 1
            taken: asyncio.Future[bool] = self._loop.create_future()
            self._fed[self._last] = taken
            self._tell({"do": "feed", "id": self._last, "last": is_last}, [data])
            return await taken

    async def grown(self, beyond: int) -> None:
        """Wait until its log is longer, or it has ended."""
        if self.is_over:
            return
        if self._news is None:
            self._news = self._loop.create_future()
        news = self._news
        self._tell({"do": "watch", "at": beyond})
        await asyncio.shield(news)

    def start(self, order: Order) -> None:
        header = {
            "do": "start",
            "argv": list(order.argv),
            "folder": order.folder,
            "environment": dict(order.environment),
            "log": str(order.log),
            "takes_input": order.takes_input,
        }
        self._tell(header)

    def _tell(self, header: dict[str, Any], blobs: Sequence[bytes] = ()) -> None:
        if self.is_over:
            return
        with suppress(OSError):  # Its end is heard by the reader.
            self._channel.send(header, blobs)
        if self._channel.has_unsent:
            self._loop.add_writer(self._channel.fileno(), self._flush)

    def _flush(self) -> None:
        with suppress(OSError):
            self._channel.flush()
        if not self._channel.has_unsent:
            self._loop.remove_writer(self._channel.fileno())

    def _hear(self) -> None:
        frames = self._channel.receive()
        for frame in frames or ():
            self._heard(frame)
        if frames is None and not self.is_over:
            self._end.set_exception(OutcomeUnknown("the program's keeper died; it was ended"))
            self._over()

    def _heard(self, frame: Frame) -> None:
        header = frame.header
        if header["re"] == "ended" and not self.is_over:
            self._end.set_result(header["code"])
            self._over()
        elif header["re"] == "wrote":
            self._tell_readers()
        elif header["re"] == "fed" and header["id"] in self._fed:
            self._taken(header["id"], is_open=header["is_open"])

    def abandon(self) -> None:
        """Let go of its keeper, which ends it at once."""
        if not self.is_over:
            self._end.set_exception(ShuttingDown("programs end with their kernel"))
            self._over()

    def _over(self) -> None:
        self._leave(self)
        self._tell_readers()
        for id in list(self._fed):
            self._taken(id, is_open=False)
        self._loop.remove_reader(self._channel.fileno())
        self._loop.remove_writer(self._channel.fileno())
        self._channel.close()

    def _tell_readers(self) -> None:
        news, self._news = self._news, None
        if news is not None and not news.done():
            news.set_result(None)

    def _taken(self, id: int, *, is_open: bool) -> None:
        waiting = self._fed.pop(id)
        if not waiting.done():
            waiting.set_result(is_open)


class Stage:
    """Starts programs. The launcher is there from the first one on; `close` ends them all."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._channel: Channel | None = None
        self._running: set[Running] = set()

    def start(self, order: Order) -> Running:
        """Have it started; its beginning, or that there was none, is in its log and its status."""
        try:
            connection = self._to_keeper()
        except OSError:  # The launcher has died just now.
            self._dismiss()
            connection = self._to_keeper()
        running = Running(connection, self._running.discard)
        self._running.add(running)
        running.start(order)
        return running

    async def close(self) -> None:
        """When this returns, no process of any program is left."""
        process, self._process = self._process, None
        if process is None:
            return
        self._let_go()
        for running in list(self._running):
            running.abandon()
        try:
            await asyncio.to_thread(process.wait, CLOSE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            await asyncio.to_thread(process.wait)

    def _to_keeper(self) -> socket.socket:
        """A connection to a keeper of its own."""
        channel = self._launcher()
        ours, theirs = socket.socketpair()
        try:
            channel.send({"do": "keep"}, (), [theirs.detach()])
        except OSError:
            ours.close()
            raise
        if channel.has_unsent:  # Many are started at once.
            asyncio.get_running_loop().add_writer(channel.fileno(), self._flush, channel)
        return ours

    def _flush(self, channel: Channel) -> None:
        try:
            channel.flush()
        except OSError:
            self._dismiss()
            return
        if not channel.has_unsent:
            asyncio.get_running_loop().remove_writer(channel.fileno())

    def _launcher(self) -> Channel:
        """The living launcher's channel."""
        if self._process is not None and self._process.poll() is not None:
            self._dismiss()
        if self._process is None or self._channel is None:
            self._process, self._channel = _started()
        return self._channel

    def _dismiss(self) -> None:
        """The launcher is dead or dying: the next program has another."""
        process, self._process = self._process, None
        self._let_go()
        if process is not None:
            process.kill()
            process.wait()

    def _let_go(self) -> None:
        channel, self._channel = self._channel, None
        if channel is not None:
            asyncio.get_running_loop().remove_writer(channel.fileno())
            channel.close()


@asynccontextmanager
async def opened_stage() -> AsyncIterator[Stage]:
    """A stage for the length of a block."""
    stage = Stage()
    try:
        yield stage
    finally:
        await stage.close()


def _started() -> tuple[subprocess.Popen[bytes], Channel]:
    """Spawn the launcher; never a fork of this process's memory."""
    ours, theirs = socket.socketpair()
    program = sys._base_executable  # type: ignore[attr-defined]
    with theirs:
        process = subprocess.Popen(
            [program, "-I", "-S", "-c", _BOOT, str(theirs.fileno()), _PACKAGE],
            pass_fds=(theirs.fileno(),),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            env={},
            start_new_session=True,  # ctrl-C is the kernel's to handle
        )
    return process, Channel(ours)
