"""Handlers of the process family: spawn, end, wait, pause, and what the table shows.

An effect is durable before the table changes, so what a crash leaves is never less than what was
told. Two effects may overlap meanwhile; the table then takes them in the journal's order.
"""

from collections.abc import Callable

from aios.errors import Cancelled, InvalidArgument, NotFound, WrongState
from aios.journal import statements
from aios.journal.base import Work
from aios.kernel import process_rows
from aios.kernel.environment import Environment
from aios.kernel.guard.rights import RightsCalls
from aios.kernel.hosting import OUTSIDE
from aios.kernel.lives import Lives
from aios.kernel.process import FIRST_AGENT, INIT, Process
from aios.syscalls import Ok
from aios.syscalls import process as processes

Marks = Callable[[Process], tuple[str, ...]]
"""The sources, not trusted, of what a process tells."""


class ProcessCalls:
    """Owns no process; the table does."""

    def __init__(
        self, lives: Lives, environment: Environment, rights: RightsCalls, marks: Marks
    ) -> None:
        self._lives = lives
        self._marks = marks
        self._rights = rights
        self._table = lives.table
        self._waits = lives.waits
        self._host = lives.host
        self._clock = lives.clock
        self._random = environment.random
        self._has_journal = environment.journal is not None

    async def whoami(self, process: Process, call: processes.WhoAmI) -> processes.ProcessInfo:
        return self._info(process)

    async def spawn(self, process: Process, call: processes.Spawn, work: Work) -> processes.Spawned:
        if call.program == OUTSIDE:
            raise NotFound(f"no program {OUTSIDE!r} by this name; `program.start` starts others")
        if call.groups is None:
            return await self.begin(process, call, work)
        async with self._rights.changing():  # What the caller has, it has until the child is there.
            self._rights.check_groups(process, call.groups)
            return await self.begin(process, call, work)

    async def begin(self, process: Process, call: processes.Spawn, work: Work) -> processes.Spawned:
        """A child process, of whatever program."""
        if call.program is not None and call.program not in self._host.programs:
            known = sorted({*self._host.programs} - {OUTSIDE})
            raise NotFound(f"no program {call.program!r}; this kernel hosts {known}")
        if process.pid == INIT and call.name == FIRST_AGENT:
            raise InvalidArgument(
                f"name: expected another than {FIRST_AGENT!r}, whose memory, files and rights are "
                "the first process's own"
            )
        child = self._table.draft(process.pid, call, self._clock.now())
        child.is_durable = self._is_durable(process, call)
        child.code = self._host.code_of(call.program)
        spawned = processes.Spawned(child.pid, child.token)
        try:
            work.extend([process_rows.born(child, call.argument, self._clock.utc())])
            if call.groups is not None:
                work.extend(self._rights.grouped(child.agent, call.groups))
            await work.commit(spawned)
        except BaseException:
            self._table.dismiss()
            raise
        if call.groups is not None:
            self._rights.take({child.agent: call.groups})
        self._lives.admit(child)
        if process.has_ended:  # Meanwhile: what it spawned ends as its other children did.
            await self._lives.end(child, _killed(child.pid))
            raise Cancelled(f"process {process.pid} has ended: {process.state}")
        if call.program is not None:
            self._host.start(child, call.argument)
        return spawned

    async def exit(self, process: Process, call: processes.Exit, work: Work) -> Ok:
        if process.pid == INIT:
            raise InvalidArgument(
                "expected another process than the first; stop the kernel instead"
            )
        marks = self._marks(process)
        how = processes.Exited(
            process.pid, processes.ProcessState.EXITED, call.result, sources=marks
        )
        self._lives.add_end(work, how)
        await work.commit(Ok())
        self._lives.finish(process, how, stops_program=False)
        return Ok()

    async def wait(self, process: Process, call: processes.Wait) -> processes.Exited:
        other = self._table.find(call.pid)
        if other is process:
            raise InvalidArgument(
                "expected another process's pid; a process cannot wait for itself"
            )
        if other.exited is None:
            await self._waits.wait(("end of", other.pid), process.pid, call.timeout_s)
        assert other.exited is not None
        return other.exited

    async def kill(self, process: Process, call: processes.Kill, work: Work) -> Ok:
        target = self._table.find(call.pid)
        if target.pid == INIT:
            raise InvalidArgument("expected a pid other than 1; stop the kernel instead")
        if target.has_ended:
            raise WrongState(f"process {target.pid} has ended: {target.state}")
        doomed = list(self._table.tree(target))
        for one in doomed:
            self._lives.add_end(work, _killed(one.pid))
        await work.commit(Ok())
        born_late = [one for one in self._table.tree(target) if one not in doomed]
        for one in reversed(doomed):
            self._lives.finish(one, _killed(one.pid))
        for one in born_late:
            await self._lives.end(one, _killed(one.pid))
        return Ok()

    async def pause(self, process: Process, call: processes.Pause, work: Work) -> Ok:
        target = self._table.find(call.pid)
        if target is process:
            raise InvalidArgument("expected another process's pid; who would resume this one?")
        return await self._move(target, processes.ProcessState.PAUSED, work)

    async def resume(self, process: Process, call: processes.Resume, work: Work) -> Ok:
        target = self._table.find(call.pid)
        return await self._move(target, processes.ProcessState.RUNNING, work)

    async def list(self, process: Process, call: processes.List) -> processes.ProcessList:
        if process.pid == INIT:
            shown = self._table.all(ended=call.ended)
        else:
            shown = list(self._table.tree(process))
        return processes.ProcessList(tuple(map(self._info, shown)))

    async def inspect(self, process: Process, call: processes.Inspect) -> processes.ProcessInfo:
        return self._info(self._table.find(call.pid))

    async def attempt(self, process: Process, call: processes.Attempt) -> processes.Attempted:
        raise WrongState("expected a durable program; nobody else's tool runs are remembered")

    async def report(self, process: Process, call: processes.Report) -> Ok:
        raise WrongState("expected a durable program; nobody else's tool runs are remembered")

    async def now(self, process: Process, call: processes.Now) -> processes.Moment:
        return processes.Moment(utc_s=self._clock.utc(), seed=self._random.getrandbits(63))

    async def _move(self, target: Process, to: processes.ProcessState, work: Work) -> Ok:
        target.check(to)
        work.add(statements.PROCESS_MOVE, to.value, target.pid)
        await work.commit(Ok())
        if not target.has_ended and target.state is not to:
            self._lives.move(target, to)
        return Ok()

    def _is_durable(self, parent: Process, call: processes.Spawn) -> bool:
        """Whether the child is to be run again after a crash."""
        if call.durable and call.program is None:
            raise InvalidArgument("expected a program; only one that the kernel hosts is durable")
        if call.durable and not self._has_journal:
            raise WrongState("expected a kernel with a journal; this one remembers nothing")
        wanted = parent.is_durable if call.durable is None else call.durable
        return wanted and call.program is not None

    def _info(self, process: Process) -> processes.ProcessInfo:
        return process.info(self._clock.now(), self._lives.waiting_for(process))


def _killed(pid: processes.Pid) -> processes.Exited:
    return processes.Exited(pid=pid, state=processes.ProcessState.KILLED, error="killed")
