"""Incremental text: equal to decoding everything at once, and never taken back."""

import random
from typing import Any

import pytest

from aios.cores.torch.text import TextStream
from tests.cores.torch.small_tokenizers import byte_level, ids, sentencepiece_like

TEXT = "naïve 日本語 🦊🦊 café <b>\n\n the fox\ufffd end"


def shown(tokenizer: Any, token_ids: list[int], stop: tuple[str, ...] = ()) -> list[str]:
    """What each push and the flush gave."""
    stream = TextStream(tokenizer, stop)
    given = [stream.push([token]) for token in token_ids]
    given.append(stream.flush())
    assert "".join(given) == stream.text
    return given


def test_any_tokens_give_the_text_that_the_tokenizer_decodes() -> None:
    tokenizer = byte_level()
    rng = random.Random(0)
    hidden = {*tokenizer.all_special_ids, *ids(tokenizer, "<|user|><|tool|>")}
    for _ in range(500):
        tokens = [rng.randrange(len(tokenizer) + 3) for _ in range(rng.randrange(1, 40))]
        kept = [token for token in tokens if token not in hidden]
        kept = [token for token in kept if token not in ids(tokenizer, "<|system|><|assistant|>")]

        assert "".join(shown(tokenizer, tokens)) == tokenizer.decode(kept)


def test_text_of_a_sentencepiece_like_vocabulary_comes_whole() -> None:
    tokenizer = sentencepiece_like()
    tokens = list(ids(tokenizer, "\u2581the\u2581fox caf\u00e9 日本 🦊 own"))

    given = shown(tokenizer, [token for token in tokens if token != 1])

    assert "".join(given) == tokenizer.decode(tokens)
    assert "日本 🦊" in "".join(given)
    assert not any("\ufffd" in delta for delta in given)


def test_how_tokens_are_grouped_into_pushes_changes_nothing() -> None:
    rng = random.Random(1)
    for tokenizer in (byte_level(), sentencepiece_like()):
        tokens = list(ids(tokenizer, TEXT))
        for stop in ((), ("fox",), ("本語 ", "café <"), ("語", "日本語 🦊")):
            whole = "".join(shown(tokenizer, tokens, stop))
            for _ in range(20):
                stream, at = TextStream(tokenizer, stop), 0
                while at < len(tokens):
                    step = rng.randrange(1, 9)
                    stream.push(tokens[at : at + step])
                    at += step
                stream.flush()
                assert stream.text == whole


def test_half_a_character_is_held_back() -> None:
    tokenizer = byte_level()
    tokens = list(ids(tokenizer, "🐢"))  # not in the training text, so one token a byte

    given = shown(tokenizer, tokens)

    assert len(tokens) > 2
    assert given == [*[""] * (len(tokens) - 1), "🐢", ""]


def test_a_character_that_never_ends_is_shown_as_broken_at_the_end() -> None:
    tokenizer = byte_level()
    tokens = list(ids(tokenizer, "a🐢"))[:-1]

    given = shown(tokenizer, tokens)

    assert "".join(given[:-1]) == "a"
    assert given[-1] == "\ufffd"


def test_a_true_replacement_character_is_not_held_back() -> None:
    tokenizer = byte_level()

    given = shown(tokenizer, list(ids(tokenizer, "x\ufffd")))

    assert given[-1] == ""
    assert "".join(given) == "x\ufffd"


def test_endless_broken_bytes_are_shown_before_long() -> None:
    tokenizer = sentencepiece_like()
    broken = tokenizer.convert_tokens_to_ids("<0xE4>")
    stream = TextStream(tokenizer, ())

    pushed = [stream.push([broken]) for _ in range(100)]

    assert len("".join(pushed)) > 80
    assert max(map(len, pushed)) <= 10


def test_text_ends_before_the_stop_string() -> None:
    stream = TextStream(byte_level(), ("fox",))

    stream.push(ids(byte_level(), "The quick brown fox jumps"))

    assert stream.stopped
    assert stream.text == "The quick brown "
    assert stream.push(ids(byte_level(), "more")) == ""
    assert stream.flush() == ""


def test_the_beginning_of_a_stop_string_is_held_until_it_is_none() -> None:
    tokenizer = byte_level()
    stream = TextStream(tokenizer, ("ababc",))

    assert stream.push(ids(tokenizer, "xabab")) == "x"
    assert stream.push(ids(tokenizer, "ab")) == "ab"
    assert stream.push(ids(tokenizer, "d")) == "ababd"
    assert not stream.stopped


def test_what_may_have_become_a_stop_string_is_given_at_the_end() -> None:
    tokenizer = byte_level()

    given = shown(tokenizer, list(ids(tokenizer, "ends with STO")), ("STOP",))

    assert given[-1] == "STO"
    assert "".join(given) == "ends with STO"


@pytest.mark.parametrize(
    ("stop", "left"),
    [
        (("abc", "b"), "xa"),  # b is complete first
        (("c", "abc"), "x"),  # both complete with the c: the longer began first
        (("zz", "bc"), "xa"),
        (("d", "xabcd"), ""),
    ],
)
def test_of_several_stop_strings_the_first_to_be_complete_counts(
    stop: tuple[str, ...], left: str
) -> None:
    stream = TextStream(byte_level(), stop)

    stream.push(ids(byte_level(), "xabcdef"))

    assert (stream.stopped, stream.text) == (True, left)


def test_stop_strings_may_span_tokens_and_cut_inside_one() -> None:
    tokenizer = byte_level()
    for stop in ("s over t", "語 n", "}} no"):
        for text in ("fox jumps over the lazy dog", "日本語 naïve", '"b": 34}} now'):
            expected = text.split(stop)[0]
            assert "".join(shown(tokenizer, list(ids(tokenizer, text)), (stop,))) == expected


def test_a_long_stop_string_costs_no_square_of_its_length() -> None:
    tokenizer = byte_level()
    token = ids(tokenizer, "a")[0]
    stream = TextStream(tokenizer, ("a" * 20_000 + "b",))

    assert stream.push([token] * 40_000) == "a" * 20_000
    assert stream.flush() == "a" * 20_000


@pytest.mark.parametrize("special", [True, False])
def test_tool_call_marks_are_text_and_other_special_tokens_are_not(special: bool) -> None:
    tokenizer = byte_level(special=special)
    tokens = list(ids(tokenizer, "<|user|>a<tool_call>{}</tool_call><|im_end|><|assistant|>"))

    assert "".join(shown(tokenizer, tokens)) == "a<tool_call>{}</tool_call>"


def test_ids_beyond_the_vocabulary_are_no_text() -> None:
    tokenizer = byte_level()

    assert shown(tokenizer, [len(tokenizer) + 7, *ids(tokenizer, "ok")])[-1] == ""
    assert "".join(shown(tokenizer, [len(tokenizer) + 7, *ids(tokenizer, "ok")])) == "ok"
