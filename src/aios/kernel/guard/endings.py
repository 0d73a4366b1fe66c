"""How hosted programs end: what they return is told as by `process.exit`, under the same rules.

Most end at once. What labels hold up waits for a human as any call does; the process lives until
it is told. The words of what went wrong in one are held back, and nobody is asked of them.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from msgspec.structs import replace

from aios.clock import Clock
from aios.errors import AiosError, Busy, NoSpace, ShuttingDown
from aios.journal.base import Work
from aios.kernel.environment import Environment
from aios.kernel.guard.guard import Guard
from aios.kernel.lives import RETRY_S, Lives
from aios.kernel.process import Process
from aios.syscalls.base import Syscall
from aios.syscalls.codec import checked
from aios.syscalls.process import Exit, Exited, ProcessState

Perform = Callable[[str, Syscall[Any], str, Work], Awaitable[Any]]
HELD_BACK = "its words are held back, for they may be those of"


class Endings:
    """`perform` makes a call in a process's name."""

    def __init__(
        self, guard: Guard, lives: Lives, perform: Perform, environment: Environment
    ) -> None:
        self._guard = guard
        self._lives = lives
        self._perform = perform
        self._journal = environment.journal
        self._clock: Clock = environment.clock

    async def ended(self, process: Process, how: Exited) -> None:
        """A program, durable or not, has ended by itself."""
        marks = self._guard.marks(process)
        told = await self._told(process, how, marks) if marks else how
        if told is not None:
            await self._lives.end(process, replace(told, sources=marks))

    async def _told(self, process: Process, how: Exited, marks: tuple[str, ...]) -> Exited | None:
        """What is left to be told; None where that is for the next kernel."""
        is_result = how.state is ProcessState.EXITED
        try:
            call = checked(Exit(result=how.result if is_result else how.error))
            if not self._guard.holds_up(process, call):
                return how
            if is_result:
                await self._tell(process, call)
                return how
        except ShuttingDown as problem:
            if process.is_durable:  # It returns the same again, and finds its question there.
                return None
            return _failed(process, problem)
        except AiosError as problem:
            return _failed(process, problem)
        kind = how.error.partition(":")[0]
        return replace(how, error=f"{kind}: {HELD_BACK} {', '.join(marks)}")

    async def _tell(self, process: Process, call: Syscall[Any]) -> None:
        """End the process by it; without room on the disk, wait for room."""
        while not process.has_ended:
            try:
                await self._perform(process.token, call, "", Work(self._journal))
            except (NoSpace, Busy):
                await self._clock.sleep(RETRY_S)


def _failed(process: Process, problem: AiosError) -> Exited:
    return Exited(process.pid, ProcessState.FAILED, error=f"{problem.code}: {problem}")
