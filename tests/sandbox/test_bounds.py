"""Every bound holds, over the whole tree, and after the end nothing is left."""

import asyncio
import time

import pytest

from aios.sandbox.base import Job
from tests.sandbox.house import House, bounded, gone_within, named

LATE_S = 0.1  # after the deadline; a busy machine is given more by the tests that measure nothing


def skip_unless_held(house: House, bound: str) -> None:
    if bound in house.sandbox.tier.unbounded:
        pytest.skip(f"{house.tier} does not hold {bound} here, and says so")


def test_a_program_that_takes_too_long_is_ended_at_its_deadline(house: House) -> None:
    began = time.perf_counter()
    done = house.python("print('begun')\nwhile True: pass", wall_s=0.5)
    assert (done.ended, done.stdout) == ("timeout", b"begun\n")
    assert time.perf_counter() - began < 0.5 + 2.0
    assert 0.5 <= done.wall_s < 0.5 + LATE_S * 5


def test_drops_of_output_do_not_put_the_deadline_off(house: House) -> None:
    line = "while true; do echo x; sleep 0.05; done"
    assert house.shell(line, wall_s=0.5).ended == "timeout"


def test_a_program_that_ignores_signals_and_its_daemons_are_gone(house: House) -> None:
    source = """
import os, signal, subprocess, sys
for one in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
    signal.signal(one, signal.SIG_IGN)
for _ in range(5):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.execvp("sh", ["sh", "-c", "trap '' TERM; sleep 60; :", "stays-behind"])
        os._exit(0)
print("begun")
while True: pass
"""
    done = house.python(source, wall_s=1.0)
    assert (done.ended, done.stdout) == ("timeout", b"begun\n")
    assert named("stays-behind") == []


def test_a_daemon_does_not_outlive_a_program_that_ends_by_itself(house: House) -> None:
    line = "(setsid sh -c 'sleep 60; :' outlives-it >/dev/null 2>&1 &) ; echo done"
    assert house.shell(line).stdout == b"done\n"
    assert named("outlives-it") == []


def test_a_fork_bomb_ends_and_leaves_nothing(house: House) -> None:
    skip_unless_held(house, "processes")
    source = """
import os, sys
while True:
    try:
        if os.fork() == 0: sys.argv
    except OSError: pass
"""
    assert house.python(source, wall_s=1.0, processes=20).ended in ("timeout", "memory")
    assert house.python("print('next')").stdout == b"next\n"


def test_processes_of_a_tree_are_counted(house: House) -> None:
    skip_unless_held(house, "processes")
    source = """
import os, time
made = 0
try:
    while made < 100:
        if os.fork() == 0: time.sleep(30); os._exit(0)
        made += 1
except OSError: pass
print(made)
"""
    made = int(house.python(source, processes=10).stdout)
    assert 5 <= made <= 12


def test_memory_of_one_process_is_held(house: House) -> None:
    skip_unless_held(house, "memory_bytes")
    done = house.python("x = b'x' * (256 << 20)\nprint(len(x))", memory_bytes=64 << 20)
    assert (done.ended, done.stdout) == ("memory", b"")


def test_memory_over_many_processes_is_held(house: House) -> None:
    skip_unless_held(house, "memory_bytes")
    source = """
import os, time
for _ in range(8):
    if os.fork() == 0:
        x = b'x' * (32 << 20); time.sleep(3); os._exit(0)
codes = [os.waitstatus_to_exitcode(os.wait()[1]) for _ in range(8)]
raise SystemExit(1 if -9 in codes else 0)
"""
    assert house.python(source, memory_bytes=96 << 20, wall_s=15.0).ended == "memory"


def test_a_job_with_memory_to_spare_is_not_told_to_lack_it(house: House) -> None:
    """The place is one where another job ran out of memory before."""
    house.python("x = b'x' * (256 << 20)", memory_bytes=64 << 20)
    done = house.python("x = b'x' * (32 << 20)\nraise SystemExit(9)", memory_bytes=256 << 20)
    assert (done.ended, done.code) == ("exited", 9)


def test_cpu_time_over_many_processes_is_held(house: House) -> None:
    skip_unless_held(house, "cpu_s")
    source = "import os\nfor _ in range(3): os.fork()\nwhile True: pass"
    done = house.python(source, cpu_s=1.0, wall_s=20.0)
    assert done.ended == "timeout"
    assert done.wall_s < 15.0


def test_a_full_workspace_is_the_programs_trouble(house: House) -> None:
    skip_unless_held(house, "disk_bytes")
    source = """
written = 0
try:
    for number in range(64):
        with open(f"f{number}", "wb", 0) as file:
            for _ in range(4): written += file.write(bytes(1 << 18))
except OSError as problem: print(problem.errno)
print(written)
"""
    said = house.python(source, disk_bytes=8 << 20).stdout.split()
    assert said[0] == b"28"
    assert 7 << 20 <= int(said[1]) <= 8 << 20


def test_open_files_are_held(house: House) -> None:
    source = """
files = []
try:
    while True: files.append(open("/dev/null"))
except OSError as problem: print(problem.errno, len(files) < 40)
"""
    assert house.python(source, open_files=40).stdout == b"24 True\n"


def test_output_beyond_the_bound_is_cut_and_the_job_goes_on(house: House) -> None:
    source = """
import sys
for _ in range(2000): sys.stdout.write("x" * 10_000)
sys.stderr.write("end")
"""
    done = house.python(source, output_bytes=1000)
    assert (done.ended, done.is_cut) == ("exited", True)
    assert (done.stdout, done.stderr) == (b"x" * 1000, b"end")


def test_output_is_any_bytes(house: House) -> None:
    source = "import os; os.write(1, bytes(range(256)))"
    done = house.python(source)
    assert (done.stdout, done.is_cut) == (bytes(range(256)), False)


def test_no_core_is_dumped(house: House) -> None:
    done = house.run(
        Job(argv=("sh", "-c", "kill -SEGV $$"), collect=("core*",), bounds=bounded(wall_s=10.0))
    )
    assert (done.ended, done.code) == ("signalled", 11)
    assert done.files == ()


def test_a_flood_of_one_does_not_hold_up_anothers_deadline(house: House) -> None:
    async def both() -> float:
        flood = asyncio.ensure_future(house.sandbox.run(flooding))
        began = time.perf_counter()
        late = await house.sandbox.run(Job(python="while True: pass", bounds=bounded(wall_s=0.4)))
        took = time.perf_counter() - began
        await flood
        assert late.ended == "timeout"
        return took

    flooding = Job(argv=("sh", "-c", "yes"), bounds=bounded(wall_s=1.5))
    assert house.do(both()) < 2.5


def test_everything_is_gone_when_the_outcome_is_there(house: House) -> None:
    for number in range(3):
        mark = f"counted-{number}-{house.tier}"
        line = f"for i in 1 2 3; do (setsid sh -c 'sleep 60; :' {mark} &); done; sleep 60"
        assert house.shell(line, wall_s=0.5).ended == "timeout"
        assert gone_within(mark, 0.0)
