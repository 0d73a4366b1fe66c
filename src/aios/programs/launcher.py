"""The small process that every program is spawned from: forks a keeper for each, and no more.

A keeper speaks to the kernel by itself. What a keeper that was killed left behind comes here and is
ended. Gone when the kernel is, and every keeper before it. Standard library only.
"""

import os
import select
import signal
import socket
import sys
from contextlib import suppress

from aios.programs import keeper
from aios.sandbox.launcher.keeper import sweep
from aios.sandbox.launcher.system import PR_SET_CHILD_SUBREAPER, prctl
from aios.sandbox.wire import Channel


def main(fd: int) -> int:
    """Serve the kernel at the other end of that descriptor."""
    os.set_inheritable(fd, False)
    woken, wake = os.pipe()
    for end in (woken, wake):
        os.set_blocking(end, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    if sys.platform == "linux":
        prctl(PR_SET_CHILD_SUBREAPER, 1)
    channel = Channel(socket.socket(fileno=fd))
    poll = select.poll()
    for end in (channel.fileno(), woken):
        poll.register(end, select.POLLIN)
    keepers: set[int] = set()
    while (frames := channel.receive()) is not None:
        keepers.update(_keeper(frame.fds) for frame in frames)
        _reap(keepers)
        poll.poll()
        with suppress(BlockingIOError):
            os.read(woken, 4096)
    for pid in keepers:  # Each of them hears by itself that the kernel is gone.
        os.waitpid(pid, 0)
    sweep()
    return 0


def _keeper(fds: list[int]) -> int:
    pid = os.fork()
    if pid == 0:
        signal.set_wakeup_fd(-1)
        keeper.serve(socket.socket(fileno=fds[0]))
    for fd in fds:
        os.close(fd)
    return pid


def _reap(keepers: set[int]) -> None:
    """Wait for what has ended; who comes here without a keeper is ended."""
    with suppress(ChildProcessError):
        while (pid := os.waitpid(-1, os.WNOHANG)[0]) != 0:
            if pid in keepers:
                keepers.discard(pid)
                sweep(frozenset(keepers))
