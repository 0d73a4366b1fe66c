"""The built-in embedder."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from aios.retrieval.ngrams import NgramEmbedder


def test_a_misspelt_text_is_nearer_than_another_text() -> None:
    right, wrong, other = NgramEmbedder().embed(
        ["the invoice of the laboratory", "the invoise of the labratory", "a walk by the river"]
    )
    assert right @ wrong > 0.15 > 0.05 > right @ other


def test_the_same_text_has_the_same_vector_in_any_company() -> None:
    texts = [f"note {number} about gardens" for number in range(20)]
    together = NgramEmbedder().embed(texts)
    alone = np.concatenate([NgramEmbedder().embed([text]) for text in reversed(texts)])[::-1]
    assert np.array_equal(together, alone)


def test_vectors_on_disk_stay_comparable_because_the_hash_never_changes() -> None:
    vector = NgramEmbedder(16).embed(["harbour"])[0]
    assert np.flatnonzero(vector).tolist() == [0, 1, 3, 5, 6, 7, 9, 11, 12, 13, 15]


@given(st.lists(st.text(), max_size=4))
def test_any_text_has_a_unit_vector(texts: list[str]) -> None:
    vectors = NgramEmbedder(32).embed(texts)
    assert vectors.shape == (len(texts), 32)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
