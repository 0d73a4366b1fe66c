"""Paths: what is refused says what was expected, and what is legal is kept to the letter."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aios.errors import InvalidArgument
from aios.storage.paths import folder_of, is_nameable, parse, parse_file, parse_name

HOSTILE = {
    "/etc/passwd": "relative",
    "//x": "relative",
    "a//b": "single '/'",
    "a/": "single '/'",
    "..": "other than",
    "../x": "other than",
    "a/../../x": "other than",
    "a/./b": "other than",
    ".": "other than",
    ".aios": "other than",
    ".aios/x": "other than",
    "a/.aios": "other than",
    "a\0b": "NUL",
    "a\ud800": "UTF-8",
    "x" * 256: "255 bytes",
    "é" * 128: "255 bytes",
    "/".join(["abc"] * 1_100): "4096 bytes",
}
UNUSUAL = [
    " ", "a b", "-rf", "--", "'", '"', "`id`", "$(id)", "*", "?", "a\nb", "a\tb", "\\", "c:\\x",
    "CON", "nul.txt", "...", "..a", "a..", ".hidden", ".aios2", "~", "%2e%2e", "a;b", "😀", "日本",
    "x" * 255, "é" * 127, "\u202egnp.exe", "a/b c/😀/-x", "\U0010ffff", "\x7f", "A", "a",
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_path_is_refused_with_what_was_expected(text: str) -> None:
    with pytest.raises(InvalidArgument, match="expected") as caught:
        parse(text)
    assert HOSTILE[text] in str(caught.value)
    str(caught.value).encode()  # The message itself is clean.


@pytest.mark.parametrize("text", UNUSUAL)
def test_an_unusual_but_legal_path_is_kept_to_the_letter(text: str) -> None:
    assert parse(text) == text


def test_composed_and_decomposed_letters_are_different_names() -> None:
    names = {parse(unicodedata.normalize(form, "é")) for form in ("NFC", "NFD")}
    assert len(names) == 2


def test_the_root_is_no_file_and_a_name_is_no_path() -> None:
    assert parse("") == ""
    with pytest.raises(InvalidArgument, match="the root itself"):
        parse_file("")
    with pytest.raises(InvalidArgument, match="one name"):
        parse_name("a/b")


@given(st.text(max_size=300))
def test_whatever_parses_stays_inside(text: str) -> None:
    try:
        path = parse(text)
    except InvalidArgument:
        return
    assert path == text
    for name in path.split("/") if path else []:
        assert is_nameable(name)
        assert name not in {"", ".", "..", ".aios"}
        assert "\0" not in name


AGENTS = st.lists(st.text(min_size=1, max_size=140), min_size=0, max_size=4).map("/".join)


@given(AGENTS, AGENTS)
def test_two_agents_never_share_a_folder_and_none_leaves_it(one: str, other: str) -> None:
    folders = [folder_of(one), folder_of(other)]
    assert (folders[0] == folders[1]) == (one == other)
    for folder in folders:
        assert "/" not in folder
        assert "\0" not in folder
        assert not folder.startswith(".")
        assert 0 < len(folder.encode()) <= 255


def test_an_agents_folder_is_one_that_a_person_recognises() -> None:
    assert folder_of("travel") == "travel"
    assert folder_of("travel/flights") == "travel+flights"
    assert folder_of("..") == "%2E."
