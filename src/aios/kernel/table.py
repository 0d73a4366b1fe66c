"""The process table: who exists, who is whose child, who may act on whom. Waits for nothing.

It tells when the last process of an agent has ended, for whoever keeps things for agents.
"""

from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator

from aios.config import Limits
from aios.errors import Busy, Cancelled, NotFound, Unauthenticated
from aios.kernel.process import INIT, Process
from aios.kernel.process_rows import hash_of
from aios.syscalls.process import Exited, Pid, ProcessState, Spawn


class ProcessTable:
    """Living processes and the last ended ones.

    Invariants: every living process but the first has a living parent; a token names exactly one
    living process. A restored one may have two: the one whose hash was kept, and a new one.
    """

    def __init__(
        self, limits: Limits, new_token: Callable[[], str], left: Callable[[str], None]
    ) -> None:
        self._limits = limits
        self._new_token = new_token
        self._left = left
        self._living: dict[Pid, Process] = {}
        self._processes_of: Counter[str] = Counter()  # living ones of each agent; none has none
        self._ended: OrderedDict[Pid, Process] = OrderedDict()  # oldest first, bounded
        self._by_token: dict[str, Process] = {}
        self._by_hash: dict[bytes, Process] = {}  # of an earlier kernel, until it speaks
        self._drafts = 0
        self._last: Pid = 0

    def draft(self, parent: Pid, call: Spawn, now: float) -> Process:
        """A new process, to be admitted or dismissed. It takes its place already."""
        if len(self) >= self._limits.processes_max:
            raise Busy(f"the process table holds {self._limits.processes_max} processes already")
        self._last += 1
        self._drafts += 1
        return Process(
            pid=self._last,
            parent=parent,
            name=call.name,
            agent=self._agent(parent, call.name),
            token=self._new_token(),
            priority=call.priority,
            program=call.program,
            born=now,
        )

    def admit(self, process: Process) -> None:
        """From now on the process lives."""
        assert process.token not in self._by_token
        self._drafts -= 1
        self._live(process)
        self._by_token[process.token] = process
        if process.parent:
            self._adopt(process.parent if process.parent in self._living else INIT, process)

    def dismiss(self) -> None:
        """A draft came to nothing."""
        self._drafts -= 1

    def restore(self, process: Process) -> None:
        """A process of an earlier kernel, whose children may have come before it."""
        self._last = max(self._last, process.pid)
        if process.has_ended:
            self._ended[process.pid] = process
            return
        self._live(process)
        if process.token:
            self._by_token[process.token] = process
        else:
            self._by_hash[process.token_hash] = process

    def settle(self, last: Pid) -> None:
        """All processes are restored: every child gets its parent. `last` is never reused."""
        self._last = max(self._last, last)
        for process in list(self._living.values()):
            if process.pid != INIT:
                self._adopt(process.parent if process.parent in self._living else INIT, process)

    def _recognised(self, token: str) -> Process | None:
        """A process of an earlier kernel that speaks for the first time."""
        if not self._by_hash:
            return None
        process = self._by_hash.get(hash_of(token))
        if process is not None and not process.token:
            del self._by_hash[process.token_hash]
            process.token, process.token_hash = token, b""
            self._by_token[token] = process
        return process

    def token_of(self, process: Process) -> str:
        """A token of a living process, also of an earlier kernel's, whose own stays good."""
        if not process.token:
            process.token = self._new_token()
            self._by_token[process.token] = process
        return process.token

    def _agent(self, parent: Pid, name: str) -> str:
        """The path of names; the first process stands outside of it."""
        return name if parent in (0, INIT) else f"{self._living[parent].agent}/{name}"

    def by_token(self, token: str) -> Process:
        """The living process that speaks with this token."""
        process = self._by_token.get(token) or self._recognised(token)
        if process is None:
            raise Unauthenticated(
                "unknown token; expected a living agent's, of the token file, "
                "`aios agents token NAME` or spawn"
            )
        return process

    def find(self, pid: Pid) -> Process:
        """A process, living or lately ended."""
        process = self.get(pid)
        if process is None:
            raise NotFound(f"no process {pid}; `aios ps` lists those there are")
        return process

    def speaker(self, agent: str) -> Process:
        """A living process of that path of names, one that is not paused if there is any."""
        alike = [process for process in self._living.values() if process.agent == agent]
        if not alike:
            raise Cancelled(f"no process of {agent!r} lives any more")
        return next((one for one in alike if one.state is ProcessState.RUNNING), alike[0])

    def lives(self, pid: Pid) -> bool:
        return pid in self._living

    def get(self, pid: Pid) -> Process | None:
        """A process, living or lately ended; None where there is none."""
        return self._living.get(pid) or self._ended.get(pid)

    def is_above(self, actor: Process, pid: Pid) -> bool:
        """Whether there is such a process and it is `actor` or descends from it."""
        above = self.get(pid)
        while above is not None and above is not actor:
            above = self.get(above.parent)
        return above is not None

    def root_of(self, process: Process) -> Pid:
        """The process below the first one that this one descends from, or itself."""
        while process.parent not in (0, INIT):
            process = self._living[process.parent]
        return process.pid

    def end(self, process: Process, how: Exited) -> None:
        """Make a process final; its children become the first process's."""
        process.end(how)
        del self._living[process.pid]
        self._by_token.pop(process.token, None)
        self._by_hash.pop(process.token_hash, None)
        parent = self._living.get(process.parent)
        if parent is not None and parent.children:
            parent.children.discard(process.pid)
        for child in process.children or ():
            self._adopt(INIT, self._living[child])
        process.children = None
        self._ended[process.pid] = process
        self._processes_of[process.agent] -= 1
        if not self._processes_of[process.agent]:
            del self._processes_of[process.agent]
            self._left(process.agent)

    def forget_oldest(self) -> list[Pid]:
        """Drop the ended processes that are too many; which they were."""
        dropped = []
        while len(self._ended) > self._limits.ended_kept:
            dropped.append(self._ended.popitem(last=False)[0])
        return dropped

    @property
    def last(self) -> Pid:
        """The highest pid there has been."""
        return self._last

    def tree(self, process: Process) -> Iterator[Process]:
        """A living process and its living descendants, parents first."""
        to_visit = [process]
        while to_visit:
            above = to_visit.pop()
            yield above
            to_visit += [self._living[pid] for pid in sorted(above.children or (), reverse=True)]

    def all(self, *, ended: bool) -> list[Process]:
        """Every process in order of pid."""
        kept = list(self._ended.values()) if ended else []
        return sorted([*kept, *self._living.values()], key=lambda process: process.pid)

    def __len__(self) -> int:
        return len(self._living) + self._drafts

    def _live(self, process: Process) -> None:
        self._living[process.pid] = process
        self._processes_of[process.agent] += 1

    def _adopt(self, parent: Pid, child: Process) -> None:
        above = self._living[parent]
        child.parent = parent
        if above.children is None:
            above.children = set()
        above.children.add(child.pid)
