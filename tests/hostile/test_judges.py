"""Each judge sees the breach that it is there for, and an honest run is none."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from aios.bench.hostile.cases import case
from aios.bench.hostile.scene import Scene
from aios.errors import Busy, Denied
from aios.sandbox.base import File, Job, Outcome
from tests.hostile.house import TIER, Answer, ended, judged

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")


def saying(**fields: object) -> Answer:
    """A run that ended so."""

    async def answer(job: Job, around: Scene) -> Outcome:
        return ended(**fields)

    return answer


def test_a_program_that_achieved_nothing_is_no_breach() -> None:
    verdict = judged(case("reads_keys"), saying(stdout=b"nothing\n", stderr=b"no such file"))
    assert (verdict.breaches, verdict.survivors, verdict.declared) == ((), 0, "")


@pytest.mark.parametrize(
    ("program", "fields", "seen"),
    [
        ("devices", {"stdout": b"x\nBREACH opened /dev/mem\n"}, "opened /dev/mem"),
        ("fork_bomb", {"stdout": b"REACHED 12\nREACHED 49\n"}, "reached 49, at most 48"),
        ("memory_one", {"stdout": b"REACHED 136\n"}, "reached 136"),
        ("stdout_flood", {"stdout": b"x" * 70_000}, "70,000 bytes of output"),
        ("stderr_flood", {"stderr": b"x" * 70_000}, "70,000 bytes of output"),
        ("inodes", {"files": tuple(File(f"{n}", b"") for n in range(513))}, "513 files"),
        ("holes", {"files": (File("a", b"x" * (65 << 20)),)}, "more bytes came back"),
        ("weird_names", {"files": (File("a\nb", b""),)}, "came back as 'a\\nb'"),
        ("weird_names", {"files": (File("../up", b""),)}, "came back as '../up'"),
        ("core_dump", {"files": (File("core.17", b""),)}, "core dump"),
        ("zip_bomb", {"files": (File("a", b"\0" * (2 << 20)),)}, "unpacked"),
        ("garbage", {"stdout": "\ufffd".encode()}, "its output was"),
        ("forged_result", {"code": 0}, "ended with 0, not 7"),
        ("waits_for_input", {"ended": "timeout"}, "ended by timeout, not exited"),
        ("reads_keys", {"wall_s": 4.2}, "0.20 s after its deadline"),
        ("holds_pipes", {"wall_s": 3.5}, "went on for 3.5 s"),
        ("cpu_spin", {"ended": "timeout"}, "could not be seen"),
    ],
)
def test_an_outcome_that_shows_a_breach_is_seen(
    program: str, fields: dict[str, object], seen: str
) -> None:
    (first, *_) = judged(case(program), saying(**fields)).breaches
    assert seen in first


def test_the_secret_is_found_wherever_it_comes_out() -> None:
    async def answer(job: Job, around: Scene) -> Outcome:
        canary = around.canary.encode()
        return ended(stderr=b"x" + canary, files=(File("a", canary),))

    assert judged(case("reads_keys"), answer).breaches == (
        "the secret is in its output",
        "the secret is in a",
    )


def test_everything_done_to_the_scene_is_found_and_put_right() -> None:
    async def answer(job: Job, around: Scene) -> Outcome:
        aims = job.environment
        for one in (around.outside / "made", around.other / "planted", Path("/tmp", around.mark)):
            one.touch()
        (around.outside / "precious").write_text("changed")
        around.secret.write_text("changed")
        with socket.socket(socket.AF_UNIX) as unix, socket.socket() as tcp:
            unix.connect(aims["AIM_UNIX"])
            tcp.connect(("127.0.0.1", int(aims["AIM_TCP"])))
        os.kill(int(aims["AIM_PID"]), signal.SIGKILL)
        return ended()

    breaches = " / ".join(judged(case("writes_outside"), answer).breaches)
    for what in (
        "wrote made",
        "wrote into another agent's folder",
        "left /tmp/hx",
        "changed a file outside",
        "changed the secret",
        "reached the TCP service",
        "reached the unix socket service",
        "killed the bystander",
    ):
        assert what in breaches


def test_a_survivor_is_counted_and_then_ended() -> None:
    left: list[subprocess.Popen[bytes]] = []

    async def answer(job: Job, around: Scene) -> Outcome:
        words = [sys.executable, "-c", "import time; time.sleep(60)", around.mark]
        left.append(await asyncio.to_thread(subprocess.Popen, words))
        return ended()

    verdict = judged(case("daemon"), answer)
    assert verdict.survivors == 1
    assert "1 processes alive after the end" in verdict.breaches
    assert left[0].wait(10) == -signal.SIGKILL


def test_a_bound_that_the_tier_does_not_claim_is_declared_and_no_breach() -> None:
    tier = msgspec.structs.replace(TIER, unbounded=("processes",))
    many = saying(stdout=b"REACHED 100\n")
    assert judged(case("fork_bomb"), many, tier=tier).declared == "processes"
    assert judged(case("fork_bomb"), many, tier=tier).breaches == ()
    assert judged(case("memory_one"), saying(stdout=b"REACHED 999\n"), tier=tier).breaches


def test_a_refused_job_risks_nothing_and_a_failed_one_is_a_breach() -> None:
    async def refuse(job: Job, around: Scene) -> Outcome:
        raise Denied("no way out here")

    async def fail(job: Job, around: Scene) -> Outcome:
        raise Busy("its keeper is gone")

    assert judged(case("around_proxy"), refuse).refused == "no way out here"
    assert judged(case("around_proxy"), refuse).breaches == ()
    assert judged(case("signals_keeper"), fail).breaches == (
        "the run itself failed: Busy: its keeper is gone",
    )


def test_a_next_program_that_notices_anything_is_a_breach() -> None:
    verdict = judged(case("next_interpreter"), saying(), after=ended(stdout=b"hijacked\n"))
    assert verdict.breaches == ("the next program: exited, b'hijacked\\n'",)


def test_a_neighbour_that_is_ended_is_a_breach() -> None:
    verdict = judged(case("signals_keeper"), saying(), neighbour=ended(ended="signalled"))
    assert verdict.breaches == ("ended a neighbour: signalled b''",)
