"""Many jobs at a time: bounded, cancelled, refilled; no tier but the one that was asked for."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from aios.errors import Busy, Denied, OutcomeUnknown, ShuttingDown
from aios.sandbox.base import Egress, Job, Outcome
from aios.sandbox.launched import DEFAULT
from aios.sandbox.launcher.keeper import children
from tests.sandbox.house import SETTINGS, House, bounded, gone_within, named, until_named

SLEEP = "import time; time.sleep(60)"


def sleeping(mark: str) -> Job:
    return Job(argv=("sh", "-c", "sleep 60; :", mark), bounds=bounded(wall_s=60.0))


def test_a_cancelled_job_is_gone_with_everything_in_it(house: House) -> None:
    async def cancelled() -> None:
        run = asyncio.ensure_future(house.sandbox.run(sleeping("is-cancelled")))
        await until_named("is-cancelled")
        run.cancel()
        with pytest.raises(asyncio.CancelledError):
            await run

    house.do(cancelled())
    assert named("is-cancelled") == []


def test_jobs_run_side_by_side_and_do_not_mix(house: House) -> None:
    async def many() -> list[Outcome]:
        jobs = [Job(python=f"print({number})") for number in range(12)]
        return await asyncio.gather(*map(house.sandbox.run, jobs))

    said = [done.stdout for done in house.do(many())]
    assert said == [b"%d\n" % number for number in range(12)]


def test_more_jobs_than_may_wait_are_told_to_come_again(house: House) -> None:
    async def crowd() -> list[object]:
        most = SETTINGS.live + SETTINGS.waiting + 4
        runs = [asyncio.ensure_future(house.sandbox.run(sleeping("crowd"))) for _ in range(most)]
        done, _ = await asyncio.wait(runs, timeout=20, return_when=asyncio.FIRST_COMPLETED)
        first = [run.exception() for run in done]
        for run in runs:
            run.cancel()
        await asyncio.gather(*runs, return_exceptions=True)
        return list(first)

    first = house.do(crowd())
    assert first
    assert all(isinstance(error, Busy) for error in first)
    assert named("crowd") == []


def test_a_waiting_sandbox_that_dies_is_replaced(house: House) -> None:
    assert house.python("print(1)").stdout == b"1\n"
    for keeper in children(house.sandbox.launcher_pid):
        for pid in reversed(_below(keeper)):  # The interpreters themselves first.
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    assert [house.python("print(2)").stdout for _ in range(4)] == [b"2\n"] * 4


def test_a_keeper_that_dies_loses_its_job_alone(house: House) -> None:
    async def lost() -> tuple[Outcome, Outcome]:
        victim = asyncio.ensure_future(house.sandbox.run(sleeping("loses-keeper")))
        await until_named("loses-keeper")
        for keeper in children(house.sandbox.launcher_pid):
            if named("loses-keeper")[0] in _below(keeper):
                os.kill(keeper, signal.SIGKILL)
                break
        return await victim, await house.sandbox.run(Job(python="print('well')"))

    one, other = house.do(lost())
    assert one.ended == "signalled"
    assert other.stdout == b"well\n"
    assert named("loses-keeper") == []


def test_a_launcher_that_dies_takes_its_jobs_along_and_is_replaced(house: House) -> None:
    async def die() -> Outcome:
        run = asyncio.ensure_future(house.sandbox.run(sleeping("loses-launcher")))
        await until_named("loses-launcher")
        os.kill(house.sandbox.launcher_pid, signal.SIGKILL)
        with pytest.raises(OutcomeUnknown):
            await run
        return await house.sandbox.run(Job(python="print('again')"))

    done = house.do(die())
    assert (done.stdout, done.tier) == (b"again\n", house.tier)
    assert gone_within("loses-launcher", 2.0)


def test_after_close_nothing_is_left_and_nothing_begins() -> None:
    house = House(_any_tier())
    pid = house.sandbox.launcher_pid

    async def closed() -> None:
        run = asyncio.ensure_future(house.sandbox.run(sleeping("is-closed")))
        await until_named("is-closed")
        await house.sandbox.close()
        with pytest.raises(ShuttingDown):
            await run
        with pytest.raises(ShuttingDown):
            await house.sandbox.run(Job(python="x"))

    with house:
        house.do(closed())
    assert named("is-closed") == []
    assert not Path(f"/proc/{pid}").exists()


def test_a_kernel_that_is_killed_leaves_no_process_and_no_file(house: House) -> None:
    program = f"""
import asyncio
from aios.sandbox.base import Job
from aios.sandbox.room import open_sandbox
async def main():
    async with open_sandbox({house.tier!r}) as sandbox:
        print(sandbox.launcher_pid, sandbox.place, flush=True)
        await sandbox.run(Job(argv=("sh", "-c", "sleep 60; :", "loses-kernel")))
asyncio.run(main())
"""
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as kernel:
        assert kernel.stdout is not None
        pid, place = kernel.stdout.readline().decode().split()
        house.do(asyncio.wait_for(until_named("loses-kernel"), 20))
        kernel.kill()
    assert gone_within("loses-kernel", 2.0)
    end = time.perf_counter() + 10
    while Path(f"/proc/{pid}").exists() and time.perf_counter() < end:
        continue
    assert not Path(place).exists()


def test_a_tier_that_is_not_here_is_never_replaced_by_another() -> None:
    for name in ("seatbelt", "docker", "no-such-tier"):
        with pytest.raises(Denied, match=name):
            House(name)


def test_no_tier_at_all_is_had_by_its_name_alone() -> None:
    assert "none" not in DEFAULT
    with House("none") as house:
        assert house.sandbox.tier.strength == 0
        assert set(house.sandbox.tier.unbounded) >= {"memory_bytes", "processes"}
        assert house.python("print('plain')").tier == "none"


def test_a_job_that_needs_a_way_out_is_refused_where_there_is_none(house: House) -> None:
    with pytest.raises(Denied, match="way out"):
        house.run(Job(python="x", egress=Egress(("example.org:443",))))


def test_a_large_process_starts_sandboxes_as_fast_as_a_small_one(house: House) -> None:
    def cold() -> float:
        began = time.perf_counter()
        house.run(Job(python="1", bounds=bounded(disk_bytes=1 << 20)))
        return time.perf_counter() - began

    cold()
    small = sorted(cold() for _ in range(7))[3]
    weight = bytearray(1 << 30)
    weight[::4096] = b"x" * (len(weight) // 4096)  # Touched: it is really there.
    large = sorted(cold() for _ in range(7))[3]
    # A fork of this much memory takes 70 ms and more; the rest is what a busy machine varies by.
    assert large < small * 2 + 0.03


def _below(pid: int) -> list[int]:
    found = children(pid)
    for one in found:
        found += children(one)
    return found


def _any_tier() -> str:
    for tier in ("bubblewrap", "landlock"):
        try:
            with House(tier):
                return tier
        except Denied:
            continue
    pytest.skip("no tier here")
