"""The parent of one sandbox at a time: spawns it, waits for it, and ends all that came of it.

A fork of the launcher that stays in its own control group, so that no sandbox waits for the kernel
to move it there (10 ms for each hierarchy). It is a subreaper: whatever leaves its parents inside
becomes its child, and while it has children it has descendants. So "no children" is "nothing left".
"""

import os
import select
import signal
import socket
import sys
import traceback
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

from aios.sandbox.launcher import confine
from aios.sandbox.launcher.cgroup import Group
from aios.sandbox.launcher.system import PR_SET_CHILD_SUBREAPER, PR_SET_PDEATHSIG, prctl
from aios.sandbox.wire import Channel, Frame

FAILED = 125  # the exit status of what could not be started at all
FIRST_FREE = 5  # descriptors of a sandbox: 0 to 2, the channel, and bubblewrap's filter


def serve(connection: socket.socket, group: Group | None) -> NoReturn:
    """Obey the launcher until it is gone, then leave nothing behind."""
    code = 1
    try:
        Keeper(connection, group).run()
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


class Keeper:
    """One child at a time, and its descendants."""

    def __init__(self, connection: socket.socket, group: Group | None) -> None:
        self._woken, wake = os.pipe()
        for end in (self._woken, wake):
            os.set_blocking(end, False)
        self._keep = {0, 1, 2, connection.fileno(), self._woken, wake}
        close_all_but(self._keep)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        self._channel = Channel(connection)
        self._child = 0
        self._uid: int | None = None
        if sys.platform == "linux":
            prctl(PR_SET_CHILD_SUBREAPER, 1)
        if group is not None:
            with suppress(OSError):
                group.join()
        _spare_from_memory_bound(-1000)

    def run(self) -> None:
        poll = select.poll()
        poll.register(self._channel.fileno(), select.POLLIN)
        poll.register(self._woken, select.POLLIN)
        while True:
            for fd, _ in poll.poll():
                if fd == self._woken:
                    with suppress(BlockingIOError):
                        os.read(fd, 4096)
                    self._reap()
                elif not self._obey(self._channel.receive()):
                    self._end()
                    return

    def _obey(self, frames: list[Frame] | None) -> bool:
        for frame in frames or ():
            if frame.header["do"] == "kill":
                self._end()
            else:
                self._spawn(frame)
        return frames is not None

    def _spawn(self, frame: Frame) -> None:
        assert not self._child, "a keeper has one child at a time"
        self._uid = frame.header["uid"] if frame.header["confine"] is not None else None
        child = os.fork()
        if child == 0:
            _become(frame)
        for fd in frame.fds:
            os.close(fd)
        self._child = child

    def _reap(self) -> None:
        """Wait for what has ended; the end of the child itself is the end of the sandbox."""
        while self._child:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            if pid == self._child:
                self._ended(status)

    def _end(self) -> None:
        if self._child:
            with suppress(ProcessLookupError):
                os.kill(self._child, signal.SIGKILL)
                os.killpg(self._child, signal.SIGKILL)  # All that a Mac offers.
            _, status = os.waitpid(self._child, 0)
            self._ended(status)

    def _ended(self, status: int) -> None:
        self._child = 0
        if self._uid is not None and children(os.getpid()):
            kill_all_of(self._uid)
        sweep()
        with suppress(OSError):
            self._channel.send({"status": status})


def sweep(spare: frozenset[int] = frozenset()) -> None:
    """End every descendant but those and what is theirs, and reap them."""
    while found := descendants(spare):
        for pid in found:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        with suppress(ChildProcessError):
            os.waitpid(found[0], 0)


def descendants(spare: frozenset[int] = frozenset()) -> list[int]:
    """Numbers of all processes below this one but below those, its own children first."""
    found = [pid for pid in children(os.getpid()) if pid not in spare]
    for pid in found:
        found += children(pid)
    return found


def children(pid: int) -> list[int]:
    """Numbers of a process's children; none where the system does not tell, or it is gone."""
    found: list[int] = []
    with suppress(OSError):
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/children", "rb", 0) as file:
                found += map(int, file.read().split())
    return found


def kill_all_of(uid: int) -> None:
    """End every process of that user in one step, which no fork gets round."""
    killer = os.fork()
    if killer == 0:
        with suppress(OSError):
            os.setresuid(uid, uid, uid)
            os.kill(-1, signal.SIGKILL)  # All that this user may signal, but not itself.
        os._exit(0)
    os.waitpid(killer, 0)


def close_all_but(keep: set[int]) -> None:
    """Close every descriptor of the process but those."""
    below = 0
    for fd in sorted(keep):
        if below < fd:  # An empty range would mean: all of them.
            os.closerange(below, fd)
        below = fd + 1
    os.closerange(below, 1 << 16)


def _become(frame: Frame) -> NoReturn:
    """In the child: descriptors, user, confinement, program. Never returns."""
    try:
        order = frame.header
        _place(frame.fds, frame.blobs[0] if order["confine"] is None else b"")
        _spare_from_memory_bound(500)
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        os.setsid()
        if order["processors"]:
            os.sched_setaffinity(0, order["processors"])
        _take_user(order["uid"], order["gid"])
        if sys.platform == "linux":
            prctl(PR_SET_PDEATHSIG, int(signal.SIGKILL))
        os.chdir(order["workspace"])
        if order["confine"] is not None:
            confine.confine(order["confine"], frame.blobs[0])
        os.execve(order["argv"][0], order["argv"], order["environment"])
    except BaseException as problem:
        os.write(2, f"the sandbox could not be made: {problem}\n".encode())
    os._exit(FAILED)


def _place(fds: list[int], seccomp: bytes) -> None:
    """Descriptors 0 to 3 as given, the filter to read at 4, nothing else."""
    high = [os.dup2(fd, 100 + at) for at, fd in enumerate(fds)]
    for at, fd in enumerate(high):
        os.dup2(fd, at, inheritable=True)
    if seccomp:
        out, into = os.pipe()
        os.write(into, seccomp)  # A few KiB: a pipe holds them.
        os.dup2(out, len(fds), inheritable=True)
    os.closerange(FIRST_FREE if seccomp else FIRST_FREE - 1, 1 << 16)


def _take_user(uid: int | None, gid: int | None) -> None:
    if uid is not None and gid is not None:
        os.setgroups([])
        os.setresgid(gid, gid, gid)
        os.setresuid(uid, uid, uid)


def _spare_from_memory_bound(score: int) -> None:
    """How gladly the kernel ends this process where the group's memory is full."""
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(str(score))
