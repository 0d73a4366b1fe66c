"""More vectors than are searched exactly."""

import importlib.util
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from aios.retrieval import nearest
from aios.retrieval.base import Vectors
from aios.retrieval.core import unit
from aios.retrieval.nearest import VECTORS, NearestVectors
from aios.retrieval.vectors import VectorFile

needs_library = pytest.mark.skipif(
    importlib.util.find_spec("usearch") is None, reason="usearch is not installed"
)
ROWS = 2_000
ALL = np.ones(ROWS, np.bool_)


@pytest.fixture(autouse=True)
def few_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nearest, "EXACT_MAX", 1_000)


def _vectors() -> Vectors:
    drawn = np.random.default_rng(3).normal(size=(ROWS, 16)).astype(np.float32)
    return unit(drawn)


def _filled(folder: Path) -> NearestVectors:
    made = NearestVectors(folder, 16, is_graph_saved=False)
    _write(folder, range(ROWS), _vectors())
    made.follow(range(ROWS))
    return made


def _write(folder: Path, numbers: Sequence[int], vectors: Vectors) -> None:
    VectorFile(folder / VECTORS, 16).put(numbers, vectors)


def _tend(vectors: NearestVectors) -> int:
    rounds = 1
    while vectors.tend(ALL, lambda: None):
        rounds += 1
    return rounds


def _recall(vectors: NearestVectors, mask: np.ndarray) -> float:
    rows = _vectors()
    hits = 0
    for query in rows[:50]:
        found = set(vectors.nearest(query, mask, 10).numbers.tolist())
        cosines = np.where(mask, rows @ query, -2)
        hits += len(found & set(np.argsort(-cosines)[:10].tolist()))
    return hits / 500


def test_without_a_graph_the_search_is_exact_and_says_so(tmp_path: Path) -> None:
    vectors = _filled(tmp_path)
    assert _recall(vectors, ALL) == 1
    assert vectors.way(ROWS).startswith("exact: ")
    assert vectors.way(10) == "exact"


@needs_library
def test_a_graph_finds_nearly_all_that_an_exact_search_finds(tmp_path: Path) -> None:
    vectors = _filled(tmp_path)
    assert _tend(vectors) > 1
    assert vectors.way(ROWS) == "graph"
    assert _recall(vectors, ALL) > 0.95
    assert _recall(vectors, np.arange(ROWS) % 3 > 0) > 0.95


@needs_library
def test_what_changed_is_searched_exactly_until_the_graph_has_it(tmp_path: Path) -> None:
    vectors = _filled(tmp_path)
    _tend(vectors)
    other = np.eye(16, dtype=np.float32)[:1]
    _write(tmp_path, [7], other)
    vectors.follow([7])
    assert vectors.nearest(other[0], ALL, 1).numbers.tolist() == [7]
    _tend(vectors)
    assert vectors.nearest(other[0], ALL, 1).numbers.tolist() == [7]


@needs_library
@pytest.mark.parametrize("damage", [None, b"", b"nothing of the kind" * 99])
def test_a_saved_graph_is_taken_over_and_another_file_is_not(
    tmp_path: Path, damage: bytes | None
) -> None:
    first = _filled(tmp_path)
    rounds = _tend(first)
    assert first.close()
    if damage is not None:
        (tmp_path / "vectors.graph").write_bytes(damage)
    again = NearestVectors(tmp_path, 16, is_graph_saved=True)
    assert _tend(again) == (1 if damage is None else rounds)
    assert _recall(again, ALL) > 0.95
