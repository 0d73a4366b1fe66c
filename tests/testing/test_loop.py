"""Virtual time: what a simulated program may rely on."""

import asyncio
import random
import subprocess
import sys
import time

import pytest

from aios.testing.loop import Deadlock, run

STORM = """
import asyncio, random, sys
from aios.testing.loop import run

async def main(rng):
    trace = []
    async def worker(name):
        try:
            for _ in range(5):
                await asyncio.sleep(rng.random())
                trace.append(name)
            await asyncio.sleep(3600)
        finally:
            trace.append(f"end {name}")
    async def bomb():
        await asyncio.sleep(10)
        raise ValueError
    try:
        async with asyncio.TaskGroup() as group:
            for name in range(200):
                group.create_task(worker(name))
            group.create_task(bomb())
    except* ValueError:
        pass
    return trace

sys.stdout.write(repr(run(main, seed=int(sys.argv[1]))))
"""


def storm(seed: int) -> str:
    done = subprocess.run(
        [sys.executable, "-c", STORM, str(seed)], capture_output=True, text=True, check=True
    )
    return done.stdout


def test_an_hour_passes_in_no_time() -> None:
    async def main(_: random.Random) -> float:
        await asyncio.sleep(3600)
        return asyncio.get_running_loop().time()

    began = time.perf_counter()
    assert run(main) == pytest.approx(3600)
    assert time.perf_counter() - began < 1


def test_timers_fire_in_order_and_at_their_own_time() -> None:
    async def main(_: random.Random) -> list[tuple[int, float]]:
        loop = asyncio.get_running_loop()
        seen: list[tuple[int, float]] = []

        async def late(number: int, delay: float) -> None:
            await asyncio.sleep(delay)
            seen.append((number, round(loop.time(), 6)))

        await asyncio.gather(late(1, 3.0), late(2, 0.1), late(3, 100_000.0))
        return seen

    assert run(main) == [(2, 0.1), (1, 3.0), (3, 100_000.0)]


def test_timeouts_count_virtual_time() -> None:
    async def main(_: random.Random) -> float:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(30):
                await asyncio.Event().wait()
        return asyncio.get_running_loop().time()

    assert run(main) == pytest.approx(30)


def test_a_deadlock_is_an_error_that_names_who_waits() -> None:
    async def main(_: random.Random) -> None:
        never = asyncio.Event()

        async def stuck() -> None:
            await never.wait()

        async with asyncio.TaskGroup() as group:
            group.create_task(stuck(), name="philosopher")

    with pytest.raises(Deadlock, match="philosopher at stuck"):
        run(main)


def test_tasks_left_over_are_cancelled() -> None:
    ended: list[str] = []

    async def main(_: random.Random) -> None:
        async def forever() -> None:
            try:
                await asyncio.Event().wait()
            finally:
                ended.append("forever")

        task = asyncio.get_running_loop().create_task(forever())
        await asyncio.sleep(1)
        assert not task.done()

    run(main)
    assert ended == ["forever"]


def test_threads_are_refused() -> None:
    async def main(_: random.Random) -> None:
        await asyncio.to_thread(time.perf_counter)

    with pytest.raises(AssertionError, match="threads"):
        run(main)


def test_an_error_of_the_program_comes_out() -> None:
    async def main(_: random.Random) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run(main)


def test_the_same_seed_gives_the_same_trace_in_another_process() -> None:
    first, second, other = storm(1), storm(1), storm(2)
    assert first.count("end") == 200
    assert first == second
    assert first != other
