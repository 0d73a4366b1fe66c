"""Handlers of the process family: spawn, end, wait, pause, and messages between agents."""

from collections import deque
from collections.abc import Sequence

from aios.errors import Busy, Cancelled, InvalidArgument, NotFound, WrongState
from aios.journal.base import Work
from aios.kernel.environment import Environment
from aios.kernel.hosting import Host
from aios.kernel.process import INIT, Process
from aios.kernel.runloop import RunLoop
from aios.kernel.table import ProcessTable
from aios.kernel.waits import Waits
from aios.syscalls import (
    Exit,
    Exited,
    Inspect,
    Kill,
    List,
    Mail,
    Ok,
    Pause,
    ProcessInfo,
    ProcessList,
    ProcessState,
    Receive,
    Resume,
    Send,
    Spawn,
    Spawned,
    Wait,
    WhoAmI,
)
from aios.syscalls.codec import encode
from aios.telemetry import events
from aios.telemetry.bus import Bus


class ProcessCalls:
    """Acts on the table; what must end or pause elsewhere is told to run loops, waits and host."""

    def __init__(
        self,
        *,
        table: ProcessTable,
        waits: Waits,
        host: Host,
        loops: Sequence[RunLoop],
        bus: Bus,
        environment: Environment,
    ) -> None:
        self._table = table
        self._waits = waits
        self._host = host
        self._loops = loops
        self._bus = bus
        self._clock = environment.clock
        self._limits = environment.limits

    async def whoami(self, process: Process, call: WhoAmI) -> ProcessInfo:
        return self._info(process)

    async def spawn(self, process: Process, call: Spawn, work: Work) -> Spawned:
        if call.program is not None and call.program not in self._host.programs:
            known = sorted(self._host.programs)
            raise NotFound(f"no program {call.program!r}; this kernel hosts {known}")
        child = self.enroll(
            parent=process.pid, name=call.name, priority=call.priority, program=call.program
        )
        if call.program is not None:
            self._host.start(child, call.argument, ended=self.finish)
        return Spawned(child.pid, child.token)

    async def exit(self, process: Process, call: Exit, work: Work) -> Ok:
        self.finish(process, Exited(pid=process.pid, state=ProcessState.EXITED, result=call.result))
        return Ok()

    async def wait(self, process: Process, call: Wait) -> Exited:
        other = self._table.owned(process, call.pid)
        if other is process:
            raise InvalidArgument(
                "expected another process's pid; a process cannot wait for itself"
            )
        if other.exited is None:
            await self._waits.wait(("end of", other.pid), process.pid, call.timeout_s)
        assert other.exited is not None
        return other.exited

    async def kill(self, process: Process, call: Kill, work: Work) -> Ok:
        target = self._table.owned(process, call.pid)
        if target.pid == INIT:
            raise InvalidArgument("expected a pid other than 1; stop the kernel instead")
        if target.has_ended:
            raise WrongState(f"process {target.pid} has ended: {target.state}")
        for one in reversed(list(self._table.tree(target))):
            self.finish(one, Exited(pid=one.pid, state=ProcessState.KILLED, error="killed"))
        return Ok()

    async def pause(self, process: Process, call: Pause, work: Work) -> Ok:
        target = self._table.owned(process, call.pid)
        if target is process:
            raise InvalidArgument("expected another process's pid; who would resume this one?")
        self._move(target, ProcessState.PAUSED)
        for generation in list((target.generations or {}).values()):
            for loop in self._loops:
                loop.block(generation)
        return Ok()

    async def resume(self, process: Process, call: Resume, work: Work) -> Ok:
        target = self._table.owned(process, call.pid)
        self._move(target, ProcessState.RUNNING)
        self._waits.wake(("resume of", target.pid))
        for generation in list((target.generations or {}).values()):
            for loop in self._loops:
                loop.unblock(generation)
        return Ok()

    async def list(self, process: Process, call: List) -> ProcessList:
        if process.pid == INIT:
            shown = self._table.all(ended=call.ended)
        else:
            shown = list(self._table.tree(process))
        return ProcessList(tuple(map(self._info, shown)))

    async def inspect(self, process: Process, call: Inspect) -> ProcessInfo:
        return self._info(self._table.owned(process, call.pid))

    async def send(self, process: Process, call: Send, work: Work) -> Ok:
        target = self._table.find(call.pid)
        if target.has_ended:
            raise WrongState(f"process {target.pid} has ended: {target.state}")
        size = len(encode(call.body))
        if size > self._limits.mail_bytes_max:
            raise InvalidArgument(
                f"the body has {size} bytes; expected at most {self._limits.mail_bytes_max}"
            )
        if target.mail is None:
            target.mail = deque()
        if len(target.mail) >= self._limits.mail_max:
            raise Busy(f"the mailbox of process {target.pid} holds {len(target.mail)} messages")
        target.mail.append(Mail(sender=process.pid, body=call.body))
        self._waits.wake(("mail for", target.pid), all_of_them=False)
        return Ok()

    async def receive(self, process: Process, call: Receive, work: Work) -> Mail:
        until = None if call.timeout_s is None else self._clock.now() + call.timeout_s
        key = ("mail for", process.pid)
        while not process.mail:
            left = None if until is None else until - self._clock.now()
            try:
                await self._waits.wait(key, process.pid, left)
            except BaseException:
                if process.mail:  # Woken for it and leaving: another receiver takes it.
                    self._waits.wake(key, all_of_them=False)
                raise
            if process.has_ended:
                raise Cancelled(f"process {process.pid} has ended: {process.state}")
        return process.mail.popleft()

    # What the kernel itself uses.

    def enroll(self, *, parent: int, name: str, priority: int, program: str | None) -> Process:
        """A new process in the table, told to the bus."""
        now = self._clock.now()
        process = self._table.spawn(
            parent=parent, name=name, priority=priority, program=program, now=now
        )
        self._bus.publish(events.Spawned(at=now, pid=process.pid, name=name, parent=parent))
        return process

    async def until_running(self, process: Process) -> None:
        """Wait while the process is paused."""
        while process.state is ProcessState.PAUSED:
            await self._waits.wait(("resume of", process.pid), process.pid, None)
        if process.has_ended:
            raise Cancelled(f"process {process.pid} has ended: {process.state}")

    def finish(self, process: Process, how: Exited) -> None:
        """End a process: its calls, its waits, its hosted program; wake those who wait for it."""
        if process.has_ended:
            return
        self._table.end(process, how)
        ended = Cancelled(f"process {process.pid} has ended: {how.state}")
        for generation in list((process.generations or {}).values()):
            for loop in self._loops:
                loop.cancel(generation, ended)
        self._waits.fail(process.pid, ended)
        self._waits.wake(("end of", process.pid))
        self._host.stop(process.pid)
        now = self._clock.now()
        self._bus.publish(events.StateChanged(at=now, pid=process.pid, state=how.state.value))

    def _move(self, process: Process, to: ProcessState) -> None:
        process.move(to)
        now = self._clock.now()
        self._bus.publish(events.StateChanged(at=now, pid=process.pid, state=to.value))

    def _info(self, process: Process) -> ProcessInfo:
        waits = self._waits.of(process.pid)
        waiting = [" ".join(map(str, key)) for key in waits if isinstance(key, tuple)]
        waiting += [f"llm {call_id}" for call_id in sorted(process.generations or ())]
        return process.info(self._clock.now(), ", ".join(waiting))
