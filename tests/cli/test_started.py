"""What `aios run` makes of its words before anything is started."""

import pytest

from aios.cli.started import Grant, budget_of, grant_of, name_of
from aios.errors import InvalidArgument
from aios.syscalls.budget import Resource


@pytest.mark.parametrize(
    ("text", "grant"),
    [
        ("tool.add", Grant("tool.add", "@self", "*")),
        ("file.read:notes/*", Grant("file.read", "@self", "notes/*")),
        ("file.read@travel/flights:a:b", Grant("file.read", "travel/flights", "a:b")),
    ],
)
def test_a_right_is_verbs_with_an_owner_and_an_object(text: str, grant: Grant) -> None:
    assert grant_of(text) == grant


@pytest.mark.parametrize("text", ["", "@travel", "file.read@", "file.read:"])
def test_a_right_that_is_half_said_is_refused(text: str) -> None:
    with pytest.raises(InvalidArgument, match="VERBS"):
        grant_of(text)


def test_a_budget_is_a_kind_and_an_amount() -> None:
    assert budget_of("tokens=500") == (Resource.TOKENS, 500.0)
    for text in ("tokens", "time=5", "tokens=many"):
        with pytest.raises(InvalidArgument, match="KIND=AMOUNT"):
            budget_of(text)


@pytest.mark.parametrize(
    ("words", "name"),
    [
        (["python", "-u", "agents/clerk.py", "x"], "clerk"),
        (["/usr/bin/claude", "-p"], "claude"),
        (["node", "bot.js"], "bot"),
    ],
)
def test_an_agent_is_called_as_its_script_or_its_program(words: list[str], name: str) -> None:
    assert name_of(words) == name
