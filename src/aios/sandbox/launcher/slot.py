"""A place for one sandbox at a time: a keeper process, a control group, a user. Used again."""

import os
import socket
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from aios.sandbox.launcher import keeper
from aios.sandbox.launcher.cgroup import Group
from aios.sandbox.wire import Channel


@dataclass(slots=True, eq=False, kw_only=True)
class Slot:
    """One keeper and what it holds."""

    number: int
    pid: int
    channel: Channel
    group: Group | None
    uid: int | None  # of its own; None: the launcher's user

    def spawn(self, order: dict[str, object], seccomp: bytes, fds: Sequence[int]) -> None:
        """Start a process; `{"status": ...}` comes when it and all its descendants have ended."""
        self._send({"do": "spawn", **order}, [seccomp], fds)

    def kill(self) -> None:
        self._send({"do": "kill"}, (), ())

    def close(self) -> None:
        """Let the keeper go; what it had of processes it ends first."""
        self.channel.close()

    def _send(self, order: dict[str, object], blobs: Sequence[bytes], fds: Sequence[int]) -> None:
        with suppress(OSError):  # The keeper is gone; its channel's end is heard next.
            self.channel.send(order, blobs, fds)


def open_slot(number: int, group: Group | None, uid: int | None) -> Slot:
    """Fork a keeper."""
    ours, theirs = socket.socketpair()
    pid = os.fork()
    if pid == 0:
        keeper.serve(theirs, group)
    theirs.close()
    return Slot(number=number, pid=pid, channel=Channel(ours), group=group, uid=uid)
