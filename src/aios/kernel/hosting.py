"""Runs hosted programs as tasks of the kernel. A program speaks syscalls like any agent."""

import asyncio
from collections.abc import Awaitable, Coroutine, Mapping
from typing import Any, Protocol

from aios.errors import AiosError, WrongState
from aios.kernel.code import code_of
from aios.kernel.process import Process
from aios.syscalls.process import Exited, Pid, ProcessState

OUTSIDE = "program"  # the name of what runs programs outside of the kernel; no call may name it
STOPPED = "the kernel stopped while this program ran, and it is not durable"


class Failed(Exception):
    """A program has failed, and what its end tells."""

    def __init__(self, why: str, result: Any) -> None:
        super().__init__(why)
        self.result = result


class Program(Protocol):
    """A hosted agent: gets the kernel as transport, its own token, and its argument."""

    def __call__(self, transport: Any, token: str, argument: Any, /) -> Awaitable[Any]: ...


class Run(Protocol):
    """The transport of one run of a durable program."""

    def stop(self) -> None: ...

    def has_ended(self) -> bool: ...


class Recall(Protocol):
    """What durable programs did before, and how they end."""

    def begin(self, process: Process) -> Run: ...

    async def again(self, process: Process) -> tuple[Run, Any]: ...

    async def ended(self, process: Process, how: Exited) -> None: ...


class Host:
    """One task per hosted process, owned by the kernel's task group."""

    def __init__(self, programs: Mapping[str, Program]) -> None:
        self.programs = dict(programs)
        self._outside: set[Pid] = set()  # running ones that are no code of this process
        self._tasks: dict[Pid, asyncio.Task[None]] = {}
        self._runs: dict[Pid, Run] = {}  # of durable programs
        self._group: asyncio.TaskGroup | None = None
        self._transport: Any = None
        self._recall: Recall
        self._is_closing = False

    def open(self, group: asyncio.TaskGroup, transport: Any, recall: Recall) -> None:
        """From now on programs can be started; `recall.ended` is told once how each one went."""
        self._group, self._transport, self._recall = group, transport, recall

    def start(self, process: Process, argument: Any) -> None:
        """Run the process's program."""
        if process.is_durable:
            run = self._runs[process.pid] = self._recall.begin(process)
            self._begin(process, self._run(process, run, argument))
        else:
            self._begin(process, self._run(process, self._transport, argument))

    def start_again(self, process: Process) -> None:
        """Run a durable program that an earlier kernel ran."""
        self._begin(process, self._run_again(process))

    def code_of(self, program: str | None) -> str:
        """Tells two versions of a program apart; empty where nobody can."""
        return code_of(self.programs[program]) if program else ""

    def stop(self, pid: Pid) -> None:
        """Cancel a program's task, unless that is the task asking."""
        if pid in self._runs:
            self._runs[pid].stop()
        task = self._tasks.get(pid)
        if task is not None and task is not asyncio.current_task():
            task.cancel()

    async def close(self, limit_s: float) -> None:
        """Let programs end on the errors their calls now get; cancel those that do not.

        A durable one is not told: it is taken away, and goes on in the next kernel.
        """
        self._is_closing = True
        for pid in {*self._runs, *self._outside}:
            self.stop(pid)
        tasks = list(self._tasks.values())
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=limit_s)
            for task in late:
                task.cancel()

    def cancel(self) -> None:
        """Cancel every program, at once."""
        self._is_closing = True
        for pid in list(self._tasks):
            self.stop(pid)

    def _begin(self, process: Process, work: Coroutine[Any, Any, None]) -> None:
        if self._group is None:
            work.close()
            raise WrongState("the kernel is not open; expected `async with kernel`")
        task = self._group.create_task(work, name=f"pid {process.pid}")
        self._tasks[process.pid] = task
        if process.program == OUTSIDE:
            self._outside.add(process.pid)
        task.add_done_callback(lambda _: self._forget(process.pid))

    def _forget(self, pid: Pid) -> None:
        self._tasks.pop(pid, None)
        self._outside.discard(pid)
        run = self._runs.pop(pid, None)
        if run is not None:
            run.stop()  # Tasks that the program left behind make no more calls.

    async def _run_again(self, process: Process) -> None:
        run, argument = await self._recall.again(process)
        self._runs[process.pid] = run
        await self._run(process, run, argument)

    async def _run(self, process: Process, transport: Any, argument: Any) -> None:
        assert process.program is not None
        program = self.programs[process.program]
        run: Run | None = self._runs.get(process.pid)
        failed = ""
        result: Any = None
        try:
            result = await program(transport, process.token, argument)
        except Failed as end:
            failed, result = str(end), end.result
        except AiosError as error:
            failed = f"{error.code}: {error}"
        except (Exception, SystemExit) as error:  # Its fault must not reach its neighbours.
            failed = f"{type(error).__name__}: {error}"
        except asyncio.CancelledError:
            # Its own doing, or the kernel stops; a killed process has ended already.
            if not self._is_taken_away(process):
                why = STOPPED if self._is_closing else "cancelled"
                gone = Exited(pid=process.pid, state=ProcessState.FAILED, error=why)
                await self._recall.ended(process, gone)
            raise
        if run is not None:
            if not run.has_ended():
                return
            run.stop()  # What it says now may have to wait, and it makes no calls meanwhile.
        state = ProcessState.FAILED if failed else ProcessState.EXITED
        await self._recall.ended(process, Exited(process.pid, state, result, failed))

    def _is_taken_away(self, process: Process) -> bool:
        return self._is_closing and process.is_durable
