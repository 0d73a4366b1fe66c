"""A process and the states it may pass through. Pure: no clock, no tasks, no waiting."""

from collections import deque
from dataclasses import dataclass
from typing import NamedTuple

from aios.errors import Cancelled, WrongState
from aios.syscalls.process import Exited, Mail, Pid, ProcessInfo, ProcessState

S = ProcessState
TRANSITIONS: dict[ProcessState, frozenset[ProcessState]] = {
    S.RUNNING: frozenset({S.PAUSED, S.EXITED, S.FAILED, S.KILLED}),
    S.PAUSED: frozenset({S.RUNNING, S.EXITED, S.FAILED, S.KILLED}),
    S.EXITED: frozenset(),
    S.FAILED: frozenset(),
    S.KILLED: frozenset(),
}
FIRST_AGENT = "init"
INIT: Pid = 1  # the first process; it owns every other


class Letter(NamedTuple):
    """A message with its number, which grows from one message to the next."""

    number: int
    mail: Mail


@dataclass(slots=True, kw_only=True)
class Process:
    """One running agent. Small on purpose: tens of thousands sit idle."""

    pid: Pid
    parent: Pid
    name: str
    agent: str  # the path of names that memory, notes and files belong to
    token: str  # empty: it has not spoken since the kernel started, and only a hash is known
    priority: int
    program: str | None
    token_hash: bytes = b""  # of the token that an earlier kernel gave it, until that is shown
    code: str = ""  # tells whether the program has changed; empty: nobody can tell
    is_durable: bool = False  # its program is run again after a crash, and goes on
    born: float
    state: ProcessState = S.RUNNING
    calls: int = 0  # accepted syscalls so far
    live_calls: int = 0  # of which not answered yet
    prompt_tokens: int = 0
    completion_tokens: int = 0
    children: set[Pid] | None = None  # living ones; None until the first
    generations: dict[str, str] | None = None  # live ones, call_id -> id; None until the first
    mail: deque[Letter] | None = None  # oldest first; None until the first
    remark: str = ""  # what a person should know of it
    mail_due: int = 0  # messages that are being made durable
    exited: Exited | None = None  # set exactly when the state is final

    @property
    def has_ended(self) -> bool:
        return not TRANSITIONS[self.state]

    def check_alive(self) -> None:
        """Raise `Cancelled` where it has ended."""
        if self.has_ended:
            raise Cancelled(f"process {self.pid} has ended: {self.state}")

    def move(self, to: ProcessState) -> None:
        """Change the state."""
        self.check(to)
        self.state = to

    def check(self, to: ProcessState) -> None:
        """Raise `WrongState` where that is no legal step."""
        if to is self.state:
            raise WrongState(f"process {self.pid} is {self.state} already")
        if to not in TRANSITIONS[self.state]:
            raise WrongState(f"process {self.pid} is {self.state}; it cannot become {to}")

    def end(self, how: Exited) -> None:
        """Enter a final state for good."""
        assert self.exited is None, "a process ends once"
        self.move(how.state)
        assert self.has_ended
        self.exited = how
        self.mail = None

    def info(self, now: float, waiting_for: str) -> ProcessInfo:
        """The process as the table shows it."""
        return ProcessInfo(
            pid=self.pid,
            parent=self.parent,
            name=self.name,
            agent=self.agent,
            state=self.state,
            priority=self.priority,
            program=self.program,
            is_durable=self.is_durable,
            remark=self.remark,
            calls=self.calls,
            live_calls=self.live_calls,
            waiting_for=waiting_for,
            prompt_tokens=self.prompt_tokens,
            completion_tokens=self.completion_tokens,
            mail=len(self.mail or ()),
            age_s=now - self.born,
        )
