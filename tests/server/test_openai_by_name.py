"""What the OpenAI client sends by its name alone: earlier items, and tools that may be called."""

import pytest

from aios.syscalls import Message
from tests.server.house import lived
from tests.server.test_openai_client import ADD, ASKED, CALLS, Heard, calling, client

openai = pytest.importorskip("openai")


def test_items_of_earlier_responses_are_sent_by_their_ids_alone() -> None:
    heard = Heard(calling(*CALLS, thought="I add both."), "three")
    asked = {"role": "user", "content": "add"}

    async def main() -> None:
        async with client(heard) as (ai, _):
            first = await ai.responses.create(model="m", input=[asked])
            refers = [{"type": "item_reference", "id": item.id} for item in first.output]
            outputs = [
                {"type": "function_call_output", "call_id": call.id, "output": "3"}
                for call in CALLS
            ]
            await ai.responses.create(model="m", input=[asked, *refers, *outputs])
            nobody = {"type": "item_reference", "id": "fc_nobody1"}
            with pytest.raises(openai.NotFoundError, match="fc_nobody"):
                await ai.responses.create(model="m", input=[nobody])

    lived(main)
    assert heard.calls[1].messages == (
        Message("user", "add"),
        Message("assistant", "I add both."),
        Message("assistant", "", tool_calls=CALLS),
        Message("tool", "3", tool_call_id=CALLS[0].id),
        Message("tool", "3", tool_call_id=CALLS[1].id),
    )


def test_only_the_tools_that_are_allowed_may_be_called() -> None:
    other = {"type": "function", "function": {"name": "other", "parameters": {"type": "object"}}}
    heard = Heard("x")
    chat_tool = {"type": "function", "function": {"name": "add"}}
    tool = {"type": "function", "name": "add"}

    async def main() -> None:
        async with client(heard) as (ai, _):
            await ai.chat.completions.create(
                model="m", messages=ASKED, tools=[other, ADD], tool_choice={
                    "type": "allowed_tools",
                    "allowed_tools": {"mode": "required", "tools": [chat_tool]},
                },
            )  # fmt: skip
            await ai.responses.create(
                model="m", input="hi",
                tools=[{"type": "function", "name": name} for name in ("other", "add")],
                tool_choice={"type": "allowed_tools", "mode": "required", "tools": [tool]},
            )  # fmt: skip

    lived(main)
    for call in heard.calls:
        assert [one.name for one in call.decoding.tools] == ["add"]
        assert call.decoding.tool_choice == "required"
