"""What of a stream may be shown: never a call's text, and in the end the whole content."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aios.server.wire.visible import MARKS, visible
from aios.syscalls import Decoding, ToolSpec

TOOLS = (ToolSpec("add"),)
CALL = '<tool_call>{"name": "add", "arguments": {}}</tool_call>'


def shown(pieces: list[str], content: str | None, decoding: Decoding) -> list[str]:
    """What is shown after each piece, and at the end."""
    view = visible(decoding)
    return [*(view.push(piece) for piece in pieces), view.end(content)]


def test_without_tools_every_piece_is_shown_at_once() -> None:
    assert shown(["<tool", "_call> {"], "<tool_call> {", Decoding()) == ["<tool", "_call> {", ""]


def test_a_core_that_tells_no_pieces_shows_all_at_the_end() -> None:
    assert shown([], "whole", Decoding()) == ["whole"]


def test_a_call_is_never_shown_and_what_was_said_before_it_is() -> None:
    pieces = ["I ", "add. ", "<tool", '_call>{"name"', ": 1}", "</tool_call>"]
    assert shown(pieces, "I add.", Decoding(tools=TOOLS)) == ["I", " add.", "", "", "", "", ""]


def test_what_only_began_like_a_mark_is_shown_when_it_turns_out_otherwise() -> None:
    assert "".join(shown(["a <to", "p> b"], "a <top> b", Decoding(tools=TOOLS))) == "a <top> b"


def test_a_forced_call_shows_nothing_before_the_end() -> None:
    forced = Decoding(tools=TOOLS, tool_choice="required")
    assert shown(["I add.", CALL], "I add.", forced) == ["", "", "I add."]


def test_bare_json_waits_for_the_end_since_it_may_be_a_call() -> None:
    decoding = Decoding(tools=TOOLS)
    assert shown(['{"name": ', "1}"], None, decoding) == ["", "", ""]
    assert shown(['{"name": ', "1}"], '{"name": 1}', decoding) == ["", "", '{"name": 1}']


@given(
    st.lists(st.sampled_from([*MARKS, "<", "<tool", "[TOOL", " ", "\n", "word", "{"]), max_size=12),
    st.integers(1, 5),
)
def test_whatever_is_written_all_of_it_is_shown_once_where_it_was_no_call(
    words: list[str], size: int
) -> None:
    text = "".join(words)
    pieces = [text[at : at + size] for at in range(0, len(text), size)]
    assert "".join(shown(pieces, text, Decoding(tools=TOOLS))) == text


@pytest.mark.parametrize("mark", MARKS)
@given(st.text(alphabet="ab <\n", max_size=10), st.integers(1, 4))
def test_no_part_of_a_mark_is_ever_shown(mark: str, before: str, size: int) -> None:
    text = before + mark + "rest"
    pieces = [text[at : at + size] for at in range(0, len(text), size)]
    told = "".join(shown(pieces, before.strip() or None, Decoding(tools=TOOLS)))
    assert told.strip() == before.strip()
