"""One yes, and one use of a right, let a tool begin once, whatever becomes of it then."""

import asyncio
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from aios.access.policy import Policy
from aios.errors import AiosError, DeadlineExceeded, Denied, InvalidArgument, OutcomeUnknown
from aios.sdk import Client
from aios.syscalls.approval import Answer
from aios.syscalls.process import Spawned
from aios.syscalls.tool import CallTool
from tests.kernel.guard.yes_house import Human, Till, deadly, dies, shop

READERS = Policy(default=("reader",))


async def yes_to(human: Human, work: Any) -> Any:
    """Do it; the human allows it once."""
    doing = asyncio.ensure_future(work)
    await human.says_yes()
    return await doing


async def left(till: Till, work: Any) -> None:
    """A caller who leaves once the tool has acted."""
    before = len(till.paid)
    calling = asyncio.ensure_future(work)
    async with asyncio.timeout(10):
        while len(till.paid) == before:  # noqa: ASYNC110
            await asyncio.sleep(0.005)
    calling.cancel()
    with pytest.raises(asyncio.CancelledError):
        await calling


def pays(ada: Client, name: str = "pay_slowly", **more: Any) -> Any:
    return ada.tools.call(f"local/{name}", {"to": "ann"}, **more)


@pytest.mark.parametrize("keys", [("", ""), ("one", "another")])
def test_a_caller_who_leaves_a_running_tool_has_used_its_yes(
    tmp_path: Path, keys: tuple[str, str]
) -> None:
    async def main() -> None:
        till = Till()
        async with shop(tmp_path, till.tools()) as (human, ada):
            allowing = asyncio.ensure_future(human.says_yes())
            await left(till, pays(ada, key=keys[0]))
            await allowing
            (one,) = (await human.client.approvals.list(all=True)).approvals
            assert one.answer is Answer.USED
            again = asyncio.ensure_future(pays(ada, key=keys[1]))
            assert len(await human.asked()) == 1
            assert till.paid == ["ann"]
            again.cancel()

    asyncio.run(main())


def test_a_caller_who_leaves_a_running_batch_has_used_its_yes(tmp_path: Path) -> None:
    async def main() -> None:
        till = Till()
        calls = [CallTool(name="local/pay_slowly", arguments='{"to": "ann"}')]
        async with shop(tmp_path, till.tools()) as (human, ada):
            allowing = asyncio.ensure_future(human.says_yes())
            await left(till, ada.tools.batch(calls))
            await allowing
            again = asyncio.ensure_future(ada.tools.batch(calls))
            assert len(await human.asked()) == 1
            assert till.paid == ["ann"]
            again.cancel()

    asyncio.run(main())


def test_a_tool_that_failed_after_it_acted_has_used_its_yes(tmp_path: Path) -> None:
    async def main() -> None:
        till = Till()
        async with shop(tmp_path, till.tools()) as (human, ada):
            for count in (1, 2):
                with pytest.raises(Denied, match="receipt"):
                    await yes_to(human, pays(ada, "pay_and_fail"))
                assert len(till.paid) == count
            assert len((await human.client.approvals.list(all=True)).approvals) == 2

    asyncio.run(main())


def test_a_tool_in_which_the_kernel_was_killed_has_used_its_yes(tmp_path: Path) -> None:
    victim = [sys.executable, "-m", dies.__module__, str(tmp_path)]
    assert subprocess.run(victim, timeout=60, check=False).returncode < 0
    assert (tmp_path / "paid").read_text() == "ann\n"
    (tmp_path / "spared").touch()

    async def main() -> None:
        async with shop(tmp_path, deadly(tmp_path)) as (human, ada):
            (one,) = (await human.client.approvals.list(all=True)).approvals
            assert one.answer is Answer.USED
            again = asyncio.ensure_future(pays(ada, "pay", key="second"))
            assert [one.id for one in await human.asked()] == [2]
            assert (tmp_path / "paid").read_text() == "ann\n"
            again.cancel()
            # Of the first key nobody is asked: whatever they said, it would not be run again.
            pid, token = (tmp_path / "bob").read_text().split()
            before = human.client.of(Spawned(int(pid), token))
            for _ in range(2):
                with pytest.raises(OutcomeUnknown):
                    await pays(before, "pay", key="first")
            with pytest.raises(InvalidArgument, match="another call"):
                await pays(before, "pay", key="first", timeout_s=5.0)
            asking = asyncio.ensure_future(pays(ada, "pay", key="first"))  # Hers is another key.
            assert len(await human.asked()) == 1
            asking.cancel()
            assert (tmp_path / "paid").read_text() == "ann\n"

    asyncio.run(main())


def test_what_is_left_of_a_batch_that_had_begun_is_asked_for(tmp_path: Path) -> None:
    async def main() -> None:
        till = Till()
        calls = [
            CallTool(name="local/hold", arguments=f'{{"to": "{to}"}}') for to in ("ann", "bob")
        ]
        async with shop(tmp_path, till.tools()) as (human, ada):
            allowing = asyncio.ensure_future(human.says_yes())
            await left(till, ada.tools.batch(calls, key="all"))  # Bob's waits for the drawer.
            await allowing
            till.is_open.set()
            results = await yes_to(human, ada.tools.batch(calls, key="all"))
            assert [one.is_error for one in results] == [True, False]
            assert till.paid == ["ann", "bob"]

    asyncio.run(main())


def test_a_caller_who_left_a_running_tool_is_told_so_by_its_key_and_nobody_is_asked(
    tmp_path: Path,
) -> None:
    async def main() -> None:
        till = Till()
        async with shop(tmp_path, till.tools()) as (human, ada):
            allowing = asyncio.ensure_future(human.says_yes())
            await left(till, pays(ada, key="one"))
            await allowing
            with pytest.raises(OutcomeUnknown):
                await pays(ada, key="one")
            assert [one.answer for one in await _all(human)] == [Answer.USED]
            assert till.paid == ["ann"]

    asyncio.run(main())


def test_a_yes_is_there_still_where_the_tool_never_began(tmp_path: Path) -> None:
    async def main() -> None:
        till = Till()
        async with shop(tmp_path, till.tools()) as (human, ada):
            refused = {"to": 5, "who": "ann"}
            for _ in range(2):
                calling = asyncio.ensure_future(ada.tools.call("local/pay", refused))
                if not till.paid and not (await _all(human)):
                    await human.says_yes()
                assert "bad arguments" in (await calling).text
            assert [one.answer for one in await _all(human)] == [Answer.YES]
            assert till.paid == []

    asyncio.run(main())


def test_a_yes_is_there_still_where_the_turn_did_not_come(tmp_path: Path) -> None:
    async def main() -> None:
        till = Till()
        async with shop(tmp_path, till.tools()) as (human, ada):
            holding = asyncio.ensure_future(pays(ada, "hold"))
            await human.says_yes()
            late = {"timeout_s": 0.05}
            with pytest.raises(DeadlineExceeded, match="was not run"):
                await yes_to(human, pays(ada, "hold", **late))
            with pytest.raises(DeadlineExceeded, match="was not run"):  # And nobody is asked.
                await pays(ada, "hold", **late)
            assert [one.answer for one in await _all(human)] == [Answer.USED, Answer.YES]
            assert till.paid == ["ann"]
            till.is_open.set()
            await holding

    asyncio.run(main())


@pytest.mark.parametrize("name", ["pay_slowly", "pay_and_fail"])
def test_a_right_of_one_use_lets_a_tool_begin_once(tmp_path: Path, name: str) -> None:
    async def main() -> None:
        till = Till()
        async with shop(tmp_path, till.tools(), READERS) as (human, ada):
            await human.client.access.grant("ada", "tool.call", object="local/pay*", uses=1)
            if name == "pay_slowly":
                await left(till, pays(ada, name))
            else:
                with pytest.raises(Denied, match="receipt"):
                    await pays(ada, name)
            with pytest.raises(Denied, match="no right"):
                await pays(ada, name)
            assert till.paid == ["ann"]

    asyncio.run(main())


def test_a_right_of_one_use_is_left_where_the_tool_never_began(tmp_path: Path) -> None:
    async def main() -> None:
        till = Till()
        async with shop(tmp_path, till.tools(), READERS) as (human, ada):
            await human.client.access.grant("ada", "tool.call", object="local/pay", uses=1)
            assert "bad arguments" in (await ada.tools.call("local/pay", {"to": 5, "b": 1})).text
            assert (await pays(ada, "pay")).text == "paid"
            with pytest.raises(AiosError):
                await pays(ada, "pay")

    asyncio.run(main())


async def _all(human: Human) -> Any:
    return (await human.client.approvals.list(all=True)).approvals
