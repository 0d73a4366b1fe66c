"""The official Anthropic client against the server."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from aios.syscalls import ToolCall
from tests.server.house import House, Speech, house, lived
from tests.server.test_openai_client import CALLS, Heard, calling

anthropic = pytest.importorskip("anthropic")

ADD = {
    "name": "add",
    "description": "Adds.",
    "input_schema": {"type": "object", "properties": {"a": {"type": "integer"}}},
}
ASKED = [{"role": "user", "content": "hi"}]


@asynccontextmanager
async def client(speech: Speech) -> AsyncIterator[tuple[Any, House]]:
    async with house(speech) as home:
        speaker = anthropic.AsyncAnthropic(base_url=home.url, api_key=home.token, max_retries=0)
        async with speaker:
            yield speaker, home


def test_a_message_is_answered_and_its_tokens_are_counted() -> None:
    heard = Heard("hello there")

    async def main() -> None:
        async with client(heard) as (ai, _):
            reply = await ai.messages.create(
                model="claude-sonnet", max_tokens=10_000, system="be brief", messages=ASKED,
                stop_sequences=["END"], extra_body={"temperature": 0.5, "top_k": 5},
            )  # fmt: skip
            assert reply.content[0].text == "hello there"
            assert (reply.stop_reason, reply.usage.output_tokens) == ("end_turn", 2)
            count = await ai.messages.count_tokens(
                model="claude-sonnet", system="be brief", messages=ASKED
            )
            assert count.input_tokens == reply.usage.input_tokens

    lived(main)
    call = heard.calls[0]
    assert [(m.role, m.content) for m in call.messages] == [("system", "be brief"), ("user", "hi")]
    assert (call.decoding.temperature, call.decoding.top_k, call.decoding.stop) == (
        0.5,
        5,
        ("END",),
    )


def test_a_stream_opens_and_closes_text_and_tool_blocks() -> None:
    async def main() -> None:
        async with client(Heard(calling(*CALLS, thought="I add both."))) as (ai, _):
            async with ai.messages.stream(
                model="m", max_tokens=100, messages=ASKED, tools=[ADD]
            ) as stream:
                final = await stream.get_final_message()
            assert [block.type for block in final.content] == ["text", "tool_use", "tool_use"]
            assert final.content[0].text == "I add both."
            assert [block.input for block in final.content[1:]] == [{"a": 1}, {"a": 2}]
            assert final.stop_reason == "tool_use"
            assert final.usage.output_tokens > 0

    lived(main)


def test_a_forced_tool_and_one_at_a_time() -> None:
    heard = Heard(calling(*CALLS))

    async def main() -> None:
        async with client(heard) as (ai, _):
            choice = {"type": "any", "disable_parallel_tool_use": True}
            reply = await ai.messages.create(
                model="m", max_tokens=100, messages=ASKED, tools=[ADD], tool_choice=choice
            )
            assert [block.input for block in reply.content] == [{"a": 1}]

    lived(main)
    assert heard.calls[0].decoding.tool_choice == "add"


def test_results_of_tools_come_back_as_turns_of_their_own() -> None:
    heard = Heard("three")

    async def main() -> None:
        async with client(heard) as (ai, _):
            await ai.messages.create(
                model="m",
                max_tokens=100,
                tools=[ADD],
                messages=[
                    {"role": "user", "content": "add"},
                    {"role": "assistant", "content": [
                        {"type": "thinking", "thinking": "hm", "signature": "s"},
                        {"type": "text", "text": "I add."},
                        {"type": "tool_use", "id": "t1", "name": "add", "input": {"a": 1}}]},
                    {"role": "user", "content": [
                        {"type": "tool_result", "tool_use_id": "t1", "is_error": True,
                         "content": [{"type": "text", "text": "no"}]},
                        {"type": "text", "text": "again"}]},
                ],
            )  # fmt: skip

    lived(main)
    turns = heard.calls[0].messages
    assert [turn.role for turn in turns] == ["user", "assistant", "tool", "user"]
    assert turns[1].tool_calls == (ToolCall("t1", "add", '{"a":1}'),)
    assert (turns[2].content, turns[2].tool_call_id) == ("Error: no", "t1")


def test_errors_have_the_shape_that_the_client_reads() -> None:
    async def main() -> None:
        async with client(Heard("x")) as (ai, home):
            with pytest.raises(anthropic.BadRequestError) as bad:
                await ai.messages.create(model="m", max_tokens=0, messages=ASKED)
            assert bad.value.body["error"]["type"] == "invalid_request_error"
            assert bad.value.body["request_id"] == bad.value.response.headers["request-id"]
            stranger = anthropic.AsyncAnthropic(base_url=home.url, api_key="nobody", max_retries=0)
            async with stranger:
                with pytest.raises(anthropic.AuthenticationError):
                    await stranger.messages.create(model="m", max_tokens=5, messages=ASKED)

    lived(main)
