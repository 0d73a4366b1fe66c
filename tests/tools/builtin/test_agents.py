"""Agents calling agents, and asking a human."""

import asyncio
from pathlib import Path
from typing import Any

from aios.sdk import Client
from aios.syscalls.approval import AnswerApproval, Approval, Approvals
from tests.tools.builtin.house import House, lived


async def echo(transport: Any, token: str, argument: Any) -> Any:
    return {"heard": argument}


async def asks_back(transport: Any, token: str, argument: Any) -> Any:
    mail = await Client(transport, token).receive(timeout_s=10)
    return f"{argument} {mail.body}"


async def fails(transport: Any, token: str, argument: Any) -> Any:
    raise RuntimeError("out of flour")


PROGRAMS = {"echo": echo, "asks_back": asks_back, "fails": fails}


def test_an_agent_is_started_and_its_result_is_waited_for(tmp_path: Path) -> None:
    async def main(house: House) -> None:
        started = await house.said("spawn_agent", name="helper", program="echo", task="bake")
        pid = int(started.split("process ")[1].split(";")[0])
        assert "token" not in started
        assert "aios-" not in started
        ended = await house.said("wait", pid=pid)
        assert ended == f'process {pid} exited: {{"heard":"bake"}}'

    lived(tmp_path, main, programs=PROGRAMS)


def test_a_message_reaches_it_and_only_ones_own_can_be_waited_for(tmp_path: Path) -> None:
    async def main(house: House) -> None:
        started = await house.said("spawn_agent", name="helper", program="asks_back", task="hello")
        pid = int(started.split("process ")[1].split(";")[0])
        assert "still runs" in await house.said("wait", pid=pid, seconds=0.05)
        assert (await house.call("wait", "bob", pid=pid, seconds=0.05)).is_error
        await house.said("message", pid=pid, text="world")
        assert await house.said("wait", pid=pid) == f"process {pid} exited: hello world"

    lived(tmp_path, main, programs=PROGRAMS)


def test_one_that_fails_is_told(tmp_path: Path) -> None:
    async def main(house: House) -> None:
        await house.said("spawn_agent", name="helper", program="fails")
        unknown = await house.call("spawn_agent", name="helper", program="no such")
        assert unknown.is_error
        ended = await house.said("wait", pid=4)
        assert "failed" in ended
        assert "out of flour" in ended

    lived(tmp_path, main, programs=PROGRAMS)


def test_an_empty_inbox_and_a_pause_say_so(tmp_path: Path) -> None:
    async def main(house: House) -> None:
        assert await house.said("inbox") == "no message"
        assert await house.said("wait", seconds=0.01) == "0.01 seconds have passed"

    lived(tmp_path, main)


async def asked(house: House, question: str, **more: Any) -> tuple["asyncio.Task[str]", Approval]:
    """An agent's question on its way, and how a human sees it."""
    asking = asyncio.ensure_future(house.said("ask_human", question=question, **more))
    async with asyncio.timeout(30):
        while not (found := await house.kernel.call(house.kernel.token, Approvals())).approvals:  # noqa: ASYNC110 - another program's doing
            await asyncio.sleep(0.01)
    return asking, found.approvals[0]


async def answer(house: House, seen: Approval, *, yes: bool, note: str = "") -> None:
    call = AnswerApproval(id=seen.id, digest=seen.digest, yes=yes, note=note)
    await house.kernel.call(house.kernel.token, call)


def test_a_humans_words_are_the_answer(tmp_path: Path) -> None:
    async def main(house: House) -> None:
        asking, seen = await asked(house, "Which colour?", choices=["red", "blue"])
        assert seen.agent == "ann"
        assert "Which colour?" in seen.object
        assert "blue" in seen.arguments
        await answer(house, seen, yes=True, note="blue")
        assert await asking == "blue"

    lived(tmp_path, main)


def test_a_no_is_an_answer_and_the_next_question_is_another(tmp_path: Path) -> None:
    async def main(house: House) -> None:
        asking, seen = await asked(house, "May I?")
        await answer(house, seen, yes=False, note="not today")
        assert await asking == "no. not today"
        again, seen = await asked(house, "And now?")
        await answer(house, seen, yes=True)
        assert await again == "yes"

    lived(tmp_path, main)


def test_the_same_question_can_be_asked_again(tmp_path: Path) -> None:
    async def main(house: House) -> None:
        for word in ("one", "two"):
            asking, seen = await asked(house, "What next?")
            await answer(house, seen, yes=True, note=word)
            assert await asking == word

    lived(tmp_path, main)


def test_a_question_survives_a_restart_and_its_answer_is_found(tmp_path: Path) -> None:
    async def asks(house: House) -> None:
        asking, seen = await asked(house, "Which colour?")
        assert seen.id == 1
        asking.add_done_callback(lambda done: done.exception())  # It ends with its kernel.

    lived(tmp_path, asks)

    async def answers(house: House) -> None:
        found = await house.kernel.call(house.kernel.token, Approvals())
        await answer(house, found.approvals[0], yes=True, note="blue")
        assert await house.said("ask_human", question="Which colour?") == "blue"

    lived(tmp_path, answers)
