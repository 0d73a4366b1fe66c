"""A server that is a program: started in a sandbox or as it is, and talked to over one socket.

As it is, it has this user's rights; the operator said so. Spawned, never forked: no code of ours
runs between.
"""

import asyncio
import os
import signal
import socket
import subprocess
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from aios.errors import WrongState
from aios.sandbox.base import Bounds, Egress, Host, Job, Service, Whose

INHERITED = ("HOME", "LANG", "LC_ALL", "LOGNAME", "PATH", "SHELL", "TERM", "TMPDIR", "USER")
TAIL_BYTES = 2_000  # of what it says on stderr that is kept
GRACE_S = 0.5  # to leave by itself, now that its stdin has ended
# It lives as long as the kernel wants it; what a program alone may take holds for it too.
SERVICE = Bounds(wall_s=10 * 365 * 86_400.0, cpu_s=3_600.0, disk_bytes=64 << 20)


class Talk(Protocol):
    """A running program."""

    @property
    def connection(self) -> socket.socket: ...

    @property
    def tier(self) -> str: ...

    async def end(self) -> str:
        """End it with all it started; the last it said on stderr."""
        ...


class Sandboxed:
    """In a sandbox. Implements `Talk`."""

    def __init__(self, service: Service) -> None:
        self._service = service

    @property
    def connection(self) -> socket.socket:
        return self._service.connection

    @property
    def tier(self) -> str:
        return self._service.tier

    async def end(self) -> str:
        ended = await self._service.end()
        return ended.stderr[-TAIL_BYTES:].decode(errors="replace").strip()


class Plain:
    """As it is. Implements `Talk`."""

    tier = ""

    def __init__(self, process: subprocess.Popen[bytes], connection: socket.socket) -> None:
        self.connection = connection
        self._process = process
        self._tail: deque[int] = deque(maxlen=TAIL_BYTES)
        assert process.stderr is not None
        self._stderr = process.stderr.fileno()
        os.set_blocking(self._stderr, False)
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._stderr, self._hear)

    async def end(self) -> str:
        self.connection.close()
        try:
            await asyncio.to_thread(self._process.wait, GRACE_S)
        except subprocess.TimeoutExpired:
            pass
        finally:
            # Also what it left behind: its group is its own.
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
        await asyncio.to_thread(self._process.wait)
        self._hear()
        self._loop.remove_reader(self._stderr)
        assert self._process.stderr is not None
        self._process.stderr.close()
        return bytes(self._tail).decode(errors="replace").strip()

    def _hear(self) -> None:
        """Read what is there, so that it never waits for us."""
        try:
            data = os.read(self._stderr, 1 << 16)
        except BlockingIOError:
            return
        if not data:
            self._loop.remove_reader(self._stderr)
        self._tail.extend(data)


async def start_sandboxed(
    host: Host,
    command: Sequence[str],
    environment: Mapping[str, str],
    network: Sequence[str],
    server: str,
) -> Talk:
    """In a sandbox that sees what the command names, read-only, and reaches those hosts alone."""
    job = Job(
        argv=tuple(command),
        environment=environment,
        readable=await asyncio.to_thread(_named, command),
        egress=Egress(tuple(network)) if network else None,
        bounds=SERVICE,
        whose=Whose(tool=f"mcp:{server}"),  # All agents'.
    )
    return Sandboxed(await host.serve(job))


def start_plain(command: Sequence[str], environment: Mapping[str, str]) -> Talk:
    """As it is, with a few variables of ours and those it is given."""
    known = {name: os.environ[name] for name in INHERITED if name in os.environ}
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    with theirs:
        try:
            process = subprocess.Popen(
                list(command),
                stdin=theirs.fileno(),
                stdout=theirs.fileno(),
                stderr=subprocess.PIPE,
                env={**known, **environment},
                start_new_session=True,
            )
        except (OSError, ValueError) as problem:
            ours.close()
            raise WrongState(f"{command[0]} cannot be started: {problem}") from None
    return Plain(process, ours)


def _named(command: Sequence[str]) -> tuple[Path, ...]:
    """Files and folders of the machine that the command names by their whole paths."""
    paths = (Path(word) for word in command if word.startswith("/"))
    return tuple(path for path in paths if path.exists() and path != Path("/"))
