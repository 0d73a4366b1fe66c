"""Runs hosted programs as tasks of the kernel. A program speaks syscalls like any agent."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol

from aios.errors import AiosError, WrongState
from aios.kernel.process import Process
from aios.syscalls.process import Exited, Pid, ProcessState


class Program(Protocol):
    """A hosted agent: gets the kernel as transport, its own token, and its argument."""

    def __call__(self, transport: Any, token: str, argument: Any, /) -> Awaitable[Any]: ...


Ended = Callable[[Process, Exited], Awaitable[None]]


class Host:
    """One task per hosted process, owned by the kernel's task group."""

    def __init__(self, programs: Mapping[str, Program]) -> None:
        self.programs = programs
        self._tasks: dict[Pid, asyncio.Task[None]] = {}
        self._group: asyncio.TaskGroup | None = None
        self._transport: Any = None
        self._ended: Ended

    def open(self, group: asyncio.TaskGroup, transport: Any, ended: Ended) -> None:
        """From now on programs can be started; `ended` is awaited once with how each one went."""
        self._group, self._transport, self._ended = group, transport, ended

    def start(self, process: Process, argument: Any) -> None:
        """Run the process's program."""
        if self._group is None:
            raise WrongState("the kernel is not open; expected `async with kernel`")
        assert process.program is not None
        work = self._run(process, self.programs[process.program], argument)
        task = self._group.create_task(work, name=f"pid {process.pid}")
        self._tasks[process.pid] = task
        task.add_done_callback(lambda _: self._tasks.pop(process.pid, None))

    def code_of(self, program: str | None) -> str:
        return ""

    def stop(self, pid: Pid) -> None:
        """Cancel a program's task, unless that is the task asking."""
        task = self._tasks.get(pid)
        if task is not None and task is not asyncio.current_task():
            task.cancel()

    async def close(self, limit_s: float) -> None:
        """Let programs end on the errors their calls now get; cancel those that do not."""
        tasks = list(self._tasks.values())
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=limit_s)
            for task in late:
                task.cancel()

    def cancel(self) -> None:
        """Cancel every program, at once."""
        for task in self._tasks.values():
            task.cancel()

    async def _run(self, process: Process, program: Program, argument: Any) -> None:
        failed = ""
        result: Any = None
        try:
            result = await program(self._transport, process.token, argument)
        except AiosError as error:
            failed = f"{error.code}: {error}"
        except (Exception, SystemExit) as error:  # Its fault must not reach its neighbours.
            failed = f"{type(error).__name__}: {error}"
        except asyncio.CancelledError:
            # Its own doing, or the kernel stops; a killed process has ended already.
            gone = Exited(pid=process.pid, state=ProcessState.FAILED, error="cancelled")
            await self._ended(process, gone)
            raise
        state = ProcessState.FAILED if failed else ProcessState.EXITED
        await self._ended(process, Exited(process.pid, state, result, failed))
