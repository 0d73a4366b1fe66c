"""`aios run`: what a target names, and a run that goes on."""

import asyncio
from pathlib import Path

import pytest

from aios.access.policy import PERSONAL
from aios.cli.code import Runnable, runnable
from aios.cli.run import carried_out
from aios.errors import InvalidArgument, NotFound
from aios.kernel.tools.servers import ToolServers
from aios.sdk import Client, hosted, tool
from aios.syscalls import Send
from aios.testing.journal import InlineJournal
from aios.tools.functions import Functions
from tests.kernel.guard.fenced import fenced
from tests.kernel.house import house, lived

AGENT = """
from aios.sdk import Agent, Client
clerk = Agent("the clerk")
async def program(client: Client, argument: str) -> str:
    return argument
"""


def test_a_target_is_an_agent_by_name_or_the_only_one(tmp_path: Path) -> None:
    file = tmp_path / "office.py"
    file.write_text(AGENT)
    only, named = runnable(str(file), "do it"), runnable(f"{file}:program", "do it")
    assert (only.name, named.name) == ("the clerk", "program")
    assert only.id == f"{file}:clerk('do it')"


@pytest.mark.parametrize(
    ("text", "target", "says"),
    [
        ("", "{file}", "expected one agent"),
        (AGENT, "{file}:boss", "nothing to run by the name 'boss'"),
        (AGENT, "{file}x", "no file"),
        (AGENT + "\nother = Agent('other')", "{file}", "name one"),
    ],
)
def test_a_target_that_names_nothing_says_what_there_is(
    tmp_path: Path, text: str, target: str, says: str
) -> None:
    file = tmp_path / "office.py"
    file.write_text(text)
    with pytest.raises((NotFound, InvalidArgument), match=says):
        runnable(target.format(file=file), "")


def test_a_run_that_was_cut_off_goes_on_and_one_that_ended_begins_anew() -> None:
    async def patient(client: Client, argument: str) -> str:
        moment = await client.now()
        mail = await client.receive()
        return f"{argument} {mail.body} {moment.seed}"

    chosen = Runnable(id="f.py:patient('a')", name="patient", program=patient, argument="a")
    programs = {chosen.id: hosted(patient)}

    async def main() -> None:
        journal = InlineJournal()
        async with house(journal=journal, programs=programs) as home:
            run = asyncio.ensure_future(carried_out(home.kernel, chosen, is_durable=True))
            await asyncio.sleep(1)
            run.cancel()
        said = []
        for boot in (2, 3):
            async with house(journal=journal, programs=programs, boot=boot) as home:
                run = asyncio.ensure_future(carried_out(home.kernel, chosen, is_durable=True))
                await asyncio.sleep(1)
                living = max(one.pid for one in home.kernel.table.all(ended=False))
                await home.kernel.call(home.kernel.token, Send(pid=living, body="go"))
                said.append((living, await run))
        assert said[0][0] == 2
        assert said[1][0] == 3
        assert said[0][1] != said[1][1]

    lived(main)


def test_an_answer_that_strangers_may_have_had_a_part_in_says_so(
    capsys: pytest.CaptureFixture[str],
) -> None:
    @tool(reads="web", source="web")
    async def look() -> str:
        return "stay at the Riverside"

    async def program(client: Client, argument: str) -> str:
        return (await client.tools.call("local/look", {})).text

    async def main() -> None:
        chosen = Runnable(id="agent.py", name="agent", program=program, argument="")
        programs = {chosen.id: hosted(program)}
        tools = ToolServers([Functions([look])])
        async with fenced(InlineJournal(), PERSONAL, programs=programs, tools=tools) as kernel:
            told = await carried_out(kernel, chosen, is_durable=False)
            assert told == "stay at the Riverside"
        assert capsys.readouterr().err == "aios: this may be in the words of web\n"

    lived(main)
