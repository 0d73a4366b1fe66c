"""The process table: who exists, who is whose child, who may act on whom. Waits for nothing."""

from collections import OrderedDict
from collections.abc import Callable, Iterator

from aios.config import Limits
from aios.errors import Busy, Denied, NotFound, Unauthenticated
from aios.kernel.process import INIT, Process
from aios.syscalls.process import Exited, Pid


class ProcessTable:
    """Living processes and the last ended ones.

    Invariants: every living process but the first has a living parent; a token names exactly one
    living process.
    """

    def __init__(self, limits: Limits, new_token: Callable[[], str]) -> None:
        self._limits = limits
        self._new_token = new_token
        self._living: dict[Pid, Process] = {}
        self._ended: OrderedDict[Pid, Process] = OrderedDict()  # oldest first, bounded
        self._by_token: dict[str, Process] = {}
        self._last: Pid = 0

    def spawn(
        self, *, parent: Pid, name: str, priority: int, program: str | None, now: float
    ) -> Process:
        """A new living process."""
        if len(self._living) >= self._limits.processes_max:
            raise Busy(f"the process table holds {self._limits.processes_max} processes already")
        self._last += 1
        process = Process(
            pid=self._last,
            parent=parent,
            name=name,
            token=self._new_token(),
            priority=priority,
            program=program,
            born=now,
        )
        assert process.token not in self._by_token
        self._living[process.pid] = process
        self._by_token[process.token] = process
        if parent:
            self._adopt(parent, process)
        return process

    def by_token(self, token: str) -> Process:
        """The living process that speaks with this token."""
        process = self._by_token.get(token)
        if process is None:
            raise Unauthenticated(
                "unknown token; expected one that spawn returned for a living process"
            )
        return process

    def find(self, pid: Pid) -> Process:
        """A process, living or lately ended."""
        process = self._living.get(pid) or self._ended.get(pid)
        if process is None:
            raise NotFound(f"no process {pid}; `list` shows those there are")
        return process

    def owned(self, actor: Process, pid: Pid) -> Process:
        """A process that `actor` may act on: itself or a descendant; the first may on all."""
        process = self.find(pid)
        above: Process | None = process
        while above is not None and actor.pid not in (above.pid, INIT):
            above = self._living.get(above.parent) or self._ended.get(above.parent)
        if above is None:
            raise Denied(f"process {actor.pid} may act on itself and its descendants, not on {pid}")
        return process

    def end(self, process: Process, how: Exited) -> None:
        """Make a process final; its children become the first process's."""
        process.end(how)
        del self._living[process.pid]
        del self._by_token[process.token]
        parent = self._living.get(process.parent)
        if parent is not None and parent.children:
            parent.children.discard(process.pid)
        for child in process.children or ():
            self._adopt(INIT, self._living[child])
        process.children = None
        self._ended[process.pid] = process
        while len(self._ended) > self._limits.ended_kept:
            self._ended.popitem(last=False)

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
        return len(self._living)

    def _adopt(self, parent: Pid, child: Process) -> None:
        above = self._living[parent]
        child.parent = parent
        if above.children is None:
            above.children = set()
        above.children.add(child.pid)
