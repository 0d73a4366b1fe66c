"""A thread that takes all the work that waits, does it as one group, and answers it as one.

Knows nothing of the work. One wake-up of the event loop a group, however many wait for it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Generic, TypeVar

from aios.errors import Busy, ShuttingDown

Job = TypeVar("Job")
Answer = TypeVar("Answer")

GROUP_MAX = 2_048  # jobs, so that the first of a flood does not wait for the last
IDLE_S = 0.05  # of quiet, before idle work that the next job would have to wait for


class Worker(Generic[Job, Answer]):
    """Jobs are done in the order in which they were submitted.

    `work` answers each job of a group with a value or an error; what it raises answers them all.
    """

    def __init__(
        self,
        work: Callable[[list[Job]], Sequence[Answer | Exception]],
        *,
        name: str,
        waiting_max: int,
        idle: Callable[[], None] | None = None,
    ) -> None:
        self._work = work
        self._idle = idle
        self._name = name
        self._waiting_max = waiting_max
        self._waiting = 0  # submitted and not answered; the event loop's own
        self._is_open = True
        self._queue: SimpleQueue[tuple[Job, asyncio.Future[Answer]] | None] = SimpleQueue()
        self._thread = Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def submit(self, job: Job) -> Awaitable[Answer]:
        """Queued when it returns. Raises `Busy` where the queue is full."""
        if not self._is_open:
            raise ShuttingDown(f"the {self._name} is closed")
        if self._waiting >= self._waiting_max:
            raise Busy(f"expected at most {self._waiting_max} jobs waiting for the {self._name}")
        self._waiting += 1
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._queue.put((job, future))
        return future

    def close(self) -> None:
        """Do what is queued, then end the thread; blocks until then."""
        self._is_open = False
        self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        is_quiet = True  # nothing has happened since the idle work was done
        while True:
            try:
                first = self._queue.get(timeout=None if is_quiet else IDLE_S)
            except Empty:
                is_quiet = True
                if self._idle:
                    self._idle()
                continue
            if first is None:
                return
            is_quiet = self._idle is None
            if not self._do(self._group(first)):
                return

    def _group(
        self, first: tuple[Job, asyncio.Future[Answer]]
    ) -> list[tuple[Job, asyncio.Future[Answer]] | None]:
        group: list[tuple[Job, asyncio.Future[Answer]] | None] = [first]
        with suppress(Empty):
            while group[-1] is not None and len(group) < GROUP_MAX:
                group.append(self._queue.get_nowait())
        return group

    def _do(self, group: list[tuple[Job, asyncio.Future[Answer]] | None]) -> bool:
        """False once the queue has come to its end."""
        jobs = [entry for entry in group if entry is not None]
        answers: Sequence[Answer | Exception]
        try:
            answers = self._work([job for job, _ in jobs])
        except Exception as problem:
            answers = [problem] * len(jobs)
        loop = jobs[0][1].get_loop()
        with suppress(RuntimeError):  # The loop is closed: nobody waits any more.
            loop.call_soon_threadsafe(self._answer, [future for _, future in jobs], answers)
        return group[-1] is not None

    def _answer(
        self, futures: Sequence[asyncio.Future[Answer]], answers: Sequence[Answer | Exception]
    ) -> None:
        self._waiting -= len(futures)
        for future, answer in zip(futures, answers, strict=True):
            if future.done():  # The waiting one was cancelled; the work is done all the same.
                continue
            if isinstance(answer, Exception):
                future.set_exception(answer)
                future.exception()  # It is no mistake if nobody awaits it.
            else:
                future.set_result(answer)
