"""Reflexion: trials until one passes, each with the lessons of the ones before."""

import asyncio
from typing import Any

import pytest

from aios.agents import Outcome, ReAct, Reflexion, Verdict
from aios.errors import InvalidArgument
from aios.sdk import Agent, Client, tool
from tests.sdk.fakes import FakeKernel, calls


@tool(inline=True)
def guess(n: int) -> str:
    """Guess a number."""
    return "noted"


async def wants_seven(client: Client, task: Any, trial: Outcome) -> Verdict:
    return Verdict(passed=trial.answer == "7", feedback=f"{trial.answer or 'Nothing'} is wrong.")


def reflexion(*, trials_max: int = 3, reflections_max: int = 3, steps_max: int = 4) -> Reflexion:
    agent = Agent("guesser", instructions="Guess.", tools=[guess], temperature=0.5)
    return Reflexion(
        ReAct(agent, steps_max=steps_max),
        wants_seven,
        trials_max=trials_max,
        reflections_max=reflections_max,
    )


def run(kernel: FakeKernel, program: Reflexion) -> Outcome:
    return asyncio.run(program(Client(kernel, kernel.token), "Which number?"))


def system_text(kernel: FakeKernel, generation: int) -> str:
    first = kernel.generated[generation].messages[0]
    assert first.role == "system"
    return first.content or ""


def test_a_first_trial_that_passes_is_the_whole_run() -> None:
    kernel = FakeKernel("7")
    outcome = run(kernel, reflexion())
    assert (outcome.answer, outcome.succeeded, outcome.trials) == ("7", True, 1)
    assert outcome.reflections == ()
    assert len(kernel.generated) == 1


def test_after_a_failure_the_next_trial_starts_afresh_with_the_lesson_before_the_task() -> None:
    kernel = FakeKernel("5", "Five is too low.", "7")

    outcome = run(kernel, reflexion())

    assert (outcome.answer, outcome.succeeded, outcome.trials) == ("7", True, 2)
    assert outcome.reflections == ("Five is too low.",)
    second = kernel.generated[2].messages
    assert [one.role for one in second] == ["system", "user"]
    assert second[1].content == "Which number?"
    assert system_text(kernel, 2).endswith("\nReflection: Five is too low.")


def test_the_lesson_is_asked_for_at_the_end_of_the_failed_trial_and_calls_no_tool() -> None:
    kernel = FakeKernel(calls("guess", '{"n": 5}'), "5", "Five is too low.", "7")

    run(kernel, reflexion())

    trial, asked = kernel.generated[1], kernel.generated[2]
    assert asked.messages[: len(trial.messages)] == trial.messages
    assert asked.messages[-2].content == "5"
    assert "5 is wrong." in (asked.messages[-1].content or "")
    assert asked.decoding.tools == trial.decoding.tools
    assert asked.decoding.tool_choice == "none"
    assert asked.decoding.temperature == 0.5


def test_after_the_last_trial_nothing_is_reflected_on() -> None:
    kernel = FakeKernel("1", "lesson one", "2", "lesson two", "3")

    outcome = run(kernel, reflexion(trials_max=3))

    assert (outcome.answer, outcome.succeeded, outcome.trials) == ("3", False, 3)
    assert outcome.reflections == ("lesson one", "lesson two")
    assert kernel.script == []


def test_only_the_last_lessons_are_remembered() -> None:
    kernel = FakeKernel("1", "lesson one", "2", "lesson two", "3", "lesson three", "7")

    outcome = run(kernel, reflexion(trials_max=4, reflections_max=2))

    last = system_text(kernel, 6)
    assert "lesson one" not in last
    assert last.index("lesson two") < last.index("lesson three")
    assert outcome.reflections == ("lesson one", "lesson two", "lesson three")


def test_a_trial_without_an_answer_is_judged_and_reflected_on_too() -> None:
    kernel = FakeKernel(calls("guess", '{"n": 5}'), "Answer sooner.", "7")

    outcome = run(kernel, reflexion(steps_max=1))

    assert outcome.succeeded
    assert outcome.reflections == ("Answer sooner.",)
    assert "Nothing is wrong." in (kernel.generated[1].messages[-1].content or "")


@pytest.mark.parametrize("bounds", [{"trials_max": 0}, {"reflections_max": 0}])
def test_bounds_below_one_are_refused(bounds: dict[str, int]) -> None:
    with pytest.raises(InvalidArgument, match="at least 1"):
        reflexion(**bounds)
