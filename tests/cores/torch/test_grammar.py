"""Constrained answers: every way through a mask is well formed, and a position is its tokens."""

import json
import random
from collections.abc import Callable, Sequence
from copy import deepcopy
from typing import Any

import jsonschema
import pytest

from aios.cores.torch.chat import Chat
from aios.cores.torch.grammar import Grammar, Grammars
from aios.errors import CoreFailed, InvalidArgument
from aios.syscalls.llm import Decoding, ToolSpec
from tests.cores.torch.small_tokenizers import byte_level, ids

ADD = ToolSpec(
    name="add",
    parameters={
        "type": "object",
        "properties": {"a": {"$ref": "#/$defs/small"}, "b": {"enum": ["x", "yy", 7]}},
        "required": ["a"],
        "additionalProperties": False,
        "$defs": {"small": {"type": "integer", "minimum": -5, "maximum": 99}},
    },
)
SAY = ToolSpec(
    name="say",
    parameters={
        "type": "object",
        "properties": {"text": {"type": "string", "maxLength": 6}},
        "required": ["text"],
        "additionalProperties": False,
    },
)
STOP = ToolSpec(name="stop")
TOOLS = (ADD, SAY, STOP)
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "city": {"type": "string", "maxLength": 8},
        "days": {"type": "array", "items": {"type": "integer", "maximum": 50}, "maxItems": 3},
        "sunny": {"type": ["boolean", "null"]},
    },
    "required": ["city", "days"],
    "additionalProperties": False,
}
PADDED = 512  # more columns of logits than tokens
MERGED = ('{"name": "', '", "arguments": {"', '"}}', "<tool_call>", "</tool_call>")
MARKINGS: dict[str, Callable[[], Any]] = {
    "special marks": byte_level,
    "added marks": lambda: byte_level(special=False),
    "marks as text": lambda: byte_level(marks=()),
    "merged pieces": lambda: byte_level(marks=MERGED, special=False),
}


def allowed(grammar: Grammar) -> list[int]:
    found: list[int] = grammar.mask().nonzero()[:, 0].tolist()
    return found


def walk(tokenizer: Any, grammar: Grammar, rng: random.Random, steps: int = 300) -> str | None:
    """A random answer that the masks allow; None if it did not end in time."""
    tokens: list[int] = []
    for _ in range(steps):
        choices = allowed(grammar)
        ending = tokenizer.eos_token_id in choices
        if grammar.is_done or (ending and rng.random() < 0.3):
            assert ending
            return str(tokenizer.decode(tokens))
        tokens.append(rng.choice([one for one in choices if one != tokenizer.eos_token_id]))
        grammar.accept(tokens[-1])
    return None


def walks(tokenizer: Any, count: int, **decoding: Any) -> list[str]:
    grammars = Grammars(tokenizer, PADDED)
    found = []
    for seed in range(count):
        grammar = grammars.constraint(Decoding(**decoding))
        assert grammar
        found.append(walk(tokenizer, grammar, random.Random(seed)))
    ended = [text for text in found if text is not None]
    assert len(ended) > count * 0.8
    return ended


def refused(tokenizer: Any, text: str, **decoding: Any) -> str | None:
    """What of a text remains from the first token that its mask does not allow."""
    grammar = Grammars(tokenizer, PADDED).constraint(Decoding(**decoding))
    assert grammar
    tokens = ids(tokenizer, text)
    for at, token in enumerate(tokens):
        if token not in allowed(grammar):
            return str(tokenizer.decode(tokens[at:]))
        grammar.accept(token)
    return None if tokenizer.eos_token_id in allowed(grammar) else ""


def test_without_schema_or_tools_there_is_no_grammar() -> None:
    grammars = Grammars(byte_level(), PADDED)

    assert grammars.constraint(Decoding()) is None
    assert grammars.constraint(Decoding(tools=TOOLS, tool_choice="none")) is None


def test_every_way_through_a_schema_is_valid_json_of_it() -> None:
    for text in walks(byte_level(), 60, schema=SCHEMA):
        jsonschema.validate(json.loads(text), SCHEMA)
        assert text == json.dumps(json.loads(text), ensure_ascii=False) or "\\" in text


@pytest.mark.parametrize("marking", MARKINGS)
def test_every_required_answer_is_calls_of_listed_tools(marking: str) -> None:
    tokenizer = MARKINGS[marking]()
    seen = set()
    for text in walks(tokenizer, 40, tools=TOOLS, tool_choice="required"):
        message = Chat(tokenizer).parse(text, TOOLS)
        assert message.content is None
        assert message.tool_calls
        for call in message.tool_calls:
            seen.add(call.name)
            tool = next(tool for tool in TOOLS if tool.name == call.name)
            jsonschema.validate(json.loads(call.arguments), tool.parameters)
    assert seen == {"add", "say", "stop"}


def test_a_required_answer_may_be_several_calls() -> None:
    call = '<tool_call>{"name": "stop", "arguments": {}}</tool_call>'

    for text in (call, call * 2, f"{call}\n{call}\n{call}"):
        assert refused(byte_level(), text, tools=TOOLS, tool_choice="required") is None
    assert refused(byte_level(), call * 2, tools=TOOLS, tool_choice="stop") == call


def test_a_named_tool_is_called_exactly_once() -> None:
    for text in walks(byte_level(), 30, tools=TOOLS, tool_choice="add"):
        calls = Chat(byte_level()).parse(text, TOOLS).tool_calls
        assert [call.name for call in calls] == ["add"]


@pytest.mark.parametrize("marking", MARKINGS)
@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("", None),
        ("Plain {text} with <b> and 日本語 🦊.", None),
        ('I add.<tool_call>{"name": "add", "arguments": {"a": 12}}</tool_call>', None),
        ('<tool_call>\n{"name": "stop", "arguments": {}}\n</tool_call>\nDone.', None),
        ('<tool_call>{"name": "stop", "arguments": {}}</tool_call>\n' * 2, None),
        ("Well <tool_call>no", "no"),
        ('<tool_call>{"name": "xyz', "xyz"),
        ('<tool_call>{"name": "stop", "arguments": {}}</tool_call><tool_call>no', "no"),
        ('<tool_call>{"name": "add", "arguments": {"a": 12}', ""),
        ("<tool_call>", ""),
    ],
)
def test_with_auto_text_is_free_until_a_call_begins(
    marking: str, text: str, rest: str | None
) -> None:
    assert refused(MARKINGS[marking](), text, tools=TOOLS) == rest


def test_other_marks_than_the_end_may_stand_in_free_text() -> None:
    tokenizer = byte_level(marks=("<tool_call>", "</tool_call>", "<think>"))

    assert refused(tokenizer, "a<think>b<|user|>", tools=TOOLS) is None


def test_with_a_schema_and_tools_an_answer_is_either() -> None:
    both = {"schema": SCHEMA, "tools": TOOLS}
    call = '<tool_call>{"name": "stop", "arguments": {}}</tool_call>'

    assert refused(byte_level(), call, **both) is None
    assert refused(byte_level(), '{"city": "x", "days": [1]}', **both) is None
    assert refused(byte_level(), "Hi", **both) == "Hi"


@pytest.mark.parametrize("wish", [{"schema": SCHEMA}, {"tools": TOOLS}])
def test_a_grammar_rebuilt_from_token_ids_gives_equal_masks(wish: dict[str, Any]) -> None:
    here, elsewhere = Grammars(byte_level(), PADDED), Grammars(byte_level(), PADDED)
    for seed in range(4):
        grammar = here.constraint(Decoding(**wish))
        assert grammar
        rng = random.Random(seed)
        tokens: list[int] = []
        for _ in range(40):
            again = elsewhere.constraint(Decoding(**wish))
            assert again
            again.replay(tokens)
            assert again.mask().equal(grammar.mask())
            assert again.is_done == grammar.is_done
            choices = [one for one in allowed(grammar) if one != byte_level().eos_token_id]
            if not choices:
                break
            # Calls are rarer than text: begin one now and then.
            mark = ids(byte_level(), "<tool_call>")[0]
            tokens.append(mark if mark in choices and rng.random() < 0.3 else rng.choice(choices))
            grammar.accept(tokens[-1])


def test_a_fork_goes_its_own_way() -> None:
    grammar = Grammars(byte_level(), PADDED).constraint(Decoding(schema={"type": "boolean"}))
    assert grammar
    before = grammar.mask()

    fork = grammar.fork()
    fork.replay(ids(byte_level(), "true"))

    assert fork.is_done
    assert not grammar.is_done
    assert grammar.mask().equal(before)


def test_the_end_is_allowed_only_where_the_answer_may_end() -> None:
    tokenizer = byte_level()
    grammar = Grammars(tokenizer, PADDED).constraint(Decoding(schema={"type": "boolean"}))
    assert grammar
    for token in ids(tokenizer, "false"):
        assert tokenizer.eos_token_id not in allowed(grammar)
        grammar.accept(token)

    assert allowed(grammar) == [tokenizer.eos_token_id]
    grammar.accept(tokenizer.eos_token_id)
    assert grammar.is_done


@pytest.mark.parametrize("size", [382, 383, 512, 4096])
def test_columns_beyond_the_vocabulary_are_never_allowed(size: int) -> None:
    grammar = Grammars(byte_level(), size).constraint(Decoding(tools=TOOLS))
    assert grammar
    mask = grammar.mask()

    assert mask.shape == (size,)
    assert mask[:300].sum() > 200
    assert not mask[len(byte_level()) :].any()


def test_a_tokenizer_may_know_more_tokens_than_the_model() -> None:
    grammar = Grammars(byte_level(), 300).constraint(Decoding(schema={"type": "integer"}))
    assert grammar

    assert grammar.mask().shape == (300,)


@pytest.mark.parametrize(
    ("wish", "message"),
    [
        ({"schema": {"type": "nonsense"}}, "schema: Invalid type: nonsense"),
        ({"schema": {"not": {"type": "string"}}}, 'Unimplemented keys: \\["not"\\]'),
        ({"schema": {"type": "string", "pattern": "(["}}, "regex parse error"),
        ({"schema": {"$ref": "http://example.com/x.json"}}, "http://example.com/x.json"),
        ({"schema": {"const": float("nan")}}, "plain JSON"),
        ({"schema": {"enum": []}}, "Unsatisfiable"),
        ({"schema": {"$ref": "#"}}, "schemas that make a grammar: the grammar cannot go on"),
        (
            {"tools": (ADD, ToolSpec("bad", "", {"properties": {"q": {"type": "nonsense"}}}))},
            "parameters of tool 'bad': Invalid type: nonsense",
        ),
        ({"tools": (ToolSpec("list", "", {"type": "array"}),)}, "object for tool 'list', got"),
    ],
)
def test_a_schema_that_cannot_be_used_says_why(wish: dict[str, Any], message: str) -> None:
    grammars = Grammars(byte_level(), PADDED)

    with pytest.raises(InvalidArgument, match=message):
        grammars.constraint(Decoding(**wish))


def test_a_deeply_nested_schema_is_refused_not_fatal() -> None:
    schema: dict[str, Any] = {"type": "integer"}
    for _ in range(3000):
        schema = {"type": "array", "items": schema}

    with pytest.raises(InvalidArgument, match="plain JSON"):
        Grammars(byte_level(), PADDED).constraint(Decoding(schema=schema))


def test_a_tools_unknown_keyword_leaves_its_argument_free() -> None:
    odd = ToolSpec("odd", "", {"properties": {"u": {"type": "string", "not": {}, "format": "zz"}}})

    text = '<tool_call>{"name": "odd", "arguments": {"u": "any"}}</tool_call>'
    assert refused(byte_level(), text, tools=(odd,), tool_choice="odd") is None


@pytest.mark.parametrize("wish", [{"schema": SCHEMA}, {"tools": TOOLS}])
def test_what_is_said_of_one_token_is_what_the_mask_says(wish: dict[str, Any]) -> None:
    grammar = Grammars(byte_level(), PADDED).constraint(Decoding(**wish))
    assert grammar
    rng = random.Random(3)

    for _ in range(12):
        assert [grammar.allows(token) for token in range(PADDED)] == grammar.mask().tolist()
        choices = [one for one in allowed(grammar) if one != byte_level().eos_token_id]
        if not choices:
            break
        grammar.accept(rng.choice(choices))


def test_a_token_that_the_mask_forbids_is_not_accepted() -> None:
    grammar = Grammars(byte_level(), PADDED).constraint(Decoding(schema={"type": "boolean"}))
    assert grammar

    with pytest.raises(CoreFailed, match="grammar"):
        grammar.accept(ids(byte_level(), "x")[0])


@pytest.mark.parametrize(
    ("template", "mark", "texts"),
    [
        (
            "<|python_tag|>",
            "<|python_tag|>",
            [
                '{"name": "stop", "parameters": {}}',
                '<|python_tag|>{"name": "add", "parameters": {"a": 1}}; '
                '{"name": "stop", "parameters": {}}',
            ],
        ),
        (
            "[TOOL_CALLS]",
            "[TOOL_CALLS]",
            [
                '[TOOL_CALLS] [{"name": "add", "arguments": {"a": 1}}, '
                '{"name": "stop", "arguments": {}}]',
                '[TOOL_CALLS][{"name": "stop", "arguments": {}}]',
            ],
        ),
    ],
)
def test_calls_take_the_form_of_the_models_template(
    template: str, mark: str, texts: Sequence[str]
) -> None:
    for marks in ((mark,), ()):  # as one token and as text
        tokenizer = deepcopy(byte_level(marks=marks))
        tokenizer.chat_template = template
        for text in texts:
            assert refused(tokenizer, text, tools=TOOLS, tool_choice="required") is None
            assert refused(tokenizer, text, tools=TOOLS) is None
            assert Chat(tokenizer).parse(text, TOOLS).content is None
        assert refused(tokenizer, f"Hi {mark}no", tools=TOOLS) == "no"
        assert refused(tokenizer, "Hi", tools=TOOLS, tool_choice="required") == "Hi"
        for text in walks(tokenizer, 15, tools=TOOLS, tool_choice="required"):
            assert Chat(tokenizer).parse(text, TOOLS).content is None
