"""Programs as agents: their status, their output, their input, and a hand on the whole tree."""

import asyncio
import os
import signal
from pathlib import Path

import aiohttp
import pytest

from aios.errors import Denied, NotFound, WrongState
from aios.kernel import outside
from aios.programs.stage import Order, opened_stage
from aios.sdk import Client
from aios.syscalls import ProcessState, Spawn
from aios.testing.journal import InlineJournal
from tests.programs.house import SPIN, cpu_of, house, lived, state_of, text_of, until

GRANDCHILD = f"setsid sh -c 'trap \"\" TERM; echo $$; {SPIN}' &"
CHAT = """
import json, os, urllib.request
request = urllib.request.Request(
    os.environ["OPENAI_BASE_URL"] + "/chat/completions",
    data=json.dumps({"model": "any", "messages": [{"role": "user", "content": "hi"}]}).encode(),
    headers={"authorization": "Bearer " + os.environ["OPENAI_API_KEY"],
             "idempotency-key": "one", "content-type": "application/json"},
)
print("told", json.load(urllib.request.urlopen(request))["choices"][0]["message"], flush=True)
"""


@pytest.mark.parametrize(
    ("script", "state", "result"),
    [("exit 0", "exited", 0), ("exit 3", "failed", 3), ("kill -9 $$", "failed", 137)],
)
def test_a_programs_status_is_its_agents_result(
    tmp_path: Path, script: str, state: str, result: int
) -> None:
    async def main() -> None:
        async with house(tmp_path) as home:
            ended = await home.ended(await home.sh(script))
            assert (ended.state, ended.result) == (state, result)

    lived(main)


def test_what_cannot_be_started_says_so_in_its_log(tmp_path: Path) -> None:
    async def main() -> None:
        async with house(tmp_path) as home:
            pid = await home.started(("no-such-program",), "no")
            assert (await home.ended(pid)).result == 127
            assert text_of(await home.whole_log(pid)) == "aios: no-such-program: not found\n"

    lived(main)


def test_a_program_that_knows_nothing_of_the_kernel_chats_through_its_environment(
    tmp_path: Path,
) -> None:
    async def main() -> None:
        async with house(tmp_path) as home:
            pid = await home.python(CHAT)
            assert (await home.ended(pid)).state == "exited"
            assert "told" in text_of(await home.whole_log(pid))
            assert (await home.client.inspect(pid)).completion_tokens > 0

    lived(main)


def test_both_streams_are_kept_after_the_end_and_input_is_taken(tmp_path: Path) -> None:
    async def main() -> None:
        async with house(tmp_path) as home:
            pid = await home.sh("cat; echo wrong >&2", takes_input=True)
            assert (await home.client.programs.feed(pid, b"given\n")).is_open
            assert not (await home.client.programs.feed(pid, is_last=True)).is_open
            await home.ended(pid)
            chunks = await home.whole_log(pid)
            assert [(one.stream, one.data) for one in chunks] == [
                ("stdout", b"given\n"), ("stderr", b"wrong\n")]  # fmt: skip
            assert (await home.client.programs.log(pid, 12, wait_s=60)).is_over

    lived(main)


def test_pause_stops_grandchildren_in_sessions_of_their_own_and_resume_lets_them_go_on(
    tmp_path: Path,
) -> None:
    async def main() -> None:
        async with house(tmp_path) as home:
            pid = await home.sh(f"{GRANDCHILD} {SPIN}")
            grandchild = int(await home.said(pid, "\n"))
            await home.client.pause(pid)
            await until(lambda: state_of(grandchild) == "T")
            before = cpu_of(grandchild)
            await asyncio.sleep(0.3)
            assert cpu_of(grandchild) == before
            await home.client.resume(pid)
            await until(lambda: cpu_of(grandchild) > before)

    lived(main)


@pytest.mark.parametrize("paused", [False, True])
def test_kill_ends_the_whole_tree_within_a_second(tmp_path: Path, paused: bool) -> None:
    async def main() -> None:
        async with house(tmp_path) as home:
            pid = await home.sh(f"trap '' TERM; {GRANDCHILD} {SPIN}")
            grandchild = int(await home.said(pid, "\n"))
            if paused:
                await home.client.pause(pid)
            loop = asyncio.get_running_loop()
            began = loop.time()
            await home.client.kill(pid)
            await until(lambda: state_of(grandchild) == "")
            assert loop.time() - began < 5  # Half a second and a busy machine.
            assert (await home.ended(pid)).state == ProcessState.KILLED

    lived(main)


def test_the_end_of_a_program_ends_what_it_left_behind_and_the_agents_it_opened(
    tmp_path: Path,
) -> None:
    opens = """
import json, os, urllib.request
spawn = os.environ["AIOS_URL"] + "/api/syscalls/process.spawn"
urllib.request.urlopen(urllib.request.Request(spawn,
    data=b'{"name": "helper"}', headers={"authorization": "Bearer " + os.environ["AIOS_TOKEN"]}))
if os.fork() == 0:
    os.setsid()
    print(os.getpid(), flush=True)
    import time; time.sleep(1000)
os.wait3(os.WNOHANG)
"""

    async def main() -> None:
        async with house(tmp_path) as home:
            pid = await home.python(opens)
            assert (await home.ended(pid)).state == "exited"
            left = text_of(await home.whole_log(pid)).split()
            assert all(state_of(int(one)) == "" for one in left)
            assert [one.name for one in home.kernel.table.all(ended=False)] == ["init"]

    lived(main)


def test_a_flood_of_output_neither_blocks_the_program_nor_fills_the_disk(tmp_path: Path) -> None:
    async def main() -> None:
        async with house(tmp_path) as home:
            pid = await home.sh("head -c 40000000 /dev/zero; echo; echo done")
            assert (await home.ended(pid)).state == "exited"
            part = await home.client.programs.log(pid, tail=1)
            assert text_of(part.chunks) == "done\n"
            kept = sum(path.stat().st_size for path in (tmp_path / f"programs/{pid}").iterdir())
            assert kept < 10 << 20

    lived(main)


def test_a_keeper_that_is_killed_takes_its_program_along(tmp_path: Path) -> None:
    async def main() -> None:
        async with house(tmp_path) as home:
            pid = await home.sh(f"{GRANDCHILD} echo $PPID >&2; {SPIN}")
            whole = await home.said(pid, "\n")
            while whole.count("\n") < 2:
                whole = text_of(await home.whole_log(pid))
            numbers = {one.stream: int(one.data) for one in await home.whole_log(pid)}
            os.kill(numbers["stderr"], signal.SIGKILL)
            assert (await home.ended(pid)).error.startswith("outcome_unknown")
            await until(lambda: state_of(numbers["stdout"]) == "")
            assert (await home.ended(await home.sh("exit 4"))).result == 4

    lived(main)


def test_only_who_was_given_the_right_starts_programs(tmp_path: Path) -> None:
    async def main() -> None:
        async with house(tmp_path) as home:
            agent = Client(home.kernel, (await home.client.spawn("agent")).token)
            with pytest.raises(Denied):
                await agent.programs.start("x", ["true"], "/", {})
            with pytest.raises(NotFound):
                await agent.call(Spawn(name="x", program="program", argument={"argv": ["true"]}))
            await home.client.access.grant("agent", "program.start")
            started = await agent.programs.start("x", ["echo", "hi"], "/", dict(os.environ))
            await agent.wait(started.pid)
            assert text_of((await agent.programs.log(started.pid)).chunks) == "hi\n"
            other = Client(home.kernel, (await home.client.spawn("other")).token)
            with pytest.raises(NotFound):
                await other.programs.log(started.pid)

    lived(main)


def test_what_is_no_program_has_no_log(tmp_path: Path) -> None:
    async def main() -> None:
        async with house(tmp_path) as home:
            with pytest.raises(WrongState, match="no program"):
                await home.client.programs.log((await home.client.spawn("agent")).pid)

    lived(main)


def test_a_durable_program_is_started_again_and_its_calls_are_answered_from_the_journal(
    tmp_path: Path,
) -> None:
    journal = InlineJournal()

    async def main() -> None:
        async with house(tmp_path, journal) as home:
            pid = await home.python(f"{CHAT}\nimport time; time.sleep(1000)", durable=True)
            brief = await home.sh(SPIN)
            first = await home.said(pid, "told")
        async with house(tmp_path, journal, seed=2) as home:
            assert await home.said(pid, first * 2) == first * 2
            assert (await home.client.inspect(pid)).state == "running"
            assert (await home.client.inspect(pid)).completion_tokens == 0
            assert (await home.ended(brief)).state == "failed"
            assert "not durable" in (await home.ended(brief)).error
            await home.client.kill(pid)

    lived(main)


def test_the_log_is_streamed_to_its_end_for_who_may_read_it(tmp_path: Path) -> None:
    async def main() -> None:
        async with house(tmp_path) as home, aiohttp.ClientSession(home.url) as http:
            pid = await home.sh("echo a; read line; echo b >&2", takes_input=True)
            await home.said(pid, "a")
            path = f"/api/programs/{pid}/log"
            mine = {"authorization": f"Bearer {home.kernel.token}"}
            agent = (await home.client.spawn("agent")).token
            async with http.get(path, headers={"authorization": f"Bearer {agent}"}) as refused:
                assert refused.status == 404
            async with http.get(f"{path}?tail=x", headers=mine) as wrong:
                assert wrong.status == 400
            async with http.get(f"{path}?follow=1", headers=mine) as stream:
                await home.client.programs.feed(pid, b"\n")
                body = (await stream.read()).decode()
            assert '"stdout"' in body.partition('"stderr"')[0]
            assert '"is_over":true' in body.rpartition("event: log")[2]

    lived(main)


def test_who_follows_a_program_hears_of_its_end_at_once(tmp_path: Path) -> None:
    async def main() -> None:
        async with house(tmp_path) as home:
            for _ in range(10):  # Each would wait for a minute where its end is missed.
                pid, end, is_over = await home.sh("echo a; exit 1"), 0, False
                while not is_over:
                    part = await home.client.programs.log(pid, end, wait_s=60)
                    end, is_over = part.end, part.is_over

    lived(main)


def test_a_program_that_ends_before_it_begins_is_waited_for_by_nobody(tmp_path: Path) -> None:
    async def main() -> None:
        async with house(tmp_path) as home:
            pid = await home.sh("sleep 1000", takes_input=True)
            feeding = asyncio.ensure_future(home.client.programs.feed(pid, b"x"))
            following = asyncio.ensure_future(home.client.programs.log(pid, wait_s=60))
            await home.client.kill(pid)
            assert not (await feeding).is_open
            assert not (await following).chunks

    lived(main)


def test_the_log_of_a_program_that_runs_is_not_removed_for_later_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outside, "LOGS_MAX", 2)

    async def main() -> None:
        async with house(tmp_path) as home:
            old = await home.sh(
                "echo first; read line; head -c 2000000 /dev/zero", takes_input=True
            )
            await home.said(old, "first")
            for _ in range(4):
                await home.ended(await home.sh("echo later"))
            await home.client.programs.feed(old, b"go\n")
            assert (await home.ended(old)).result == 0
            assert text_of(await home.whole_log(old)).startswith("first\n")
            assert len(list((tmp_path / "programs").iterdir())) <= 4

    lived(main)


def test_a_launcher_that_was_killed_is_another_for_the_next_program(tmp_path: Path) -> None:
    async def main() -> None:
        async with house(tmp_path) as home:
            stays = await home.sh("echo here; read line", takes_input=True)
            await home.said(stays, "here")
            stage = home.kernel._outside._place.stage  # type: ignore[union-attr]  # it has one
            for _ in range(3):
                os.kill(stage._process.pid, signal.SIGKILL)  # type: ignore[union-attr]
                ended = await home.ended(await home.sh("exit 0"))
                assert ended.result == 0 or ended.error.startswith("outcome_unknown")
                assert (await home.ended(await home.sh("exit 0"))).result == 0
            await home.client.programs.feed(stays, b"\n")
            assert (await home.ended(stays)).result == 0

    lived(main)


def test_many_programs_are_started_at_once(tmp_path: Path) -> None:
    async def main() -> None:
        async with opened_stage() as stage:
            started = [
                stage.start(
                    Order(argv=("true",), folder="/", environment={}, log=tmp_path / f"{number}")
                )
                for number in range(450)
            ]
            for one in started:
                assert await one.ended() == 0

    lived(main)
