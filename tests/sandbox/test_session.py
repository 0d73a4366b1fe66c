"""A session keeps its variables, is held as any job, and says when it is over."""

import asyncio

import pytest

from aios.errors import Cancelled, WrongState
from aios.sandbox.base import Outcome
from aios.sandbox.session import Session
from tests.sandbox.house import House, bounded, named, until_named


def opened(house: House, idle_s: float = 60.0, **bounds: object) -> Session:
    return house.do(house.sandbox.session(bounded(**bounds), idle_s))


def said(house: House, session: Session, code: str) -> Outcome:
    return house.do(session.run(code))


def test_variables_stay_from_one_run_to_the_next(house: House) -> None:
    session = opened(house)
    assert said(house, session, "a = 20\nprint('set')").stdout == b"set\n"
    assert said(house, session, "a += 1\na * 2").stdout == b"42\n"
    house.do(session.close())


def test_an_error_is_told_and_the_session_goes_on(house: House) -> None:
    session = opened(house)
    wrong = said(house, session, "b = 1\nraise ValueError('no')")
    assert (wrong.ended, wrong.code) == ("exited", 1)
    assert b"ValueError: no" in wrong.stderr
    assert said(house, session, "b").stdout == b"1\n"
    bad = said(house, session, "not python at all")
    assert b"SyntaxError" in bad.stderr
    house.do(session.close())


def test_files_stay_too_and_other_sessions_see_none_of_it(house: House) -> None:
    one, other = opened(house), opened(house)
    said(house, one, "open('mine', 'w').write('x'); c = 1")
    assert said(house, one, "open('mine').read()").stdout == b"'x'\n"
    assert b"FileNotFoundError" in said(house, other, "open('mine')").stderr
    assert b"NameError" in said(house, other, "c").stderr
    for session in (one, other):
        house.do(session.close())


def test_a_run_that_takes_too_long_ends_the_session(house: House) -> None:
    session = opened(house, wall_s=0.5)
    late = said(house, session, "print('begun')\nwhile True: pass")
    assert (late.ended, late.stdout) == ("timeout", b"begun\n")
    assert session.is_over
    with pytest.raises(WrongState, match="took too long"):
        said(house, session, "1")


def test_a_program_that_leaves_ends_the_session(house: House) -> None:
    session = opened(house)
    assert said(house, session, "raise SystemExit(7)").code == 7
    with pytest.raises(WrongState, match="left with 7"):
        said(house, session, "1")


def test_an_idle_session_is_taken_back(house: House) -> None:
    session = opened(house, idle_s=0.3)
    assert said(house, session, "1").stdout == b"1\n"

    house.do(asyncio.wait_for(session.wait_over(), 10))
    with pytest.raises(WrongState, match="idle"):
        said(house, session, "1")


def test_memory_is_held_over_all_runs(house: House) -> None:
    if "memory_bytes" in house.sandbox.tier.unbounded:
        pytest.skip("not held on this tier, which says so")
    session = opened(house, memory_bytes=128 << 20)
    said(house, session, "a = b'x' * (64 << 20)")
    assert said(house, session, "b = b'x' * (80 << 20)").ended == "memory"


def test_output_is_each_runs_own_and_each_is_cut(house: House) -> None:
    session = opened(house, output_bytes=100)
    assert said(house, session, "print('x' * 1000)").is_cut
    again = said(house, session, "print('y')")
    assert (again.stdout, again.is_cut) == (b"y\n", False)
    house.do(session.close())


def test_a_forked_child_does_not_speak_for_the_session(house: House) -> None:
    session = opened(house)
    done = said(
        house, session, "import os\npid = os.fork()\nif pid: os.waitpid(pid, 0)\nprint('x')"
    )
    assert done.stdout == b"x\nx\n"
    assert said(house, session, "2").stdout == b"2\n"
    house.do(session.close())


def test_a_closed_session_leaves_nothing_behind(house: House) -> None:
    session = opened(house)
    code = "import subprocess\np = subprocess.Popen(['sh', '-c', 'sleep 60; :', 'of-session'])"
    assert said(house, session, code).ended == "exited"
    house.do(until_named("of-session"))
    house.do(session.close())
    assert named("of-session") == []


def test_closing_ends_the_run_under_way(house: House) -> None:
    session = opened(house)

    async def closed() -> None:
        run = asyncio.ensure_future(session.run("import time; time.sleep(60)"))
        await asyncio.sleep(0.1)
        await session.close()
        with pytest.raises(Cancelled):
            await run

    house.do(closed())


def test_a_cancelled_run_ends_the_session(house: House) -> None:
    session = opened(house)

    async def cancelled() -> None:
        run = asyncio.ensure_future(session.run("import time; time.sleep(60)"))
        await asyncio.sleep(0.1)
        run.cancel()
        with pytest.raises(asyncio.CancelledError):
            await run

    house.do(cancelled())
    assert session.is_over
