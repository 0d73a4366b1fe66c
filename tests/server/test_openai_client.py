"""The official OpenAI client against the server: what it reads is what the model said."""

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, closing
from typing import Any

import numpy as np
import pytest

from aios.kernel.rooms.embedding import Embedding
from aios.retrieval.base import Vectors
from aios.retrieval.ngrams import NgramEmbedder
from aios.server.settings import Settings
from aios.syscalls import Generate, Message, ToolCall
from tests.server.house import QUICK, House, Speech, house, lived

openai = pytest.importorskip("openai")

ADD = {
    "type": "function",
    "function": {
        "name": "add",
        "description": "Adds.",
        "parameters": {"type": "object", "properties": {"a": {"type": "integer"}}},
    },
}
CALLS = (ToolCall("call00000", "add", '{"a": 1}'), ToolCall("call00001", "add", '{"a": 2}'))
ASKED = [{"role": "user", "content": "hi"}]


@asynccontextmanager
async def client(
    speech: Speech, settings: Settings | None = None
) -> AsyncIterator[tuple[Any, House]]:
    async with house(speech, settings=settings) as home:
        speaker = openai.AsyncOpenAI(base_url=f"{home.url}/v1", api_key=home.token, max_retries=0)
        async with speaker:
            yield speaker, home


class Heard:
    """A model that remembers what it was asked, and says the next line."""

    def __init__(self, *lines: str | Message) -> None:
        self.lines = list(lines)
        self.calls: list[Generate] = []

    def __call__(self, call: Generate) -> str | Message:
        self.calls.append(call)
        return self.lines.pop(0) if len(self.lines) > 1 else self.lines[0]


def calling(*calls: ToolCall, thought: str | None = None) -> Message:
    return Message("assistant", thought, tool_calls=calls)


def test_a_program_that_names_another_model_runs_on_the_default_one() -> None:
    async def main() -> None:
        async with client(Heard("hello there")) as (ai, _):
            raw = await ai.chat.completions.with_raw_response.create(
                model="gpt-4o-mini", messages=ASKED
            )
            reply = raw.parse()
            assert raw.headers["x-aios-model"] == "scripted"
            assert raw.headers["x-request-id"]
            assert reply.choices[0].message.content == "hello there"
            assert reply.choices[0].finish_reason == "stop"
            assert reply.usage.total_tokens == reply.usage.prompt_tokens + 2

    lived(main)


def test_every_field_of_a_chat_reaches_the_kernel() -> None:
    heard = Heard("{}")

    async def main() -> None:
        async with client(heard) as (ai, _):
            await ai.chat.completions.create(
                model="scripted",
                messages=[
                    {"role": "developer", "content": "be brief"},
                    {"role": "user", "content": [{"type": "text", "text": "hi"}]},
                    {"role": "assistant", "content": None, "tool_calls": [
                        {"id": "c1", "type": "function",
                         "function": {"name": "add", "arguments": "{}"}}]},
                    {"role": "tool", "tool_call_id": "c1", "content": "3"},
                ],
                temperature=0.5, top_p=0.9, seed=7, stop="END", max_tokens=50,
                max_completion_tokens=40, presence_penalty=1, frequency_penalty=0.5,
                logit_bias={"5": 2}, n=2, tools=[ADD], tool_choice="none",
                response_format={"type": "json_schema", "json_schema": {
                    "name": "x", "schema": {"type": "object"}, "strict": True}},
                extra_body={"nobody_knows_this": {"a": [1]}, "top_k": 9},
            )  # fmt: skip

    lived(main)
    call = heard.calls[0]
    assert [message.role for message in call.messages] == ["system", "user", "assistant", "tool"]
    assert call.messages[1].content == "hi"
    assert call.messages[2].tool_calls == (ToolCall("c1", "add", "{}"),)
    assert call.messages[3].tool_call_id == "c1"
    told = call.decoding
    assert (told.temperature, told.top_p, told.seed, told.stop) == (0.5, 0.9, 7, ("END",))
    assert (told.presence_penalty, told.frequency_penalty, told.n, told.top_k) == (1, 0.5, 2, 9)
    assert told.max_tokens == 40
    assert told.logit_bias == {5: 2.0}
    assert told.schema == {"type": "object"}
    assert [tool.name for tool in told.tools] == ["add"]
    assert told.tool_choice == "none"


def test_a_stream_says_the_same_and_tells_usage_where_it_is_asked_for() -> None:
    async def main() -> None:
        async with client(Heard("one two three")) as (ai, _):
            stream = await ai.chat.completions.create(
                model="m", messages=ASKED, stream=True, stream_options={"include_usage": True}
            )
            chunks = [chunk async for chunk in stream]
            told = [chunk.choices[0].delta for chunk in chunks if chunk.choices]
            assert told[0].role == "assistant"
            assert "".join(delta.content or "" for delta in told) == "one two three"
            assert [c.choices[0].finish_reason for c in chunks if c.choices][-1] == "stop"
            assert chunks[-1].usage.completion_tokens == 3

    lived(main)


def test_several_answers_stream_side_by_side() -> None:
    async def main() -> None:
        async with client(Heard("one two")) as (ai, _):
            stream = await ai.chat.completions.create(model="m", messages=ASKED, stream=True, n=2)
            texts = {0: "", 1: ""}
            async for chunk in stream:
                for choice in chunk.choices:
                    texts[choice.index] += choice.delta.content or ""
            assert texts == {0: "one two", 1: "one two"}

    lived(main)


@pytest.mark.parametrize("parallel", [True, False])
def test_tool_calls_arrive_whole_and_one_at_a_time_where_asked(parallel: bool) -> None:
    async def main() -> None:
        async with client(Heard(calling(*CALLS, thought="I add."))) as (ai, _):
            reply = await ai.chat.completions.create(
                model="m", messages=ASKED, tools=[ADD], tool_choice="required",
                parallel_tool_calls=parallel,
            )  # fmt: skip
            message = reply.choices[0].message
            expected = ['{"a": 1}', '{"a": 2}'] if parallel else ['{"a": 1}']
            assert [call.function.arguments for call in message.tool_calls] == expected
            assert reply.choices[0].finish_reason == "tool_calls"
            assert message.content == "I add."

    lived(main)


def test_tool_calls_stream_after_the_thought() -> None:
    async def main() -> None:
        async with client(Heard(calling(*CALLS, thought="I add."))) as (ai, _):
            async with ai.chat.completions.stream(model="m", messages=ASKED, tools=[ADD]) as stream:
                final = await stream.get_final_completion()
            message = final.choices[0].message
            assert message.content == "I add."
            assert [(c.id, c.function.name) for c in message.tool_calls] == [
                ("call00000", "add"), ("call00001", "add"),
            ]  # fmt: skip
            assert [c.function.arguments for c in message.tool_calls] == ['{"a": 1}', '{"a": 2}']
            assert final.choices[0].finish_reason == "tool_calls"

    lived(main)


def test_legacy_functions_are_answered_in_their_own_dialect() -> None:
    async def main() -> None:
        async with client(Heard(calling(*CALLS))) as (ai, _):
            reply = await ai.chat.completions.create(
                model="m", messages=ASKED, functions=[ADD["function"]],
                function_call={"name": "add"},
            )  # fmt: skip
            assert reply.choices[0].message.function_call.arguments == '{"a": 1}'
            assert reply.choices[0].finish_reason == "function_call"

    lived(main)


def test_text_completions_continue_a_prompt_whole_and_streamed() -> None:
    async def main() -> None:
        async with client(Heard("a time there was")) as (ai, _):
            reply = await ai.completions.create(model="m", prompt="Once upon ", echo=True)
            assert reply.choices[0].text == "Once upon a time there was"
            stream = await ai.completions.create(model="m", prompt="Once upon", stream=True)
            text = "".join([c.choices[0].text async for c in stream if c.choices])
            assert text == "a time there was"

    lived(main)


def test_a_response_is_stored_and_gone_on_from() -> None:
    heard = Heard("I am Bob.", "You asked who I am.")

    async def main() -> None:
        async with client(heard) as (ai, _):
            first = await ai.responses.create(
                model="m", input="who are you?", instructions="be brief", metadata={"k": "v"}
            )
            assert first.output_text == "I am Bob."
            assert (first.status, first.metadata) == ("completed", {"k": "v"})
            second = await ai.responses.create(
                model="m", input="what did I ask?", previous_response_id=first.id
            )
            assert second.previous_response_id == first.id
            assert (await ai.responses.retrieve(first.id)).output_text == "I am Bob."
            inputs = await ai.responses.input_items.list(first.id)
            assert inputs.data[0].content[0].text == "who are you?"
            await ai.responses.delete(first.id)
            with pytest.raises(openai.NotFoundError):
                await ai.responses.create(model="m", input="x", previous_response_id=first.id)

    lived(main)
    assert [(m.role, m.content) for m in heard.calls[1].messages] == [
        ("user", "who are you?"),
        ("assistant", "I am Bob."),
        ("user", "what did I ask?"),
    ]


def test_a_response_streams_text_and_calls_with_rising_numbers() -> None:
    tool = {"type": "function", "name": "add", "parameters": {"type": "object"}, "strict": False}

    async def main() -> None:
        async with client(Heard(calling(*CALLS, thought="I add both."))) as (ai, _):
            stream = await ai.responses.create(model="m", input="go", tools=[tool], stream=True)
            events = [event async for event in stream]
            assert [event.sequence_number for event in events] == list(range(len(events)))
            assert [event.type for event in events][:2] == [
                "response.created", "response.in_progress",
            ]  # fmt: skip
            assert events[-1].type == "response.completed"
            final = events[-1].response
            assert final.output_text == "I add both."
            assert [item.type for item in final.output] == [
                "message", "function_call", "function_call",
            ]  # fmt: skip
            said = "".join(e.delta for e in events if e.type == "response.output_text.delta")
            assert said == "I add both."
            done = [e for e in events if e.type == "response.function_call_arguments.done"]
            assert [e.arguments for e in done] == ['{"a": 1}', '{"a": 2}']

    lived(main)


def test_calls_and_their_outputs_come_back_as_turns() -> None:
    heard = Heard("three")

    async def main() -> None:
        async with client(heard) as (ai, _):
            await ai.responses.create(
                model="m",
                input=[
                    {"role": "user", "content": "add"},
                    {"type": "reasoning", "id": "r", "summary": []},
                    {"type": "function_call", "call_id": "c1", "name": "add", "arguments": "{}"},
                    {"type": "function_call", "call_id": "c2", "name": "add", "arguments": "{}"},
                    {"type": "function_call_output", "call_id": "c1", "output": "3"},
                ],
            )

    lived(main)
    assert [(m.role, len(m.tool_calls)) for m in heard.calls[0].messages] == [
        ("user", 0), ("assistant", 2), ("tool", 0),
    ]  # fmt: skip


def test_the_models_are_listed_and_a_foreign_name_finds_the_default() -> None:
    async def main() -> None:
        async with client(Heard("x")) as (ai, _):
            assert [model.id async for model in ai.models.list()] == ["scripted"]
            assert (await ai.models.retrieve("gpt-4o-mini")).id == "scripted"

    lived(main)


def test_names_that_no_alias_covers_are_not_found() -> None:
    async def main() -> None:
        settings = Settings(aliases={"gpt-*": "scripted"})
        async with client(Heard("x"), settings) as (ai, _):
            await ai.chat.completions.create(model="gpt-5", messages=ASKED)
            with pytest.raises(openai.NotFoundError, match="served: scripted"):
                await ai.chat.completions.create(model="claude", messages=ASKED)

    lived(main)


def test_without_an_embedder_embeddings_are_refused_by_name() -> None:
    async def main() -> None:
        async with client(Heard("x")) as (ai, _):
            with pytest.raises(openai.APIStatusError, match="without an embedder") as refused:
                await ai.embeddings.create(model="m", input="x")
            assert refused.value.status_code == 501

    lived(main)


def test_embeddings_come_in_the_order_of_the_texts() -> None:
    class Lengths(NgramEmbedder):
        def embed(self, texts: Sequence[str]) -> Vectors:
            return np.array([[len(text), 0.5] for text in texts], np.float32)

    async def main() -> None:
        with closing(Embedding(Lengths())) as embed:
            await served(embed)

    async def served(embed: Embedding) -> None:
        async with house(embed=embed) as home:
            speaker = openai.AsyncOpenAI(base_url=f"{home.url}/v1", api_key=home.token)
            async with speaker:  # it asks for base64 and reads that
                reply = await speaker.embeddings.create(model="m", input=["a", "bbb"])
            assert [one.embedding for one in reply.data] == [[1.0, 0.5], [3.0, 0.5]]

    lived(main)


def test_errors_have_the_shape_that_the_client_reads() -> None:
    async def main() -> None:
        async with client(Heard("x")) as (ai, home):
            with pytest.raises(openai.BadRequestError, match="got `bool`") as bad:
                await ai.chat.completions.create(
                    model="m", messages=ASKED, extra_body={"max_tokens": True}
                )
            assert bad.value.body["param"] == "max_tokens"
            assert bad.value.body["type"] == "invalid_request_error"
            stranger = openai.AsyncOpenAI(
                base_url=f"{home.url}/v1", api_key="nobody", max_retries=0
            )
            async with stranger:
                with pytest.raises(openai.AuthenticationError) as unknown:
                    await stranger.chat.completions.create(model="m", messages=ASKED)
            assert unknown.value.code == "invalid_api_key"

    lived(main)


def test_a_call_past_its_deadline_is_told_when_to_try_again() -> None:
    async def main() -> None:
        slow = QUICK.__class__(step_s=0.05, lanes=1, answer_tokens=(500, 500))
        async with house(script=slow) as home:
            speaker = openai.AsyncOpenAI(
                base_url=f"{home.url}/v1", api_key=home.token, max_retries=0
            )
            async with speaker:
                with pytest.raises(openai.RateLimitError, match="no answer within") as late:
                    await speaker.chat.completions.create(
                        model="m", messages=ASKED, extra_headers={"x-aios-deadline-s": "0.1"}
                    )
            assert late.value.response.headers["retry-after"]

    lived(main)


def test_a_stream_that_breaks_says_so_in_the_stream() -> None:
    async def main() -> None:
        slow = QUICK.__class__(step_s=0.05, lanes=1, answer_tokens=(500, 500))
        async with house(script=slow) as home:
            body = {"messages": ASKED, "stream": True}
            headers = {"x-aios-deadline-s": "0.3"}
            async with home.http.post("/v1/chat/completions", json=body, headers=headers) as told:
                assert told.status == 200
                *_, broken, done = (await told.text()).strip().split("\n\n")
            assert json.loads(broken.removeprefix("data: "))["error"]["type"] == "rate_limit_error"
            assert done == "data: [DONE]"

    lived(main)
