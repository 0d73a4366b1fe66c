"""The programs whose packages are here, as `make interop` tries them: each in its own process."""

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.interop.homes import table
from tests.interop.run import Trial, Verdict, judged
from tests.interop.servers import Server, rules

FRAMEWORKS = ("openai", "anthropic")
PROGRAMS = {program: name for name in FRAMEWORKS for program in table()[name].programs}


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with rules(FRAMEWORKS) as opened:
        yield opened


def tried(server: Server, program: str, **given: str) -> Verdict:
    name = PROGRAMS[program]
    if importlib.util.find_spec(name) is None:
        pytest.skip(f"needs the package {name}")
    framework = replace(table()[name], home=Path(sys.prefix))
    return judged(Trial(framework=framework, program=program, model="rules", **given), server)


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_program_goes_through_a_tool_loop_with_nothing_but_settings(
    server: Server, program: str
) -> None:
    verdict = tried(server, program)
    assert verdict.code == 0, verdict.said
    assert [request["status"] for request in verdict.requests] == [200, 200]


def test_a_base_url_that_leads_nowhere_is_told_by_the_exit_code(server: Server) -> None:
    verdict = tried(server, "openai_chat_agent", to="/nowhere")
    assert (verdict.code, "NotFoundError" in verdict.said) == (1, True)


def test_an_answer_that_cannot_come_is_told_by_the_exit_code(server: Server) -> None:
    verdict = tried(server, "openai_chat_agent", expected="no such answer")
    assert (verdict.code, "answer: The result is 5781." in verdict.said) == (1, True)
