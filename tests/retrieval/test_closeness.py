"""The second look."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from aios.retrieval.closeness import NEAR_WORDS, Pair, evidence, number_of, sequence

ABC = st.lists(st.sampled_from("abcdefgh"), max_size=40)


def _sequence(*fields: str) -> bytes:
    return sequence([[number_of(word) for word in field] for field in fields], 1_000)


@given(st.lists(ABC, max_size=5))
def test_pairs_are_those_that_a_slow_look_finds(texts: list[list[str]]) -> None:
    found = evidence([_sequence("".join(text)) for text in texts], {}, [Pair("a", "b", 2.0)])
    for text, nats in zip(texts, found, strict=True):
        places = {stem: [at for at, one in enumerate(text) if one == stem] for stem in "ab"}
        is_near = any(abs(a - b) <= NEAR_WORDS + 1 for a in places["a"] for b in places["b"])
        assert nats == (2.0 if is_near else 0.0)


def test_the_end_of_one_field_or_document_is_not_near_the_beginning_of_the_next() -> None:
    pair = [Pair("a", "b", 1.0)]
    assert evidence([_sequence("a", "b")], {}, pair).tolist() == [0]
    assert evidence([_sequence("a"), _sequence("b")], {}, pair).tolist() == [0, 0]


def test_a_word_counts_once_however_often_it_is_there() -> None:
    found = evidence([_sequence("aaa"), _sequence("b"), _sequence("")], {"a": 1.5, "b": 1.0}, [])
    assert np.array_equal(found, [1.5, 1.0, 0.0])
