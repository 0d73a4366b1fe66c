"""Arguments as models make them: passed on as they are meant, or refused in words that help."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aios.errors import InvalidArgument
from aios.tools.checking import Checker
from aios.tools.reading import DEPTH_MAX, VALUES_MAX, read

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "path": {"type": "string"},
        "count": {"type": "integer", "minimum": 1},
        "ratio": {"type": "number"},
        "force": {"type": "boolean"},
        "tags": {"type": "array", "items": {"type": "string"}},
        "mode": {"enum": ["read", "write"]},
        "limit": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
        "place": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
            "additionalProperties": False,
        },
    },
    "required": ["path"],
    "additionalProperties": False,
}
CHECKER = Checker(SCHEMA)

MENDED = [
    ('{"path": "a",}', {"path": "a"}),
    ('{"path": "a", "tags": ["x", "y",],}', {"path": "a", "tags": ["x", "y"]}),
    ('Here it is:\n```json\n{"path": "a"}\n```', {"path": "a"}),
    ('I call it with {"path": "},{"} now', {"path": "},{"}),
    ('"{\\"path\\": \\"a\\"}"', {"path": "a"}),
    ('{"path": 5}', {"path": "5"}),
    ('{"path": "a", "count": "5"}', {"path": "a", "count": 5}),
    ('{"path": "a", "ratio": "1.5"}', {"path": "a", "ratio": 1.5}),
    ('{"path": "a", "force": "true"}', {"path": "a", "force": True}),
    ('{"path": "a", "tags": "x"}', {"path": "a", "tags": ["x"]}),
    ('{"path": "a", "tags": "[\\"x\\"]"}', {"path": "a", "tags": ["x"]}),
    ('{"path": "a", "tags": [1]}', {"path": "a", "tags": ["1"]}),
    ('{"path": "a", "limit": "7"}', {"path": "a", "limit": 7}),
    ('{"path": "a", "count": null}', {"path": "a"}),
    ('{"path": "a", "place": "{\\"city\\": \\"Rom\\"}"}', {"path": "a", "place": {"city": "Rom"}}),
]
REFUSED = [
    ("", "`path` is missing: string"),
    ("{}", "`path` is missing: string"),
    ("not json", "expected a JSON object, but Expecting value at character 1"),
    ("{'path': 'a'}", "double quotes"),
    ('{"path": "a"', "at character 13"),
    ("[1]", "expected a JSON object, got an array"),
    ("null", "expected a JSON object, got null"),
    ("5", "expected a JSON object, got a number"),
    ('"word"', "expected a JSON object, got a string"),
    ('{"path": "a"} {"path": "b"}', "expected one JSON object, got 2"),
    ('{"path": "a", "path": "b"}', "`path`: expected once, but it is given twice"),
    ('{"path": "a", "ratio": NaN}', "expected a number, got NaN"),
    ('{"path": "a", "ratio": -Infinity}', "expected a number, got -Infinity"),
    ('{"path": "a", "ratio": 1e999}', "expected a number that can be held"),
    ('{"path": "a", "count": ' + "9" * 400 + "}", "at most 300 digits"),
    ('{"path": "\\ud800"}', "half a surrogate pair"),
    ('{"pth": "a"}', "`pth` is unknown, did you mean `path`?"),
    ('{"path": "a", "xyz": 1}', "`xyz` is unknown; known: path, count"),
    ('{"path": null}', "`path`: expected string, got null"),
    ('{"path": ["a"]}', '`path`: expected string, got ["a"]'),
    ('{"path": 1.10}', "`path`: expected string, got 1.1"),
    ('{"path": true}', "`path`: expected string, got true"),
    ('{"path": "a", "count": "05"}', '`count`: expected integer, got "05"'),
    ('{"path": "a", "count": "5 km"}', '`count`: expected integer, got "5 km"'),
    ('{"path": "a", "count": 2.5}', "`count`: expected integer, got 2.5"),
    ('{"path": "a", "count": 0}', "`count`: expected minimum 1, got 0"),
    ('{"path": "a", "count": "0"}', '`count`: expected integer, got "0"'),
    ('{"path": "a", "count": true}', "`count`: expected integer, got true"),
    ('{"path": "a", "force": "yes"}', '`force`: expected boolean, got "yes"'),
    ('{"path": "a", "force": 1}', "`force`: expected boolean, got 1"),
    ('{"path": "a", "mode": "writ"}', '`mode`: expected one of "read", "write" (nearest: write)'),
    ('{"path": "a", "limit": "x"}', '`limit`: expected integer | null, got "x"'),
    ('{"path": "a", "tags": [{}]}', "`tags[0]`: expected string, got {}"),
    ('{"path": "a", "place": {}}', "`place.city` is missing: string"),
    ('{"path": "a", "place": {"city": "Rom", "zip": 1}}', "`place.zip` is unknown"),
    ('{"path": "a", "place": "Rom"}', '`place`: expected object, got "Rom"'),
]
HUGE = [
    "[" * 100_000,
    '{"a":' * (DEPTH_MAX + 1) + "1" + "}" * (DEPTH_MAX + 1),
    '{"a": [' + "1," * VALUES_MAX * 2 + "1]}",
    '{"a": [' + "[]," * VALUES_MAX * 2 + "[]]}",
    '"' * 999_999,
    '"\\' * 400_000,
    "{" * 1_000_000,
    ",}" * 400_000,
    '{"a": 1' + " " * 900_000 + "x",
    '{"a":1,' * 100_000,
    "x" * (1 << 20) + "x",
    '{"path": "' + "a" * 900_000 + '"',
]


@pytest.mark.parametrize(("text", "meant"), MENDED)
def test_what_can_be_meant_one_way_only_is_taken_so_and_said(
    text: str, meant: dict[str, Any]
) -> None:
    found = CHECKER.check(text)
    assert found.values == meant
    assert found.remarks


@pytest.mark.parametrize(("text", "told"), REFUSED)
def test_everything_else_is_refused_in_words_that_help(text: str, told: str) -> None:
    with pytest.raises(InvalidArgument) as problem:
        CHECKER.check(text)
    assert told in str(problem.value)
    assert 'Expected a JSON object {"path": string, "count": integer (optional)' in str(
        problem.value
    )


@pytest.mark.parametrize("text", HUGE, ids=range(len(HUGE)))
def test_huge_and_deep_input_is_refused_and_the_answer_is_short(text: str) -> None:
    with pytest.raises(InvalidArgument) as problem:
        CHECKER.check(text)
    assert len(str(problem.value)) < 2_000


def test_a_thousand_mistakes_are_told_as_a_few() -> None:
    with pytest.raises(InvalidArgument) as problem:
        CHECKER.check(json.dumps({"path": "a", "tags": [{}] * 5_000}))
    assert str(problem.value).count("expected string") == 8
    with pytest.raises(InvalidArgument) as problem:
        CHECKER.check(json.dumps({f"k{number}": 1 for number in range(5_000)}))
    assert len(str(problem.value)) < 4_000


def test_nothing_is_mended_where_not_everything_can_be() -> None:
    with pytest.raises(InvalidArgument) as problem:
        CHECKER.check('{"path": 5, "count": "x"}')
    assert "`path`: expected string, got 5" in str(problem.value)


@given(st.text() | st.binary().map(lambda data: data.decode(errors="replace")))
def test_any_text_is_an_object_or_a_refusal(text: str) -> None:
    try:
        found = CHECKER.check(text)
    except InvalidArgument:
        return
    assert isinstance(found.values["path"], str)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)
NAMES = st.sampled_from([*SCHEMA["properties"], "pth", "x"])


@given(st.dictionaries(NAMES, JSON))
@settings(max_examples=100, deadline=None)
def test_whatever_passes_fits_the_schema(values: dict[str, Any]) -> None:
    text = json.dumps(values)
    try:
        found = CHECKER.check(text)
    except InvalidArgument:
        return
    again = CHECKER.check(json.dumps(found.values))
    assert again.values == found.values
    assert not again.remarks
    if not found.remarks:
        assert found.values == values


@given(st.dictionaries(st.text(), JSON.filter(lambda value: value == value)))
def test_well_formed_arguments_are_read_as_they_are(values: dict[str, Any]) -> None:
    text = json.dumps(values)
    if "NaN" in text or "Infinity" in text:
        return
    found = read(text)
    assert found.values == json.loads(text)
    assert not found.remarks


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "array"},
        {"type": "object", "properties": {"a": {"type": 5}}},
        {"$ref": "http://127.0.0.1:9/schema"},
        {"$ref": "file:///etc/passwd"},
        {"type": "object", "properties": {"a": {"pattern": "("}}},
    ],
)
def test_what_is_no_schema_of_an_object_is_refused(schema: dict[str, Any]) -> None:
    with pytest.raises(InvalidArgument):
        Checker(schema)


def test_a_pattern_made_to_take_for_ever_does_not() -> None:
    checker = Checker({"properties": {"a": {"type": "string", "pattern": "^(a+)+\\1$"}}})
    with pytest.raises(InvalidArgument):
        checker.check(json.dumps({"a": "a" * 5_000 + "!"}))
