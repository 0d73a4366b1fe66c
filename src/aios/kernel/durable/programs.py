"""Durable programs of one kernel: begun, recalled after a crash, ended. Knows no call of theirs."""

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from aios.errors import Diverged
from aios.journal import statements
from aios.kernel.durable import program_rows
from aios.kernel.durable.replay import Recorded
from aios.kernel.durable.run import DurableRun, Perform
from aios.kernel.environment import Environment
from aios.kernel.lives import Lives
from aios.kernel.process import Process
from aios.syscalls.process import Exited, ProcessState
from aios.telemetry import events

NEW_CODE = "its code has changed since it was spawned; it goes on as long as its calls are the same"
NO_PROGRAM = "this kernel does not host its program; it goes on in one that does"

Ended = Callable[[Process, Exited], Awaitable[None]]


class Programs:
    """Hands out runs; what they remember lies in the journal.

    `ended` is told of every program, durable or not, that has ended by itself.
    """

    def __init__(
        self, lives: Lives, perform: Perform, ended: Ended, environment: Environment
    ) -> None:
        self._lives = lives
        self._ended = ended
        self._perform = perform
        self._environment = environment

    def start_again(self) -> None:
        """Run every durable program that an earlier kernel ran."""
        host = self._lives.host
        for process in self._lives.table.all(ended=False):
            if not process.is_durable:
                continue
            if process.program not in host.programs:
                process.remark = NO_PROGRAM
                continue
            if process.code != host.code_of(process.program):
                process.remark = NEW_CODE
                self._lives.bus.publish(
                    events.Changed(
                        at=self._lives.clock.now(), pid=process.pid, program=process.program or ""
                    )
                )
            host.start_again(process)

    def begin(self, process: Process) -> DurableRun:
        """The first run of a program."""
        return self._run(process, [])

    async def again(self, process: Process) -> tuple[DurableRun, Any]:
        """The next run of a program, and its argument. A paused process waits to be resumed."""
        journal = self._environment.journal
        assert journal is not None
        await self._lives.until_running(process)
        rows = await journal.read(statements.PROGRAM_CALLS_OF, process.pid)
        argument = (await journal.read(statements.PROCESS_ARGUMENT, process.pid))[0][0]
        assert isinstance(argument, bytes)
        run = self._run(process, program_rows.recorded(rows))
        return run, msgspec.msgpack.decode(argument)

    async def ended(self, process: Process, how: Exited) -> None:
        await self._ended(process, how)

    def _run(self, process: Process, recorded: list[Recorded]) -> DurableRun:
        journal = self._environment.journal
        assert journal is not None
        return DurableRun(
            process, recorded, self._perform, self._diverged, journal, self._lives.clock
        )

    def _diverged(self, process: Process, problem: Diverged) -> None:
        """It fails in this kernel only: one that hosts what it was lets it go on."""
        error = f"{problem.code}: {problem}"
        self._lives.finish(process, Exited(pid=process.pid, state=ProcessState.FAILED, error=error))
