"""Requests of every surface: whatever JSON comes, a turn or `InvalidArgument`."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aios.errors import InvalidArgument, NotFound
from aios.server.wire.aliases import Aliases
from aios.server.wire.chat import Chat
from aios.server.wire.completions import TextCompletion
from aios.server.wire.embeddings import Embeddings
from aios.server.wire.messages import Messages
from aios.server.wire.responses import Response
from aios.server.wire.stored import Kept, ResponsesInMemory
from aios.syscalls import Message
from aios.syscalls.codec import checked

STORE = ResponsesInMemory(count_max=1, bytes_max=1_000)
TURNS: dict[str, Callable[[bytes], Any]] = {
    "chat": Chat,
    "completions": TextCompletion,
    "messages": Messages,
    "responses": lambda body: Response(body, STORE, 1),
}
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
KEYS = st.sampled_from(
    ["messages", "role", "content", "type", "text", "tools", "function", "name", "parameters",
     "tool_choice", "stop", "n", "max_tokens", "input", "prompt", "response_format", "schema",
     "output_config", "format", "stream", "system", "logit_bias", "tool_calls", "arguments",
     "allowed_tools", "mode", "id", "x"]
)  # fmt: skip
JSON = st.recursive(
    SCALARS
    | st.sampled_from(
        ["user", "assistant", "text", "function", "auto", "json_schema", "item_reference"]
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=20,
)
BASE = {
    "messages": [{"role": "user", "content": "x"}],
    "input": "x",
    "prompt": "x",
    "max_tokens": 5,
}


@pytest.mark.parametrize("name", TURNS)
@settings(max_examples=200, deadline=None)
@given(st.dictionaries(KEYS, JSON, max_size=6))
def test_whatever_json_comes_it_is_a_turn_or_a_refusal(name: str, fields: dict[str, Any]) -> None:
    for body in (fields, BASE | fields):
        try:
            call = TURNS[name](json.dumps(body).encode()).generate("m")
            checked(call)
        except InvalidArgument:
            continue


@pytest.mark.parametrize(
    ("given_", "expected"),
    [(None, ()), ("END", ("END",)), (["a", ""], ("a",)), ([], ())],
)
def test_stop_is_one_text_or_several(given_: Any, expected: tuple[str, ...]) -> None:
    body = json.dumps(BASE | {"stop": given_}).encode()
    assert Chat(body).generate("m").decoding.stop == expected


@pytest.mark.parametrize(
    ("content", "expected"),
    [(None, ""), ("", ""), ("a", "a"), ([{"type": "text", "text": "a"}, {"text": "b"}], "ab")],
)
def test_content_is_text_parts_or_nothing(content: Any, expected: str) -> None:
    said = [{"role": "assistant", "content": content}]
    call = Chat(json.dumps({"messages": said}).encode()).generate("m")
    assert call.messages == (Message("assistant", expected),)


def test_the_smaller_of_two_limits_wins() -> None:
    body = json.dumps(BASE | {"max_completion_tokens": 9, "max_tokens": 5}).encode()
    assert Chat(body).generate("m").decoding.max_tokens == 5


@pytest.mark.parametrize(
    ("asked", "expected"), [([1, 2, 3], (1, 2, 3)), ([[1, 2]], (1, 2)), (["x"], "x"), ("x", "x")]
)
def test_a_prompt_is_text_or_token_ids(asked: Any, expected: Any) -> None:
    call = TextCompletion(json.dumps({"prompt": asked}).encode()).generate("m")
    assert (call.prompt or call.token_ids) == expected


@pytest.mark.parametrize("asked", [["a", "b"], [[1], [2]], [], "", [1, "a"]])
def test_several_prompts_or_none_are_refused(asked: Any) -> None:
    with pytest.raises(InvalidArgument, match="expected"):
        TextCompletion(json.dumps({"prompt": asked}).encode())


def test_vectors_are_told_as_numbers_or_as_little_endian_floats() -> None:
    plain = Embeddings(b'{"input": ["a", "b"]}').reply([[1.0, -2.0], [0.5, 0.0]], tokens=2)
    assert [one["embedding"] for one in plain["data"]] == [[1.0, -2.0], [0.5, 0.0]]
    packed = Embeddings(b'{"input": "a", "encoding_format": "base64"}').reply([[1.0]], tokens=1)
    assert packed["data"][0]["embedding"] == "AACAPw=="


def test_the_first_pattern_that_fits_names_the_model() -> None:
    table = Aliases({"gpt-4*": "big", "gpt-*": "", "gone-*": "not-served"})
    served = ("small", "big")
    names = {"gpt-4o": "big", "gpt-3": "small", "big": "big", "": "small"}
    assert {name: table.model(name, served) for name in names} == names
    for unknown in ("claude", "gone-1"):
        with pytest.raises(NotFound, match="served: small, big"):
            table.model(unknown, served)


def test_the_store_of_responses_forgets_the_oldest_first() -> None:
    store = ResponsesInMemory(count_max=2, bytes_max=100)
    for number in range(3):
        store.keep(1, kept(str(number), size=10))
    assert [store.find(1, str(number)) is not None for number in range(3)] == [False, True, True]
    store.keep(2, kept("big", size=85))
    assert (store.find(1, "1"), store.find(1, "2") is not None) == (None, True)
    store.keep(2, kept("too big", size=101))
    assert store.find(2, "too big") is None
    assert store.find(2, "big") is not None


def kept(id: str, size: int) -> Kept:
    return Kept(id=id, body=b"x" * size, input=b"", messages=())
