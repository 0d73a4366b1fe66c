"""What the model of rules says to each way of asking."""

import json
from typing import Any

import pytest

from aios.syscalls import Decoding, Generate, Message, ToolSpec
from tests.interop.model import speech

CALCULATOR = ToolSpec(
    name="calculator",
    description="",
    parameters={"type": "object", "properties": {"expr": {"type": "string"}}},
)
FINISH = ToolSpec(
    name="final_result",
    description="",
    parameters={"type": "object", "properties": {"value": {"type": "integer"}}},
)
TASK = Message("user", "What is 12 * 7?")
TOLD = Message("tool", "84", tool_call_id="call_1")


def said(*messages: Message, **decoding: Any) -> Message | str:
    return speech(Generate(messages=messages, decoding=Decoding(**decoding)))


def called(*messages: Message, **decoding: Any) -> tuple[str, Any]:
    reply = said(*messages, **decoding)
    assert isinstance(reply, Message), reply
    return reply.tool_calls[0].name, json.loads(reply.tool_calls[0].arguments)


def test_a_task_is_given_to_the_tool_that_computes() -> None:
    assert called(TASK, tools=(FINISH, CALCULATOR)) == ("calculator", {"expr": "12 * 7"})


def test_what_a_tool_told_is_the_answer() -> None:
    assert said(TASK, TOLD, tools=(CALCULATOR,)) == "The result is 84."


def test_a_tool_that_ends_is_called_with_the_result() -> None:
    tools = (CALCULATOR, FINISH)
    assert called(TASK, TOLD, tools=tools) == ("final_result", {"value": 84})


def test_a_forced_tool_is_called_whatever_else_is_offered() -> None:
    tools = (CALCULATOR, FINISH)
    assert called(TASK, tools=tools, tool_choice="final_result")[0] == "final_result"


def test_without_a_result_there_is_no_answer() -> None:
    assert said(Message("user", "Hello")) == "I cannot find a task."


def test_a_schema_is_filled() -> None:
    schema = {
        "type": "object",
        "properties": {
            "value": {"$ref": "#/$defs/Number"},
            "kind": {"enum": ["product", "sum"]},
            "notes": {"type": "array", "items": {"type": ["string", "null"]}},
            "sure": {"anyOf": [{"type": "boolean"}, {"type": "null"}]},
        },
        "$defs": {"Number": {"type": "integer"}},
    }
    assert json.loads(str(said(TASK, TOLD, schema=schema))) == {
        "value": 84, "kind": "product", "notes": ["The result is 84."], "sure": True,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("protocol", "asks", "answers"),
    [
        ("Action Input: {}", "Action: calculator", "Answer: The result is 84."),
        ("<code>", "print(calculator(", "final_answer("),
        ("```python", "print(12 * 7)", "The result is 84."),
        (
            "Respond with `[[ ## next_tool_name ## ]]`, `[[ ## answer ## ]]`",
            "[[ ## next_tool_name ## ]]\ncalculator",
            "[[ ## answer ## ]]\nThe result is 84.",
        ),
    ],
)
def test_protocols_of_text_are_spoken(protocol: str, asks: str, answers: str) -> None:
    asked = Message("user", f"What is 12 * 7?\n{protocol}")
    observed = Message("user", f"Observation: 84\n{protocol}")
    assert asks in str(said(asked))
    assert answers in str(said(asked, observed))
