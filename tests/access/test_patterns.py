"""Patterns match what `fnmatch` matches; one covers another only where that is proved."""

from fnmatch import fnmatchcase
from itertools import product

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from aios.access.patterns import Pattern, escaped, pattern
from aios.errors import InvalidArgument

PARTS = ("a", "b", "/", "*", "?", "[ab]", "[!a]", "[a-c]", "[b-b/]", "**", "[[]", "-")
PATTERNS = st.lists(st.sampled_from(PARTS), max_size=6).map("".join)
SHORT = ["".join(chars) for size in range(5) for chars in product("abd/[-", repeat=size)]
NAMES = st.text(alphabet="abcd/[-é", max_size=7)


@given(PATTERNS, NAMES)
def test_a_pattern_matches_what_fnmatch_matches(text: str, name: str) -> None:
    assert Pattern(text).matches(name) == fnmatchcase(name, text)


@given(PATTERNS, PATTERNS)
def test_what_is_covered_matches_nothing_else(wide: str, narrow: str) -> None:
    if Pattern(wide).covers(Pattern(narrow)):
        mine = [name for name in SHORT if fnmatchcase(name, narrow)]
        assert [name for name in mine if not fnmatchcase(name, wide)] == []


@given(PATTERNS, PATTERNS)
def test_what_is_not_covered_matches_something_else(wide: str, narrow: str) -> None:
    """For patterns so short the proof always comes to its end, so that a no has a witness."""
    assume(not Pattern(wide).covers(Pattern(narrow)))
    assert _witness(wide, narrow) is not None


def _witness(wide: str, narrow: str) -> str | None:
    """A name that only the narrow one matches, found by trying."""
    names = [""]
    for _ in range(8):
        for name in names:
            if fnmatchcase(name, narrow) and not fnmatchcase(name, wide):
                return name
        names = [name + char for name in names[:600] for char in "abcd/[-"]
    return _by_parts(wide, narrow)


def _by_parts(wide: str, narrow: str) -> str | None:
    """The same for longer names, made after the narrow pattern itself."""
    filled = [""]
    choices = {"*": ("", "d", "dd", "b/"), "?": ("d", "a", "/")}
    for part in Pattern(narrow)._parts:
        options = (
            choices["*"]
            if part is None
            else tuple(
                char for char in "abcd/[-" if any(low <= ord(char) <= high for low, high in part)
            )
        )
        filled = [name + char for name in filled for char in options][:20_000]
    return next(
        (one for one in filled if fnmatchcase(one, narrow) and not fnmatchcase(one, wide)), None
    )


@pytest.mark.parametrize(
    ("wide", "narrow", "covers"),
    [
        ("file.*", "file.read", True),
        ("file.read", "file.*", False),
        ("a*", "a/*", True),
        ("a/*", "a*", False),
        ("*.txt", "reports/*.txt", True),
        ("reports/*", "*", False),
        ("[a-c]?", "[ab]x", True),
        ("[ab]", "[a-c]", False),
        ("[!a]", "[b-d]", True),
        ("?*", "*?", True),
        ("*a*", "a*", True),
    ],
)
def test_covers(wide: str, narrow: str, covers: bool) -> None:
    assert pattern(wide).covers(pattern(narrow)) is covers


def test_what_takes_too_long_to_prove_is_not_covered() -> None:
    hard = "*a" + "?" * 200
    assert not pattern(f"*{hard}*").covers(pattern(f"*b{hard}"))


@given(NAMES.map(lambda name: f"@*{name}?["), NAMES)
def test_an_escaped_name_matches_itself_alone(name: str, other: str) -> None:
    assert Pattern(escaped(name)).matches(name)
    assert Pattern(escaped(name)).matches(other) == (other == name)


@pytest.mark.parametrize("text", ["[", "a[b", "[]", "[!]", "[z-a]", "[a-]", "[-a]", "[]a]"])
def test_what_could_be_read_in_two_ways_is_refused(text: str) -> None:
    with pytest.raises(InvalidArgument, match="expected"):
        Pattern(text)


def test_a_pattern_reaches_into_a_folder() -> None:
    assert pattern("keep/secret/*").reaches_below("keep")
    assert pattern("*/x").reaches_below("anything")
    assert pattern("keep").reaches_below("")
    assert not pattern("keep/secret/*").reaches_below("other")
    assert not pattern("keep").reaches_below("keep")
