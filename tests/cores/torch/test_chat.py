"""Chat templates one way, tool calls the other."""

import json
from copy import deepcopy
from typing import Any

import pytest

from aios.cores.torch.chat import HERMES, LLAMA, MISTRAL, Chat, form_of
from aios.errors import InvalidArgument
from aios.syscalls.llm import Message, ToolCall, ToolSpec
from tests.cores.torch.small_tokenizers import TEMPLATE, byte_level

ADD = ToolSpec(name="add", description="Adds.", parameters={"type": "object"})
SAY = ToolSpec(name="say")
CHAT = Chat(byte_level())


def calls(text: str, *tools: ToolSpec) -> list[tuple[str, str]]:
    parsed = CHAT.parse(text, tools or (ADD, SAY))
    return [(call.name, call.arguments) for call in parsed.tool_calls]


def rendered(*messages: Message, tools: tuple[ToolSpec, ...] = ()) -> str:
    text: str = byte_level().decode(CHAT.encode(messages, tools))
    return text


def test_messages_become_the_templates_tokens_with_a_generation_prompt() -> None:
    text = rendered(Message("system", "Be brief."), Message("user", "Hi"))

    assert text == "<|system|>Be brief.<|im_end|><|user|>Hi<|im_end|><|assistant|>"


def test_tools_are_told_as_functions() -> None:
    text = rendered(Message("user", "Hi"), tools=(ADD, SAY))

    first, second = text.split("<|im_end|>")[:2]
    assert json.loads(first.removeprefix("<|system|>")) == {
        "type": "function",
        "function": {"name": "add", "description": "Adds.", "parameters": {"type": "object"}},
    }
    assert json.loads(second.removeprefix("<|system|>"))["function"]["parameters"] == {
        "type": "object",
        "properties": {},
    }


def test_calls_in_the_history_are_written_as_json_not_as_quoted_text() -> None:
    call = ToolCall(id="call00000", name="add", arguments='{"a": 1, "b": [2]}')
    text = rendered(
        Message("user", "1+2"),
        Message("assistant", None, tool_calls=(call,)),
        Message("tool", "3", tool_call_id="call00000"),
    )

    written = text.split("<tool_call>")[1].split("</tool_call>")[0]
    assert json.loads(written) == {"name": "add", "arguments": {"a": 1, "b": [2]}}
    assert "None" not in text


def test_what_the_assistant_wrote_survives_parsing_and_encoding() -> None:
    text = '<tool_call>{"name": "add", "arguments": {"a": 1}}</tool_call>'
    message = CHAT.parse(text, (ADD,))

    again = rendered(Message("user", "go"), message).split("<|assistant|>")[1]

    assert CHAT.parse(again.split("<|im_end|>")[0], (ADD,)) == message


def test_arguments_that_are_no_json_reach_the_template_as_text() -> None:
    call = ToolCall(id="x", name="add", arguments="{broken")

    assert "{broken" in rendered(
        Message("user", "a"), Message("assistant", None, tool_calls=(call,))
    )


def test_a_model_without_a_template_says_what_it_takes() -> None:
    bare = _bare(None)

    with pytest.raises(InvalidArgument, match="no chat template: expected prompt or token_ids"):
        Chat(bare).encode((Message("user", "Hi"),), ())


def test_a_templates_own_refusal_reaches_the_caller() -> None:
    with pytest.raises(InvalidArgument, match="two user turns in a row"):
        CHAT.encode((Message("user", "a"), Message("user", "b")), ())


def test_a_template_that_fails_is_the_callers_invalid_argument() -> None:
    bare = _bare("{{ messages[0].content.nothing.at_all }}")

    with pytest.raises(InvalidArgument, match="chat template refused"):
        Chat(bare).encode((Message("user", "Hi"),), ())


def test_plain_text_is_encoded_as_the_tokenizer_does() -> None:
    assert list(CHAT.encode_text("The quick fox")) == byte_level().encode("The quick fox")


def test_plain_text_is_content() -> None:
    text = "  It is 46 \n"

    assert CHAT.parse(text, (ADD,)) == Message("assistant", text)


def test_only_calls_leaves_no_content() -> None:
    parsed = CHAT.parse('\n<tool_call>\n{"name": "say", "arguments": {}}\n</tool_call>\n', (SAY,))

    assert parsed == Message("assistant", None, tool_calls=(ToolCall("call00000", "say", "{}"),))


def test_several_calls_among_text_keep_their_order_and_get_different_ids() -> None:
    text = (
        'First.<tool_call>{"name": "add", "arguments": {"a": 1}}</tool_call>'
        ' then <tool_call>{"arguments": {"b":2}, "name": "say"}</tool_call>'
    )

    parsed = CHAT.parse(text, (ADD, SAY), prefix="g7x")

    assert parsed.content == "First. then"
    assert parsed.tool_calls == (
        ToolCall("g7x00000", "add", '{"a": 1}'),
        ToolCall("g7x00001", "say", '{"b":2}'),
    )


def test_arguments_stay_as_the_model_wrote_them() -> None:
    written = '{ "a" :1.50,"b": "</tool_call> \\u00e9 é {" }'

    assert calls(f'<tool_call>{{"name": "add", "arguments": {written}}}</tool_call>') == [
        ("add", written)
    ]


def test_a_call_whose_end_mark_is_missing_at_the_end_counts() -> None:
    assert calls('<tool_call>{"name": "add", "arguments": {}}') == [("add", "{}")]


@pytest.mark.parametrize(
    "text",
    [
        '<tool_call>{"name": "add", "arguments": {"a": </tool_call>',
        '<tool_call>{"name": "add"}</tool_call>',
        '<tool_call>{"name": "add", "arguments": [1]}</tool_call>',
        '<tool_call>{"name": "add", "arguments": "text"}</tool_call>',
        '<tool_call>{"name": "add", "arguments": null}</tool_call>',
        '<tool_call>{"name": "add", "arguments": {"a": NaN}}</tool_call>',
        '<tool_call>{"name": 5, "arguments": {}}</tool_call>',
        '<tool_call>{"name": "add", "arguments": {}} and more',
        '<tool_call>{"name": "unlisted", "arguments": {}}</tool_call>',
        "<tool_call>",
        "<tool_call></tool_call>",
        "<tool_call>" + "[" * 100_000,
        '{"name": "add", "arguments": {}}',
        '{"name": "unlisted", "parameters": {}}',
        '{"name": "add", "parameters": {}} is how',
        'see {"name": "add", "parameters": {}}',
        "<|python_tag|>print(1)",
        '[TOOL_CALLS] [{"name": "add"}]',
        '[TOOL_CALLS] {"name": "add", "arguments": {}}',
        '[TOOL_CALLS] [{"name": "add", "arguments": {}}',
        "[TOOL_CALLS]",
        "{",
        "",
    ],
)
def test_what_is_no_well_formed_call_of_a_listed_tool_stays_content(text: str) -> None:
    assert CHAT.parse(text, (ADD,)) == Message("assistant", text)


def test_a_good_call_after_a_malformed_one_counts_and_the_bad_one_stays() -> None:
    text = (
        '<tool_call>{"name": "add", </tool_call><tool_call>{"name": "add", "arguments": {}}'
        '</tool_call><tool_call>{"name": "unlisted", "arguments": {}}</tool_call>'
    )

    parsed = CHAT.parse(text, (ADD,))

    assert [call.name for call in parsed.tool_calls] == ["add"]
    assert parsed.content == (
        '<tool_call>{"name": "add", </tool_call>'
        '<tool_call>{"name": "unlisted", "arguments": {}}</tool_call>'
    )


def test_without_tools_nothing_is_a_call() -> None:
    text = '<tool_call>{"name": "add", "arguments": {}}</tool_call>'

    assert CHAT.parse(text, ()) == Message("assistant", text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"name": "add", "parameters": {"a": 1}}', [("add", '{"a": 1}')]),
        ('<|python_tag|>{"name": "add", "parameters": {}}', [("add", "{}")]),
        (
            ' {"type": "function", "name": "add", "parameters": {}}; '
            '{"name": "say", "parameters": {"x": 2}}\n',
            [("add", "{}"), ("say", '{"x": 2}')],
        ),
    ],
)
def test_llama_calls_are_found(text: str, expected: list[tuple[str, str]]) -> None:
    assert calls(text) == expected
    assert CHAT.parse(text, (ADD, SAY)).content is None


def test_mistral_calls_are_found_after_text() -> None:
    text = 'Sure. [TOOL_CALLS] [{"name": "add", "arguments": {"a": 1}, "id": "123456789"}, '
    text += '{"name": "say", "arguments": {}}]'

    parsed = CHAT.parse(text, (ADD, SAY))

    assert calls(text) == [("add", '{"a": 1}'), ("say", "{}")]
    assert parsed.content == "Sure."


def test_marks_that_never_close_cost_no_square_of_their_number() -> None:
    text = '<tool_call>{"name": "' * 100_000

    assert CHAT.parse(text, (ADD,)).content == text


@pytest.mark.parametrize(
    ("template", "form"),
    [
        (TEMPLATE, HERMES),
        ("{{ '<|python_tag|>' }}", LLAMA),
        ("{{ '[TOOL_CALLS]' }}", MISTRAL),
        ("{{ messages }}", HERMES),
        (None, HERMES),
        ({"default": "x", "tool_use": "[TOOL_CALLS]"}, MISTRAL),
    ],
)
def test_a_template_tells_the_form_of_its_calls(template: Any, form: object) -> None:
    assert form_of(template) == form


def _bare(template: str | None) -> Any:
    tokenizer = deepcopy(byte_level())
    tokenizer.chat_template = template
    return tokenizer
