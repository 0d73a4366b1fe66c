"""An asyncio event loop in virtual time: it jumps where a real one waits. No threads, no sockets.

The same program under the same seed takes the same steps in the same order, in one process or in
two: tasks are numbered by their loop and hash by that number, so that sets of tasks (task groups,
`asyncio.wait`) are walked alike every time. A program in which every task waits for another and no
timer is pending would hang a real loop for ever; here it raises `Deadlock`, which names the tasks.
"""

import asyncio
import random
from asyncio.base_events import BaseEventLoop
from collections.abc import Callable, Coroutine
from contextvars import Context
from typing import Any, TypeVar

from aios.clock import LoopClock

T = TypeVar("T")

BEGINNING = 1_700_000_000.0  # seconds since the epoch when a simulated loop starts

_TASKS_NAMED_MAX = 20


class Deadlock(AssertionError):
    """Every task waits and no timer is pending. No handler of AIOS errors can swallow it."""


class VirtualClock(LoopClock):
    """The simulated loop's time, for people too: the epoch is long past and always the same."""

    def utc(self) -> float:
        return BEGINNING + self.now()


class SimLoop(BaseEventLoop):
    """An event loop whose clock starts at 0 and moves only when nothing else can."""

    def __init__(self, after_step: Callable[[], None] | None = None) -> None:
        super().__init__()
        self.now = 0.0
        self.after_step = after_step  # called between any two rounds of callbacks
        self._tasks_made = 0
        self._selector = _Jump(self)
        self._clock_resolution = 1e-9

    def time(self) -> float:
        return self.now

    def create_task(  # type: ignore[override]  # the signature differs between Python versions
        self,
        coro: Coroutine[Any, Any, T],
        *,
        name: str | None = None,
        context: Context | None = None,
        **_: object,
    ) -> asyncio.Task[T]:
        self._tasks_made += 1
        name = name or f"task-{self._tasks_made}"
        return _Task(coro, number=self._tasks_made, loop=self, name=name, context=context)

    def run_in_executor(self, *_: object) -> Any:
        raise AssertionError("a simulated program must not use threads")

    def _run_once(self) -> None:
        super()._run_once()  # type: ignore[misc]  # asyncio's own round, not in its stubs
        if self.after_step is not None:
            self.after_step()

    def _write_to_self(self) -> None:
        """Nothing sleeps in a selector here, so there is nobody to wake."""

    def _process_events(self, event_list: list[object]) -> None:
        assert not event_list


def run(
    main: Callable[[random.Random], Coroutine[Any, Any, T]],
    *,
    seed: int = 0,
    after_step: Callable[[], None] | None = None,
) -> T:
    """Run `main(random.Random(seed))` to its end in virtual time; tasks left over are cancelled.

    What `after_step` raises ends the run.
    """
    loop = SimLoop(after_step)
    try:
        asyncio.set_event_loop(loop)
        return loop.run_until_complete(main(random.Random(seed)))
    finally:
        loop.after_step = None
        try:
            _cancel_all(loop)
            loop.run_until_complete(loop.shutdown_asyncgens())
        finally:
            asyncio.set_event_loop(None)
            loop.close()


class _Task(asyncio.Task[T]):
    """A task with a number for a hash: addresses differ from run to run, numbers do not."""

    def __init__(self, coro: Coroutine[Any, Any, T], *, number: int, **options: Any) -> None:
        self.number = number  # before super(), which hashes the task to register it
        super().__init__(coro, **options)

    def __hash__(self) -> int:
        return self.number


class _Jump:
    """Stands where a loop keeps its selector: instead of waiting, moves the clock."""

    def __init__(self, loop: SimLoop) -> None:
        self._loop = loop

    def select(self, timeout: float | None) -> list[object]:
        if timeout is None:
            raise Deadlock(f"every task waits and no timer is pending: {_waiting(self._loop)}")
        self._loop.now += max(timeout, 0.0)
        return []


def _cancel_all(loop: SimLoop) -> None:
    tasks = _tasks_of(loop)
    for task in tasks:
        task.cancel()
    if tasks:
        loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))


def _tasks_of(loop: SimLoop) -> list[asyncio.Task[Any]]:
    return sorted(asyncio.all_tasks(loop), key=hash)


def _waiting(loop: SimLoop) -> str:
    tasks = _tasks_of(loop)
    names = [f"{task.get_name()} at {_place(task)}" for task in tasks[:_TASKS_NAMED_MAX]]
    more = len(tasks) - len(names)
    return ", ".join(names) + (f" and {more} more" if more else "")


def _place(task: asyncio.Task[Any]) -> str:
    frames = task.get_stack(limit=1)
    if not frames:
        return "its start"
    return f"{frames[0].f_code.co_name}:{frames[0].f_lineno}"
