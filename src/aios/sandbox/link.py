"""The kernel's end of the launcher: starts it, asks it, hears its answers. Knows no job."""

import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from aios.errors import OutcomeUnknown, ShuttingDown
from aios.sandbox.wire import Channel, Frame

CLOSE_S = 10.0  # for the launcher to end everything and itself
_BESIDE = ("listens", "talks", "opened")  # what is no answer
# The launcher must not load the package's own front doors, only the two modules it is made of.
_BOOT = """
import sys, types
for name, place in (("aios", sys.argv[2]), ("aios.sandbox", sys.argv[2] + "/sandbox")):
    package = sys.modules[name] = types.ModuleType(name)
    package.__path__ = [place]
from aios.sandbox.launcher.main import main
sys.exit(main(int(sys.argv[1])))
"""
_PACKAGE = str(Path(__file__).parent.parent)


class Link:
    """One launcher process and the calls that wait for it."""

    def __init__(self, process: subprocess.Popen[bytes], connection: socket.socket) -> None:
        self._process = process
        self._channel = Channel(connection)
        self._waiting: dict[int, asyncio.Future[Frame]] = {}
        self._heard: dict[int, Callable[[Frame], None]] = {}  # what comes beside the answer
        self._last = 0
        self._is_closing = False
        self.is_lost = False
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._channel.fileno(), self._hear)

    @classmethod
    def start(cls) -> "Link":
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
        return cls(process, ours)

    @property
    def pid(self) -> int:
        return self._process.pid

    def number(self) -> int:
        """A new number for a call."""
        self._last += 1
        return self._last

    def tell(self, header: dict[str, Any], blobs: Sequence[bytes] = ()) -> None:
        """Say something that has no answer."""
        if self.is_lost:
            return
        with suppress(OSError):  # Its end is heard by the reader.
            self._channel.send(header, blobs)
        if self._channel.has_unsent:
            self._loop.add_writer(self._channel.fileno(), self._flush)

    def ask(self, header: dict[str, Any], blobs: Sequence[bytes] = ()) -> "asyncio.Future[Frame]":
        """Say something under its number; the answer is the frame that ends it."""
        if self.is_lost or self._is_closing:
            raise ShuttingDown("the launcher of sandboxes is gone")
        future: asyncio.Future[Frame] = self._loop.create_future()
        future.add_done_callback(lambda done: done.cancelled() or done.exception())  # Seen.
        self._waiting[header["id"]] = future
        self.tell(header, blobs)
        return future

    def hear(self, number: int, told: Callable[[Frame], None] | None) -> None:
        """Be told what comes for that number beside its answer; None: no more."""
        if told is None:
            self._heard.pop(number, None)
        else:
            self._heard[number] = told

    def forget(self, number: int) -> None:
        """Nobody waits for that answer any more."""
        future = self._waiting.pop(number, None)
        if future is not None:
            future.cancel()

    async def close(self) -> None:
        """Ends every sandbox; when this returns, no process is left."""
        self._is_closing = True
        self._lose(ShuttingDown("the sandboxes are closed"))
        try:
            await asyncio.to_thread(self._process.wait, CLOSE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            await asyncio.to_thread(self._process.wait)

    def _hear(self) -> None:
        frames = self._channel.receive()
        if frames is None:
            self._lose(OutcomeUnknown("the launcher of sandboxes died while this ran"))
        for frame in frames or ():
            self._deliver(frame)

    def _deliver(self, frame: Frame) -> None:
        header = frame.header
        over = header.get("over", 0)
        beside = self._heard.get(over or header["id"])
        is_beside = header["re"] in _BESIDE
        if beside is not None and (over or is_beside):
            beside(frame)
        elif is_beside:
            for fd in frame.fds:  # Nobody listens any more.
                os.close(fd)
        if is_beside:
            return
        future = self._waiting.pop(header["id"], None)
        if future is not None and not future.done():
            future.set_result(frame)
        else:
            for fd in frame.fds:
                os.close(fd)

    def _flush(self) -> None:
        with suppress(OSError):
            self._channel.flush()
        if not self._channel.has_unsent:
            self._loop.remove_writer(self._channel.fileno())

    def _lose(self, error: Exception) -> None:
        if self.is_lost:
            return
        self.is_lost = True
        self._loop.remove_reader(self._channel.fileno())
        self._loop.remove_writer(self._channel.fileno())
        self._channel.close()
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(error)
        self._waiting.clear()
        for number, told in list(self._heard.items()):
            told(Frame({"re": "lost", "id": 0, "over": number}, [], []))
