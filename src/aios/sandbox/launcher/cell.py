"""One sandbox, from its start to the end of its last process: what it is told, what it says.

Knows pipes and times; not how it is confined, nor who asked for it. Steps are called by the
launcher's loop and never wait.
"""

import marshal
import os
import signal
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from aios.sandbox.launcher.capture import Capture, Feed
from aios.sandbox.launcher.owners import Owner
from aios.sandbox.launcher.slot import Slot

START_S = 20.0  # from nothing to ready, on a machine with other work
# What a worker says, a byte each.
READY, LISTENS, TALKS, ACCEPTED, DONE, RAISED = b"R", b"L", b"T", b"A", b"D", b"E"
OWN_PROCESSES = 3  # of a group: the keeper, and bubblewrap's two
# Of a group, until the task's own are known: what most tasks ask for, so that nothing changes then.
MEMORY_BYTES, PROCESSES = 512 << 20, 64 + OWN_PROCESSES
CPUS = os.cpu_count() or 1
CPU_LOOK_S, CPU_LOOK_S_MAX = 0.05, 0.25  # between two looks at a tree's CPU time
# Who yields and got less between two looks yields to nobody until the next one, so that it ends
# however many short calls there are.
STARVED_S = 0.05 * CPU_LOOK_S


class State(Enum):
    STARTING = "starting"  # the worker is not there yet
    READY = "ready"  # the worker waits for its order
    RUNNING = "running"
    ENDING = "ending"  # killed, or ended by itself; the keeper clears up
    GONE = "gone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What of a sandbox is settled when it is started."""

    disk_bytes: int
    folder: str | None = None
    readable: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What a sandbox is to do, and the most it may take."""

    id: int
    order: dict[str, Any]  # as the worker takes it
    stdin: bytes
    wall_s: float
    cpu_s: float
    memory_bytes: int
    processes: int
    output_bytes: int
    collects: bool = False
    owner: Owner = field(default_factory=Owner)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How it went."""

    ended: str
    code: int
    stdout: bytes
    stderr: bytes
    is_cut: bool
    wall_s: float


class Cell:
    """One sandbox."""

    def __init__(self, slot: Slot, shape: Shape, now: Callable[[], float]) -> None:
        self.slot = slot
        self.shape = shape
        self.state = State.STARTING
        self.task: Task | None = None
        self.workspace = -1  # an open descriptor, once it is ready
        self._now = now
        self._began = now()
        self._deadline: float | None = self._began + START_S
        self._cpu_look: float | None = None
        self._used_s = 0.0  # of CPU time, at the last look
        self._did_s = 0.0  # of it, in what was told to the owner
        self._verdict = ""  # why it was killed
        self._status = 0
        self._ran_s = 0.0
        self._is_given = False  # the order was sent
        self.is_accepted = False  # the order, whole: from here on the program may have begun
        if slot.group is not None:
            slot.group.bound(MEMORY_BYTES, PROCESSES)
            slot.group.weigh(yields=True)  # Until somebody asks for it.
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        self.channel = ours
        self._to_worker = memoryview(b"")
        stdin, into = os.pipe()
        out, stdout = os.pipe()
        err, stderr = os.pipe()
        self.feed = Feed(into)
        self.stdout, self.stderr = Capture(out, 0), Capture(err, 0)
        self.ends = [stdin, stdout, stderr, theirs.detach()]  # the sandbox's, to be handed over
        self.refuse_output(4096)  # what goes wrong at the start is told on stderr

    @property
    def processors(self) -> list[int]:
        """Where it starts, out of the way of what runs; none: anywhere."""
        return list(self.slot.group.processors(is_long=True)) if self.slot.group else []

    def refuse_output(self, bytes_max: int) -> None:
        self.stdout.bound(bytes_max)
        self.stderr.bound(bytes_max)

    def give(self, task: Task) -> None:
        """Settle what it will do; it begins when the worker is ready."""
        assert self.task is None, "a sandbox is used once"
        self.task = task
        self._weigh()
        if self.state is State.READY:
            self._begin(task)

    def say(self, source: str, wall_s: float) -> None:
        """The next source of a session."""
        assert self.state is State.RUNNING
        self._weigh()
        self._tell({"source": source})
        self._began = self._now()
        self._deadline = self._began + wall_s

    def answered(self, code: int, idle_s: float) -> Ended:
        """A session has carried out what it was told; from now on it idles, for so long at most."""
        ran_s = self._now() - self._began
        self._deadline = self._now() + idle_s
        self._did()
        for capture in (self.stdout, self.stderr):
            capture.read()  # The worker has flushed: what it wrote is there.
        return self._said("exited", code, ran_s)

    def spoken(self) -> tuple[bytes, list[int]]:
        """What the worker says, and the descriptors with it; nothing once it has closed."""
        try:
            data, fds, _, _ = socket.recv_fds(self.channel, 64, 2)
        except (BlockingIOError, ConnectionError):
            return b"", []
        return data, fds

    def is_ready(self, workspace: int) -> None:
        """The worker waits; `workspace` is its folder, open."""
        if self.state is not State.STARTING:
            os.close(workspace)
            return
        self.workspace = workspace
        self.state = State.READY
        if self.slot.group is not None:
            self.slot.group.count()
        self._deadline = None
        self._weigh()
        if self.task is not None:
            self._begin(self.task)

    def write(self) -> None:
        """Go on telling the worker."""
        while self._to_worker:
            try:
                self._to_worker = self._to_worker[self.channel.send(self._to_worker) :]
            except BlockingIOError:
                return
            except OSError:  # It has ended; its keeper says how.
                self._to_worker = memoryview(b"")

    @property
    def died_early(self) -> bool:
        """Whether it ended by itself before its program could begin, so that another may run it."""
        return not self.is_accepted and not self._verdict

    @property
    def has_to_write(self) -> bool:
        return bool(self._to_worker)

    def due(self) -> float | None:
        """When it must be looked at next."""
        times = [at for at in (self._deadline, self._cpu_look) if at is not None]
        return min(times, default=None)

    def look(self, now: float) -> None:
        """What is due: a deadline that passed, CPU time that is used up."""
        if self._deadline is not None and now >= self._deadline:
            self.kill("timeout")
        elif self._cpu_look is not None and now >= self._cpu_look:
            self._look_at_cpu(now)

    def kill(self, verdict: str) -> None:
        """End it, with everything in it; `ended` is told when nothing is left."""
        if self.state in (State.ENDING, State.GONE):
            return
        self._verdict = verdict
        self._settle()
        if self.slot.group is not None:
            self.slot.group.weigh(yields=False)  # Its end is to come soon.
        self.slot.kill()

    def gone(self, status: int) -> None:
        """The keeper has nothing left of it."""
        self._settle()
        self._status = status
        self.state = State.GONE
        self.stdout.drain()
        self.stderr.drain()

    def ended(self) -> Ended:
        """How it went."""
        assert self.state is State.GONE
        kind, code = _told(self._status)
        if self._verdict and self._is_given:
            kind = self._verdict
        elif not self.is_accepted:
            kind = "refused"
        elif self.slot.group is not None and code and self.slot.group.kills():
            kind = "memory"
        elif kind == "signalled" and code == signal.SIGXCPU:
            kind = "timeout"
        return self._said(kind, code, self._ran_s)

    def take_workspace(self) -> int:
        """Its open folder, which is the caller's to close from now on."""
        fd, self.workspace = self.workspace, -1
        return fd

    def close(self) -> None:
        """Let go of every descriptor."""
        self.channel.close()
        for end in (self.feed, self.stdout, self.stderr):
            end.close()
        if self.workspace >= 0:
            os.close(self.workspace)
            self.workspace = -1

    def _said(self, kind: str, code: int, ran_s: float) -> Ended:
        is_cut = self.stdout.take_cut() | self.stderr.take_cut()
        out, err = self.stdout.take(), self.stderr.take()
        return Ended(ended=kind, code=code, stdout=out, stderr=err, is_cut=is_cut, wall_s=ran_s)

    def _begin(self, task: Task) -> None:
        self.state = State.RUNNING
        self._is_given = True
        for capture in (self.stdout, self.stderr):
            capture.take()
            capture.bound(task.output_bytes)
        if self.slot.group is not None:
            self.slot.group.bound(task.memory_bytes, task.processes)
            self._cpu_look = self._now() + CPU_LOOK_S
        if not task.collects:
            # Or the last to hold it would clear it, however wide it is: so it is its own program.
            os.close(self.take_workspace())
        self._began = self._now()
        self._deadline = self._began + task.wall_s
        self._tell(task.order)
        self.feed.begin(task.stdin)

    def _tell(self, what: dict[str, Any]) -> None:
        data = marshal.dumps(what, 2)
        self._to_worker = memoryview(len(data).to_bytes(8, "little") + data)
        self.write()

    def _look_at_cpu(self, now: float) -> None:
        assert self.task is not None
        used_s = self._charge()
        if self._used_s >= self.task.cpu_s:
            self.kill("timeout")
            return
        self._weigh(is_starved=used_s < STARVED_S)
        # Who does nothing is looked at seldom, and can use little of what it may unseen.
        pause_s = CPU_LOOK_S if used_s >= 0.01 * CPU_LOOK_S else CPU_LOOK_S_MAX
        left_s = self.task.cpu_s - self._used_s
        self._cpu_look = now + max(CPU_LOOK_S, min(pause_s, left_s / CPUS))

    def _charge(self) -> float:
        """What it used since the last look is its owner's to have spent."""
        assert self.task is not None
        assert self.slot.group is not None
        before_s, self._used_s = self._used_s, self.slot.group.cpu_s()
        self.task.owner.spend(self._used_s - before_s, self._now())
        return self._used_s - before_s

    def _did(self) -> None:
        """What it was told is done, and its owner is known by what that used."""
        if self.slot.group is not None and self.task is not None:
            self._charge()
            self.task.owner.did(self._used_s - self._did_s)
            self._did_s = self._used_s

    def _weigh(self, *, is_starved: bool = False) -> None:
        """It counts as its owner's appetite lets it."""
        if self.slot.group is not None and self.task is not None:
            is_long = self.task.owner.is_greedy(self._now())
            self.slot.group.weigh(yields=is_long and not is_starved)
            self.slot.group.place(is_long=is_long, spare=self.slot.pid)

    def _settle(self) -> None:
        if self.state is not State.ENDING:
            self._ran_s = self._now() - self._began
            if self._is_given:
                self._did()
        self.state = State.ENDING
        self._deadline = self._cpu_look = None
        self._to_worker = memoryview(b"")


def _told(status: int) -> tuple[str, int]:
    """What a wait status says. Beyond 128, as every shell and bubblewrap tell it, is a signal."""
    if os.WIFSIGNALED(status):
        return "signalled", os.WTERMSIG(status)
    code = os.WEXITSTATUS(status)
    if 128 < code <= 128 + 64:
        return "signalled", code - 128
    return "exited", code
