"""Runs a tool as its caller: with a time limit, retries where they are safe, and its own failures.

A run is a task of its own and keeps its turn until that has ended, however long ago its caller was
told that time was up. Knows no registry and no journal.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from aios.clock import Clock
from aios.errors import (
    AiosError,
    Busy,
    Conflict,
    DeadlineExceeded,
    Denied,
    InvalidArgument,
    NotFound,
    QuotaExceeded,
    WrongState,
)
from aios.kernel.process import Process
from aios.kernel.tools.turns import WITHIN
from aios.kernel.waits import Waits
from aios.syscalls.base import Syscall
from aios.syscalls.tool import Text
from aios.telemetry import events
from aios.telemetry.bus import Bus
from aios.tools.base import Ran, Tool
from aios.tools.holds import Ticket

Speak = Callable[[str, Syscall[Any]], Awaitable[Any]]  # a token, and what is said with it
Secret = Callable[[str, str], str]  # of an agent, by name
RETRY_S = 0.1  # before the first retry; twice as long before each that follows
RETRY_S_MAX = 5.0
CLOSE_S = 1.0
MENDABLE = (InvalidArgument, NotFound, WrongState, Conflict, QuotaExceeded, DeadlineExceeded)
"""Errors of a tool about what it was asked: the model is told, and can do better."""
OF_A_MOMENT = (Busy, ConnectionError, TimeoutError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One run of a tool that may begin."""

    process: Process
    tool: Tool
    arguments: Mapping[str, Any]
    key: str
    limit_s: float
    ticket: Ticket


class Outside:
    """What the running tool may ask of the kernel, as its caller."""

    def __init__(self, order: Order, speak: Speak, secret: Secret) -> None:
        self.pid = order.process.pid
        self.agent = order.process.agent
        self.key = order.key
        self._order = order
        self._speak = speak
        self._secret = secret

    async def call(self, call: Syscall[Any]) -> Any:
        return await self._speak(self._order.process.token, call)

    def secret(self, name: str) -> str:
        declared = self._order.tool.terms.secrets
        if name not in declared:
            raise Denied(f"{self._order.tool.info.name} declares the secrets {declared}, no {name}")
        return self._secret(self.agent, name)


class Runner:
    """Owns the tasks of all runs. Invariant: a run's turn is left exactly once, when it ends."""

    def __init__(self, waits: Waits, clock: Clock, bus: Bus, speak: Speak, secret: Secret) -> None:
        self._waits = waits
        self._clock = clock
        self._bus = bus
        self.speak = speak
        self._secret = secret
        self._tasks: set[asyncio.Task[Ran]] = set()

    async def run(self, order: Order, leave: Callable[[Ticket], None]) -> Ran:
        """What it came to; its own failure is a result. Raises what is the kernel's to tell."""
        name, limit_s = order.tool.info.name, order.limit_s
        task = asyncio.get_running_loop().create_task(self._tried(order), name=f"tool {name}")
        self._tasks.add(task)
        began = self._tell_started(order)

        def ended(task: asyncio.Task[Ran]) -> None:
            self._tasks.discard(task)
            leave(order.ticket)
            self._tell_ended(order, _outcome(task), began)

        task.add_done_callback(ended)
        key = ("tool", name, order.ticket.number)
        try:
            return await self._waits.while_waiting(task, key, order.process.pid, limit_s)
        except DeadlineExceeded:
            if task.done() and not task.cancelled():
                raise
            unknown = "" if order.tool.terms.repeatable else "; it may have done some of its work"
            return _failed(f"timeout after {limit_s:g} s{unknown}")

    @property
    def is_idle(self) -> bool:
        """Nothing runs."""
        return not self._tasks

    async def close(self) -> None:
        """End what runs. A thread cannot be ended; it is left behind after a moment."""
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=CLOSE_S)

    def _tell_started(self, order: Order) -> float:
        now, name = self._clock.now(), order.tool.info.name
        self._bus.publish(
            events.ToolStarted(at=now, pid=order.process.pid, tool=name, run=order.ticket.number)
        )
        return now

    def _tell_ended(self, order: Order, outcome: str, began: float) -> None:
        now = self._clock.now()
        self._bus.publish(
            events.ToolEnded(
                at=now,
                pid=order.process.pid,
                tool=order.tool.info.name,
                run=order.ticket.number,
                outcome=outcome,
                took_s=now - began,
            )
        )

    async def _tried(self, order: Order) -> Ran:
        """Run it, and again where that is safe and may help."""
        WITHIN.set(order.ticket)
        outside = Outside(order, self.speak, self._secret)
        terms = order.tool.terms
        pause_s = RETRY_S
        for left in reversed(range(1 + terms.retries * terms.repeatable)):
            try:
                ran = await order.tool.run(order.arguments, outside)
                return ran if isinstance(ran, Ran) else Ran(contents=ran)
            except (Exception, SystemExit) as problem:  # Its fault must not reach its neighbours.
                if not left or not isinstance(problem, OF_A_MOMENT):
                    return _failure(problem)
            await self._clock.sleep(pause_s)
            pause_s = min(RETRY_S_MAX, pause_s * 2)
        raise AssertionError("the last try returns or raises")


def _outcome(task: asyncio.Task[Ran]) -> str:
    """Looks at the exception too: nobody else may, where the caller has gone."""
    if task.cancelled():
        return "cancelled"
    return "failed" if task.exception() or task.result().is_error else "done"


def _failure(problem: BaseException) -> Ran:
    """The tool's own failure as its result; what is the kernel's to tell is raised."""
    if isinstance(problem, MENDABLE):
        return _failed(f"{problem.code}: {problem}")
    if isinstance(problem, AiosError):
        raise problem
    return _failed(f"{type(problem).__name__}: {problem}")


def _failed(told: str) -> Ran:
    return Ran(contents=(Text(told),), is_error=True)
