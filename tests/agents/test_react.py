"""ReAct: thought, action, observation, bounded; a failing tool is an observation."""

import asyncio

import msgspec
import pytest

from aios.agents import Outcome, ReAct, Step
from aios.agents.react import GUIDE
from aios.errors import CoreFailed, InvalidArgument
from aios.sdk import Agent, Client, tool
from aios.syscalls import Completion, Generate, Message, ToolCall
from tests.sdk.fakes import FakeKernel, calls, completion, contents


@tool(inline=True)
def lookup(key: str) -> str:
    """The value of a key."""
    return {"a": "1"}[key]


def run(kernel: FakeKernel, *, steps_max: int = 8, instructions: str = "") -> Outcome:
    agent = Agent("seeker", instructions=instructions, tools=[lookup])
    react = ReAct(agent, steps_max=steps_max)
    return asyncio.run(react(Client(kernel, kernel.token), "What is a?"))


def test_an_answer_at_once_takes_no_step() -> None:
    outcome = run(FakeKernel("It is 1."))
    assert (outcome.answer, outcome.succeeded, outcome.steps) == ("It is 1.", True, ())


def test_each_step_keeps_its_thought_its_actions_and_their_observations() -> None:
    act = calls("lookup", '{"key": "a"}', "I look it up.")

    outcome = run(FakeKernel(act, "It is 1."))

    assert outcome.succeeded
    assert outcome.answer == "It is 1."
    assert outcome.steps == (
        Step(thought="I look it up.", actions=act.tool_calls, observations=("1",)),
    )
    assert [one.role for one in outcome.messages] == [
        "system", "user", "assistant", "tool", "assistant",
    ]  # fmt: skip


def test_a_failing_tool_a_bad_call_and_an_unknown_tool_are_observations() -> None:
    outcome = run(
        FakeKernel(
            calls("lookup", '{"key": "b"}'),
            calls("lookup", '{"key": 7}'),
            calls("search", "{}"),
            calls("lookup", '{"key": "a"}'),
            "It is 1.",
        )
    )
    seen = [step.observations[0] for step in outcome.steps]
    assert outcome.succeeded
    assert seen[0].startswith("error: KeyError")
    assert seen[1].startswith("error: bad arguments for lookup")
    assert seen[2] == "error: no tool 'search'; known: lookup"
    assert seen[3] == "1"


def test_the_model_sees_all_steps_so_far() -> None:
    kernel = FakeKernel(calls("lookup", '{"key": "a"}'), "done")
    run(kernel, instructions="Be careful.")
    assert contents(kernel.generated[1].messages) == [
        f"Be careful.\n{GUIDE}", "What is a?", None, "1",
    ]  # fmt: skip


def test_a_model_that_never_answers_is_stopped_after_steps_max_generations() -> None:
    kernel = FakeKernel(speak=lambda asked: calls("lookup", '{"key": "a"}'))

    outcome = run(kernel, steps_max=3)

    assert not outcome.succeeded
    assert outcome.answer == ""
    assert len(outcome.steps) == len(kernel.generated) == 3


def test_an_answer_cut_off_by_its_token_limit_is_no_success() -> None:
    outcome = run(FakeKernel(completion("It is", finish_reason="length")))
    assert (outcome.answer, outcome.succeeded) == ("It is", False)


def test_several_actions_of_one_step_stay_together() -> None:
    both = Message(
        "assistant",
        tool_calls=(ToolCall("1", "lookup", '{"key": "a"}'), ToolCall("2", "no", "{}")),
    )
    outcome = run(FakeKernel(both, "done"))
    assert len(outcome.steps) == 1
    assert len(outcome.steps[0].observations) == 2


def test_an_error_of_the_kernel_is_no_observation() -> None:
    def broken(asked: Generate) -> Completion:
        raise CoreFailed("no engine")

    with pytest.raises(CoreFailed):
        run(FakeKernel(speak=broken))


def test_an_outcome_survives_the_wire() -> None:
    outcome = run(FakeKernel(calls("lookup", '{"key": "a"}', "hm"), "done"))
    plain = msgspec.msgpack.decode(msgspec.msgpack.encode(outcome))
    assert msgspec.convert(plain, Outcome) == outcome


def test_a_bound_below_one_is_refused() -> None:
    with pytest.raises(InvalidArgument, match="steps_max of at least 1"):
        ReAct(Agent("seeker"), steps_max=0)
