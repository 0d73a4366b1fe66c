"""The parent of one program: starts it, writes its log, stops and ends it with all that came of it.

It is a subreaper: what leaves its parents, also by a session of its own, becomes its child, so that
nothing gets away. It obeys one kernel, and ends everything when that is gone. Standard library
only.
"""

import os
import select
import signal
import socket
import sys
import time
import traceback
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

from aios.programs.log import STDERR, STDOUT, Writer
from aios.sandbox.launcher.keeper import close_all_but, descendants, sweep
from aios.sandbox.launcher.system import PR_SET_CHILD_SUBREAPER, PR_SET_PDEATHSIG, prctl
from aios.sandbox.wire import Channel, Frame

GRACE_S = 0.5  # between being asked to end and being ended
READ_BYTES = 1 << 16
READS_MAX = 64  # of what is left in a pipe when nobody writes any more
NOT_STARTED, NOT_EXECUTABLE, NOT_FOUND = 125, 126, 127  # as shells tell it

now = time.monotonic  # noqa: TID251 - nobody hands a keeper anything but its order


def serve(connection: socket.socket) -> NoReturn:
    """Keep the program that the kernel names; return never."""
    code = 1
    try:
        Keeper(connection).run()
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sweep()
        os._exit(code)


class Keeper:
    """One program, from its start to the end of its last process."""

    def __init__(self, connection: socket.socket) -> None:
        self._woken, wake = os.pipe()
        for end in (self._woken, wake):
            os.set_blocking(end, False)
        close_all_but({0, 1, 2, connection.fileno(), self._woken, wake})
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        if sys.platform == "linux":
            prctl(PR_SET_CHILD_SUBREAPER, 1)
        self._channel = Channel(connection)
        self._poll = select.poll()
        self._poll.register(self._channel.fileno(), select.POLLIN)
        self._poll.register(self._woken, select.POLLIN)
        self._child = 0
        self._log: Writer | None = None
        self._streams: dict[int, int] = {}  # a pipe's reading end -> which stream it is
        self._stdin = -1
        self._unfed = memoryview(b"")
        self._feeding = 0  # the number of who waits for it to be taken; 0 for nobody
        self._is_last = False
        self._deadline: float | None = None
        self._watched: int | None = None  # told once the log is longer
        self._stopped: set[int] | None = None  # None: it is not paused

    def run(self) -> None:
        """Until the program has ended and that is told, or the kernel is gone."""
        while True:
            for fd, _ in self._poll.poll(self._patience_ms()):
                if fd == self._channel.fileno():
                    frames = self._channel.receive()
                    if frames is None:
                        return
                    self._obey(frames)
                elif fd == self._woken:
                    with suppress(BlockingIOError):
                        os.read(fd, 4096)
                elif fd == self._stdin:
                    self._write_on()
                elif fd in self._streams:
                    self._hear(fd)
            if self._stopped is not None and self._child:
                self._stop_all()
            if self._has_ended():
                self._tell_all()
                return

    def _obey(self, frames: list[Frame]) -> None:
        acts = {
            "start": self._start,
            "feed": self._feed,
            "watch": self._watch,
            "pause": self._pause,
            "resume": self._resume,
            "kill": self._ask_to_end,
        }
        for frame in frames:
            acts[frame.header["do"]](frame)

    def _tell_all(self) -> None:
        """Until the kernel has heard everything, or is gone."""
        writable = select.poll()
        writable.register(self._channel.fileno(), select.POLLOUT)
        with suppress(OSError):
            while self._channel.has_unsent:
                writable.poll()
                self._channel.flush()

    def _patience_ms(self) -> float | None:
        return None if self._deadline is None else max(0.0, self._deadline - now()) * 1_000

    def _tell(self, header: dict[str, Any]) -> None:
        with suppress(OSError):  # The kernel is gone; its channel's end is heard next.
            self._channel.send(header)

    # The program.

    def _start(self, frame: Frame) -> None:
        order = frame.header
        self._log = Writer(Path(order["log"]))
        pipes = {stream: os.pipe() for stream in (STDOUT, STDERR)}
        stdin, into = os.pipe() if order["takes_input"] else (os.open(os.devnull, os.O_RDONLY), -1)
        child = os.fork()
        if child == 0:
            _become(order, (stdin, pipes[STDOUT][1], pipes[STDERR][1]))
        os.close(stdin)
        for stream, (out, theirs) in pipes.items():
            os.close(theirs)
            os.set_blocking(out, False)
            self._streams[out] = stream
            self._poll.register(out, select.POLLIN)
        if into >= 0:
            os.set_blocking(into, False)
            self._stdin = into
        self._child = child
        self._tell({"re": "started", "pid": child})

    def _has_ended(self) -> bool:
        """Reap; the program's own end is the end of all that came of it."""
        if self._child and self._deadline is not None and now() >= self._deadline:
            self._deadline = None
            os.kill(self._child, signal.SIGKILL)
        while self._child:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return False
            if pid == self._child:
                self._child = 0
                with suppress(OSError):
                    os.killpg(pid, signal.SIGKILL)  # All that a Mac offers.
                sweep()
                self._drain()
                code = os.waitstatus_to_exitcode(status)
                self._tell({"re": "ended", "code": code if code >= 0 else 128 - code})
                return True
        return False

    def _ask_to_end(self, frame: Frame) -> None:
        """It may tidy up for a moment; then it is ended."""
        self._resume(frame)
        self._deadline = self._deadline or now() + GRACE_S
        if self._child:
            os.kill(self._child, signal.SIGTERM)

    def _pause(self, frame: Frame) -> None:
        self._stopped = set()

    def _resume(self, frame: Frame) -> None:
        for pid in self._stopped or ():
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGCONT)
        self._stopped = None

    def _stop_all(self) -> None:
        """Stop every process, until a look finds none that was not stopped.

        A process that has been sent the signal makes no more children; one that was made just
        before is seen by the next look.
        """
        assert self._stopped is not None
        while found := {self._child, *descendants()} - self._stopped:
            for pid in found:
                self._stopped.add(pid)
                with suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, signal.SIGSTOP)

    # Its streams.

    def _hear(self, fd: int) -> bool:
        """Write what is there into the log; whether there was anything."""
        assert self._log is not None
        try:
            data = os.read(fd, READ_BYTES)
        except BlockingIOError:
            return False
        if data:
            self._log.write(self._streams[fd], data)
            self._tell_watcher()
        else:
            self._close(fd)
        return bool(data)

    def _drain(self) -> None:
        for fd in list(self._streams):
            for _ in range(READS_MAX):
                if not self._hear(fd):
                    break

    def _close(self, fd: int) -> None:
        self._streams.pop(fd, None)
        self._poll.unregister(fd)
        os.close(fd)

    def _watch(self, frame: Frame) -> None:
        at = frame.header["at"]
        self._watched = at if self._watched is None else min(at, self._watched)
        self._tell_watcher()

    def _tell_watcher(self) -> None:
        if self._log is not None and self._watched is not None and self._log.end > self._watched:
            self._watched = None
            self._tell({"re": "wrote"})

    def _feed(self, frame: Frame) -> None:
        header = frame.header
        self._feeding, self._is_last = header["id"], header["last"]
        self._unfed = memoryview(frame.blobs[0])
        if self._stdin >= 0:
            self._poll.register(self._stdin, select.POLLOUT)
        self._write_on()

    def _write_on(self) -> None:
        """Give the program what it takes; tell when it has all, or reads no more."""
        try:
            while self._unfed and self._stdin >= 0:
                self._unfed = self._unfed[os.write(self._stdin, self._unfed) :]
        except BlockingIOError:
            return
        except OSError:  # It has closed its input.
            self._is_last = True
        if self._stdin >= 0:
            self._poll.unregister(self._stdin)
        if self._stdin >= 0 and self._is_last:
            os.close(self._stdin)
            self._stdin = -1
        if self._feeding:
            self._tell({"re": "fed", "id": self._feeding, "is_open": self._stdin >= 0})
            self._feeding = 0


def _become(order: dict[str, Any], fds: tuple[int, int, int]) -> NoReturn:
    """In the child: descriptors, a session of its own, the program. Never returns."""
    code = NOT_STARTED
    try:
        for at, fd in enumerate([os.dup2(fd, 100 + at) for at, fd in enumerate(fds)]):
            os.dup2(fd, at, inheritable=True)
        os.closerange(3, 1 << 16)
        signal.set_wakeup_fd(-1)
        for one in (signal.SIGPIPE, signal.SIGCHLD):
            signal.signal(one, signal.SIG_DFL)
        os.setsid()
        if sys.platform == "linux":
            prctl(PR_SET_PDEATHSIG, int(signal.SIGKILL))
        os.chdir(order["folder"])
        os.execvpe(order["argv"][0], order["argv"], order["environment"])
    except FileNotFoundError as problem:
        code = NOT_FOUND
        missing = problem.filename if isinstance(problem.filename, str) else order["argv"][0]
        os.write(2, f"aios: {missing}: not found\n".encode())
    except (OSError, ValueError) as problem:
        code = NOT_EXECUTABLE
        os.write(2, f"aios: {order['argv'][0]}: {problem}\n".encode())
    finally:
        os._exit(code)
