"""The worker's queue has a bound, and its answers reach those who wait."""

import asyncio
from collections.abc import Sequence
from threading import Event

import pytest

from aios.errors import Busy
from aios.journal.worker import Worker


def test_full_queue_refuses_and_takes_again_once_it_is_empty() -> None:
    go_on = Event()

    def work(jobs: Sequence[int]) -> Sequence[int]:
        go_on.wait()
        return [job * 2 for job in jobs]

    async def scenario() -> None:
        worker: Worker[int, int] = Worker(work, name="worker", waiting_max=3)
        answers = [worker.submit(number) for number in range(3)]
        with pytest.raises(Busy, match="at most 3"):
            worker.submit(3)
        go_on.set()
        assert await asyncio.gather(*answers) == [0, 2, 4]
        assert await worker.submit(3) == 6
        worker.close()

    asyncio.run(scenario())


def test_work_that_raises_answers_everybody_and_goes_on() -> None:
    def work(jobs: Sequence[int]) -> Sequence[int]:
        return [1 // job for job in jobs]

    async def scenario() -> None:
        worker: Worker[int, int] = Worker(work, name="worker", waiting_max=3)
        with pytest.raises(ZeroDivisionError):
            await worker.submit(0)
        assert await worker.submit(1) == 1
        worker.close()

    asyncio.run(scenario())


def test_idle_work_is_done_once_after_each_burst() -> None:
    rested = Event()

    async def scenario() -> None:
        worker: Worker[int, int] = Worker(
            lambda jobs: jobs, name="worker", waiting_max=3, idle=rested.set
        )
        await worker.submit(1)
        assert await asyncio.to_thread(rested.wait, 10)
        worker.close()

    asyncio.run(scenario())
