"""What a process tells the first one: words that strangers may have made, open, marked or asked."""

from pathlib import Path
from typing import Any

import pytest

from aios.access.labels import ANSWERS
from aios.access.policy import Answers, Policy
from aios.errors import Denied
from aios.kernel.tools.servers import ToolServers
from aios.sdk import tool
from aios.sdk.client import Client
from aios.sdk.program import hosted
from aios.syscalls.access import PlannedAct
from aios.syscalls.process import Exit, ProcessState
from aios.syscalls.tool import CallTool
from aios.testing.journal import InlineJournal
from aios.tools.functions import Functions
from tests.kernel.guard.fenced import fenced, until
from tests.kernel.guard.labelled import Lab, awaited, lab, plan, use
from tests.kernel.house import lived

READS = CallTool(name="t/read_web", arguments="{}")


async def reviewer(client: Client, argument: Any) -> Any:
    """Reads what strangers wrote, and tells it; or fails in their words, or tells them by mail."""
    if argument == "alone":
        return "nothing heard"
    await client.call(READS)
    if argument == "fail":
        raise ValueError("stay at the Riverside")
    if argument == "mail":
        await client.send(1, "stay at the Riverside")
    return "stay at the Riverside"


async def chief(client: Client, argument: Any) -> Any:
    """Has another one do it."""
    spawned = await client.spawn("helper", "reviewer")
    return (await client.wait(spawned.pid)).result


PROGRAMS = {"reviewer": hosted(reviewer), "chief": hosted(chief)}


async def told(here: Lab, argument: Any = None, program: str = "reviewer") -> Any:
    spawned = await here.first.spawn("ada", program, argument)
    return await here.first.wait(spawned.pid, 30)


@awaited
async def test_an_answer_made_of_strangers_words_is_told_after_a_yes_only(tmp_path: Path) -> None:
    async with lab(tmp_path, programs=PROGRAMS) as here:
        ended = await told(here)
        assert (ended.state, ended.result) == (ProcessState.FAILED, None)
        assert "denied" in ended.error
        assert [one.rule for one in here.human.asked] == [ANSWERS]
        assert "heard from web" in here.human.asked[0].reason
        here.human.says = lambda act, call: call == Exit(result="stay at the Riverside")
        ended = await told(here)
        assert (ended.result, ended.sources) == ("stay at the Riverside", ("web",))
        assert len(here.human.asked) == 2


@pytest.mark.parametrize(("answers", "sources"), [("open", ()), ("marked", ("web",))])
@awaited
async def test_where_nobody_is_asked_the_answer_is_marked_or_not(
    tmp_path: Path, answers: Answers, sources: tuple[str, ...]
) -> None:
    policy = Policy(labels="enforce", answers=answers)
    async with lab(tmp_path, policy=policy, programs=PROGRAMS) as here:
        ended = await told(here)
        assert (ended.result, ended.sources) == ("stay at the Riverside", sources)
        assert not here.human.asked
        rules = [one.rule for one in here.noted.verdicts]
        ada = await here.agent("eve")
        await ada.call(READS)
        await ada.exit("words")
        assert (ANSWERS in [one.rule for one in here.noted.verdicts]) is (answers == "marked")
        assert ANSWERS not in rules  # A program that ends makes no call, where nothing holds it.


@pytest.mark.parametrize("program", ["reviewer", "chief"])
@awaited
async def test_what_nobody_untrusted_had_a_part_in_or_who_bears_the_label_on_is_not_asked(
    tmp_path: Path, program: str
) -> None:
    async with lab(tmp_path, programs=PROGRAMS) as here:
        here.human.says = lambda act, call: True
        ended = await told(here, "alone" if program == "reviewer" else None, program)
        assert ended.result in ("nothing heard", "stay at the Riverside")
        # The helper's answer was its chief's to hear; the chief's own is asked, once.
        assert len(here.human.asked) == (program == "chief")


@awaited
async def test_an_error_in_strangers_words_is_told_without_them(tmp_path: Path) -> None:
    async with lab(tmp_path, programs=PROGRAMS) as here:
        ended = await told(here, "fail")
        assert ended.error.startswith("ValueError: its words are held back")
        assert "Riverside" not in ended.error
        assert "web" in ended.error
        assert not here.human.asked


@awaited
async def test_mail_to_the_first_process_is_an_answer_and_told_twice_is_asked_once(
    tmp_path: Path,
) -> None:
    async with lab(tmp_path, programs=PROGRAMS) as here:
        ended = await told(here, "mail")
        assert "denied" in ended.error
        here.human.says = lambda act, call: True
        ended = await told(here, "mail")
        assert ended.result == "stay at the Riverside"
        assert [one.rule for one in here.human.asked] == [ANSWERS] * 2
        assert (await here.first.receive(0)).body == "stay at the Riverside"


@awaited
async def test_words_that_were_planned_before_are_nobody_elses(tmp_path: Path) -> None:
    async with lab(tmp_path) as here:
        ada = await here.agent()
        await plan(ada, PlannedAct(verb="process.exit", fixed={"result": "done"}))
        await use(ada, "read_web")
        with pytest.raises(Denied):
            await ada.exit("done, and stay at the Riverside")
        await ada.exit("done")


@awaited
async def test_an_agent_that_was_told_no_may_answer_in_other_words(tmp_path: Path) -> None:
    async with lab(tmp_path) as here:
        ada = await here.agent()
        await use(ada, "read_web")
        with pytest.raises(Denied):
            await ada.exit("stay at the Riverside")
        await ada.exit()
        assert len(here.human.asked) == 1


async def looker(client: Client, argument: Any) -> Any:
    await client.tools.call("local/look", {})
    return "stay at the Riverside"


def looking() -> ToolServers:
    @tool(reads="web", source="web")
    async def look() -> str:
        return "stay at the Riverside"

    return ToolServers([Functions([look])])


@pytest.mark.parametrize("is_yes", [True, False])
@pytest.mark.parametrize("is_durable", [True, False])
def test_an_answer_that_waits_over_a_restart_is_asked_of_once(
    is_durable: bool, is_yes: bool
) -> None:
    async def body() -> None:
        journal, programs = InlineJournal(), {"looker": hosted(looker)}
        policy = Policy(labels="enforce")
        async with fenced(journal, policy, programs=programs, tools=looking()) as kernel:
            first = Client(kernel, kernel.token)
            pid = (await first.spawn("ada", "looker", durable=is_durable)).pid
            await until(lambda: kernel.waits.of(pid))
            assert (await first.inspect(pid)).waiting_for == "approval 1"
        fence = fenced(journal, policy, programs=programs, tools=looking(), boot=2)
        async with fence as kernel:
            first = Client(kernel, kernel.token)
            if not is_durable:
                assert (await first.wait(pid, 10)).state is ProcessState.FAILED
                return
            await until(lambda: kernel.waits.of(pid))
            (one,) = (await first.approvals.list(all=True)).approvals
            assert "stay at the Riverside" in one.arguments
            await first.approvals.answer(one.id, one.digest, is_yes)
            ended = await first.wait(pid, 10)
            assert ended.result == ("stay at the Riverside" if is_yes else None)
            assert ended.sources == ("web",)
        async with fenced(journal, policy, boot=3) as kernel:
            assert await Client(kernel, kernel.token).wait(pid, 10) == ended

    lived(body)
