"""How a process begins, waits and ends, whoever wants it: one place that tells all rooms.

Knows no syscall. What is durable is written by whoever calls; `end` does both.
"""

from collections.abc import Sequence

from aios.errors import Busy, Cancelled, NoSpace
from aios.journal.base import Change, Work
from aios.kernel import process_rows
from aios.kernel.environment import Environment
from aios.kernel.hosting import Host
from aios.kernel.process import Process
from aios.kernel.runloop import RunLoop
from aios.kernel.table import ProcessTable
from aios.kernel.waits import Waits
from aios.syscalls.base import Ok
from aios.syscalls.process import Exited, ProcessState
from aios.telemetry import events
from aios.telemetry.bus import Bus

RETRY_S = 1.0  # between two tries to write where the disk is full


class Lives:
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
        self.table = table
        self.waits = waits
        self.host = host
        self.bus = bus
        self.clock = environment.clock
        self._loops = loops
        self._journal = environment.journal

    def admit(self, process: Process) -> None:
        """A drafted process enters the table, and the bus is told."""
        self.table.admit(process)
        spawned = events.Spawned(
            at=self.clock.now(), pid=process.pid, name=process.name, parent=process.parent
        )
        self.bus.publish(spawned)

    def move(self, process: Process, to: ProcessState) -> None:
        """Pause a process, its generations with it, or let it go on."""
        process.move(to)
        self._tell(process)
        if to is ProcessState.RUNNING:
            self.waits.wake(("resume of", process.pid))
        for generation in list((process.generations or {}).values()):
            for loop in self._loops:
                if to is ProcessState.RUNNING:
                    loop.unblock(generation)
                else:
                    loop.block(generation)

    def waiting_for(self, process: Process) -> str:
        """What a process waits for, in words."""
        waits = self.waits.of(process.pid)
        waiting = [" ".join(map(str, key)) for key in waits if isinstance(key, tuple)]
        waiting += [f"llm {call_id}" for call_id in sorted(process.generations or ())]
        return ", ".join(waiting)

    async def until_running(self, process: Process) -> None:
        """Wait while the process is paused."""
        while process.state is ProcessState.PAUSED:
            await self.waits.wait(("resume of", process.pid), process.pid, None)
        process.check_alive()

    async def end(self, process: Process, how: Exited) -> None:
        """End a process once that is durable; where there is no room to say so, wait for room."""
        while not process.has_ended:
            work = Work(self._journal)
            self.add_end(work, how)
            try:
                await work.commit(Ok())
            except (NoSpace, Busy):
                await self.clock.sleep(RETRY_S)
            else:
                self.finish(process, how)

    def add_end(self, work: Work, how: Exited) -> None:
        """Add what makes an end durable, to be committed before `finish`."""
        work.extend(process_rows.ended(how, self.clock.utc()))

    def finish(self, process: Process, how: Exited, *, stops_program: bool = True) -> None:
        """End a process: its calls, its waits, its hosted program; wake those who wait for it."""
        if process.has_ended:
            return
        self.table.end(process, how)
        ended = Cancelled(f"process {process.pid} has ended: {how.state}")
        for generation in list((process.generations or {}).values()):
            for loop in self._loops:
                loop.cancel(generation, ended)
        self.waits.fail(process.pid, ended)
        self.waits.wake(("end of", process.pid))
        if stops_program:
            self.host.stop(process.pid)
        for pid in self.table.forget_oldest():
            self.post(*process_rows.forgotten(pid, self.table.last))
        self._tell(process)

    def post(self, *changes: Change) -> None:
        """Changes that nobody waits for: what is built on them comes after them."""
        if self._journal is not None:
            self._journal.post(changes)

    def _tell(self, process: Process) -> None:
        now = self.clock.now()
        self.bus.publish(events.StateChanged(at=now, pid=process.pid, state=process.state.value))
