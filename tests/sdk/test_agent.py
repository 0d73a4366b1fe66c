"""An agent acts through tools until it answers; its toolbox answers every call."""

import asyncio

import pytest

from aios.errors import InvalidArgument, WrongState
from aios.sdk import Agent, Client, Tool, Toolbox, hosted, tool
from aios.syscalls import Message, ToolCall
from tests.sdk.fakes import FakeKernel, calls, contents


@tool(inline=True)
def double(n: int) -> int:
    """Twice a number."""
    return 2 * n


def agent(*tools: Tool, turns_max: int = 16) -> Agent:
    return Agent("a", tools=tools, turns_max=turns_max, temperature=0.0)


def ask(agent: Agent, kernel: FakeKernel, task: object = "go") -> str:
    return asyncio.run(agent(Client(kernel, kernel.token), task))


def test_without_a_tool_call_the_first_text_is_the_answer() -> None:
    assert ask(agent(), FakeKernel("42")) == "42"


def test_a_called_tool_is_run_and_the_model_sees_its_result() -> None:
    kernel = FakeKernel(calls("double", '{"n": 21}', "I double it."), "It is 42.")

    assert ask(agent(double), kernel) == "It is 42."

    assert kernel.generated[1].messages == (
        Message("user", "go"),
        calls("double", '{"n": 21}', "I double it."),
        Message("tool", "42", tool_call_id="double-1", name="double"),
    )


def test_every_generation_carries_the_tools_and_the_options() -> None:
    kernel = FakeKernel(calls("double", "{}"), "done")
    ask(agent(double), kernel)
    for call in kernel.generated:
        assert call.decoding.tools == (double.spec,)
        assert call.decoding.temperature == 0


def test_instructions_come_first_and_a_task_that_is_no_text_is_json() -> None:
    kernel = FakeKernel("ok")
    ask(Agent("a", instructions="be brief"), kernel, {"n": 1})
    assert [one.role for one in kernel.generated[0].messages] == ["system", "user"]
    assert contents(kernel.generated[0].messages) == ["be brief", '{"n":1}']


def test_an_agent_that_never_answers_is_stopped_and_the_error_names_it() -> None:
    kernel = FakeKernel(speak=lambda call: calls("double", '{"n": 1}'))
    with pytest.raises(WrongState, match="agent 'a' gave no answer in 3 turns"):
        ask(agent(double, turns_max=3), kernel)
    assert len(kernel.generated) == 3


def test_several_calls_of_one_turn_are_answered_in_the_models_order() -> None:
    both = Message(
        "assistant",
        tool_calls=(ToolCall("1", "double", '{"n": 1}'), ToolCall("2", "halve", "{}")),
    )
    kernel = FakeKernel(both, "done")

    ask(agent(double), kernel)

    observations = kernel.generated[1].messages[2:]
    assert [one.tool_call_id for one in observations] == ["1", "2"]
    assert contents(observations) == ["2", "error: no tool 'halve'; known: double"]


def test_an_agent_keeps_nothing_between_two_tasks() -> None:
    kernel, same = FakeKernel("one", "two"), agent()
    ask(same, kernel, "first")
    ask(same, kernel, "second")
    assert contents(kernel.generated[1].messages) == ["second"]


def test_two_tools_of_one_name_are_refused() -> None:
    with pytest.raises(InvalidArgument, match="different names"):
        Toolbox([double, double])


def test_a_hosted_agent_gets_its_client_from_transport_and_token() -> None:
    kernel = FakeKernel("42")

    async def scene() -> object:
        return await hosted(agent())(kernel, kernel.token, "go")

    assert asyncio.run(scene()) == "42"
