"""Two kinds of evidence."""

from hypothesis import given
from hypothesis import strategies as st

from aios.retrieval.fusion import Spread, fused

NOISE = Spread(10_000, 0.0, 0.05)
numbers = st.dictionaries(st.integers(0, 50), st.floats(0.001, 40), max_size=20)
cosines = st.dictionaries(st.integers(0, 50), st.floats(-1, 1), max_size=20)


def test_what_chance_explains_does_not_overturn_words() -> None:
    found = fused({1: 5.0, 2: 4.5}, {2: 0.12, 3: 0.15}, NOISE, 384)
    assert sorted(found, key=lambda number: -found[number]) == [1, 2, 3]


def test_a_meaning_far_beyond_chance_overturns_words() -> None:
    found = fused({1: 5.0}, {1: 0.0, 3: 0.7}, NOISE, 384)
    assert found[3] > found[1]


def test_the_same_cosine_tells_less_where_all_documents_are_alike() -> None:
    alike = Spread(10_000, 0.6, 0.05)
    assert fused({}, {3: 0.7}, alike, 384)[3] < fused({}, {3: 0.7}, NOISE, 384)[3] / 10


@given(numbers, cosines)
def test_meaning_never_takes_away_what_words_found(
    by_words: dict[int, float], by_meaning: dict[int, float]
) -> None:
    found = fused(by_words, by_meaning, NOISE, 384)
    assert all(found[number] >= score for number, score in by_words.items())


@given(cosines)
def test_by_meaning_alone_the_nearest_is_first(by_meaning: dict[int, float]) -> None:
    found = fused({}, by_meaning, NOISE, 384)
    ordered = sorted(found, key=lambda number: by_meaning[number])
    assert sorted(found.values()) == [found[number] for number in ordered]
