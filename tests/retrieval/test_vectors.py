"""Vectors in a file."""

import resource
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aios.errors import Damaged, NoSpace
from aios.retrieval.base import Vectors
from aios.retrieval.core import unit
from aios.retrieval.vectors import VectorFile


def _unit(rows: int, seed: int, dimensions: int = 8) -> Vectors:
    vectors = np.random.default_rng(seed).normal(size=(rows, dimensions)).astype(np.float32)
    return unit(vectors)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 999), share=st.floats(0, 1), limit=st.integers(1, 400))
def test_the_nearest_are_those_of_a_full_sort(
    tmp_path_factory: pytest.TempPathFactory, seed: int, share: float, limit: int
) -> None:
    vectors = _unit(300, seed)
    file = VectorFile(tmp_path_factory.mktemp("v") / "vectors", 8)
    file.put(range(300), vectors)
    mask = np.random.default_rng(seed).random(300) < share
    found = file.nearest(vectors[7], mask, limit)
    cosines = vectors @ vectors[7]
    expected = sorted(np.flatnonzero(mask).tolist(), key=lambda row: -cosines[row])[:limit]
    assert np.allclose(cosines[found.numbers], cosines[expected], atol=1e-6)
    assert mask[found.numbers].all()


def test_rows_are_there_after_growing_and_opening_again(tmp_path: Path) -> None:
    vectors = _unit(5_000, 1)
    file = VectorFile(tmp_path / "vectors", 8)
    file.put(range(10), vectors[:10])
    file.put(range(10, 5_000), vectors[10:])
    file.close()
    again = VectorFile(tmp_path / "vectors", 8)
    found = again.nearest(vectors[4_321], np.ones(5_000, np.bool_), 1)
    assert found.numbers.tolist() == [4_321]


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e30])
def test_a_row_that_is_no_unit_vector_is_damage(tmp_path: Path, value: float) -> None:
    vectors = _unit(50, 2)
    file = VectorFile(tmp_path / "vectors", 8)
    file.put(range(50), vectors)
    spoilt = vectors[20:21].copy()
    spoilt[0, 3] = value
    file.put([20], spoilt)
    with pytest.raises(Damaged, match="no unit vector"):
        file.nearest(vectors[0], np.ones(50, np.bool_), 5)


def test_a_disk_without_room_refuses_and_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    vectors = _unit(1_100, 1)
    file = VectorFile(tmp_path / "vectors", 8)
    file.put(range(1_024), vectors[:1_024])
    size = (tmp_path / "vectors").stat().st_size
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
    try:
        with pytest.raises(NoSpace):
            file.put(range(1_024, 1_100), vectors[1_024:])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert (tmp_path / "vectors").stat().st_size == size
    file.put(range(1_024, 1_100), vectors[1_024:])
    found = file.nearest(vectors[1_099], np.ones(1_100, np.bool_), 1)
    assert found.numbers.tolist() == [1_099]


def test_rows_have_their_room_on_the_disk_before_they_are_written(tmp_path: Path) -> None:
    VectorFile(tmp_path / "vectors", 8)
    found = (tmp_path / "vectors").stat()
    assert found.st_blocks * 512 >= found.st_size
