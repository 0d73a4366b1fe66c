"""A graph of neighbours over very many vectors, by `usearch` where that is installed.

Exact search grows with the number of vectors; a walk through a graph hardly does, but misses a few
and takes a millisecond a vector to build. So it is built piece by piece while nothing else is to be
done, and used only when it holds every vector. It is saved when the index is closed in good order,
and otherwise built again: the file of vectors is the truth.
"""

import importlib
import importlib.util
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aios.retrieval.base import Vectors

LIBRARY = "usearch"
ADDED_AT_ONCE = 8  # vectors: a search waits for no more


def is_installed() -> bool:
    return importlib.util.find_spec(LIBRARY) is not None


class Graph:
    """Vectors by number. Adding and searching take turns."""

    def __init__(self, dimensions: int) -> None:
        self._dimensions = dimensions
        self._lock = threading.Lock()
        self._graph = _new(dimensions)
        self._holds = np.zeros(0, np.bool_)

    def load(self, path: Path) -> None:
        """Take over what `save` wrote; a file that is not that is the same as none."""
        try:
            self._graph.load(str(path))
        except (RuntimeError, ValueError, OSError):
            self._graph = _new(self._dimensions)
        keys = np.fromiter(self._graph.keys, np.intp, len(self._graph))
        self._grow(int(keys.max()) + 1 if len(keys) else 0)
        self._holds[keys] = True

    def save(self, path: Path) -> None:
        self._graph.save(str(path))

    def missing(self, mask: NDArray[np.bool_]) -> NDArray[np.intp]:
        """Numbers of `mask` that are not in the graph."""
        self._grow(len(mask))
        return np.flatnonzero(mask & ~self._holds[: len(mask)])

    def add(self, numbers: Sequence[int], vectors: Vectors) -> None:
        """Vectors that are not in it."""
        self._grow(max(numbers) + 1)
        with self._lock:
            self._graph.add(np.array(numbers, np.uint64), np.array(vectors), threads=1)
        self._holds[list(numbers)] = True

    def forget(self, numbers: Sequence[int]) -> None:
        """Leave out vectors, of which some may not be in it."""
        held = [number for number in numbers if number < len(self._holds) and self._holds[number]]
        if held:
            with self._lock:
                self._graph.remove(np.array(held, np.uint64))
            self._holds[held] = False

    def near(self, vector: NDArray[np.float32], limit: int) -> NDArray[np.intp]:
        """Some `limit` numbers, nearly always the nearest."""
        with self._lock:
            found = self._graph.search(vector, limit, threads=1)
        return np.array(found.keys, np.intp)

    def _grow(self, size: int) -> None:
        more = size - len(self._holds)
        if more > 0:
            self._holds = np.concatenate((self._holds, np.zeros(more, np.bool_)))


def _new(dimensions: int) -> Any:
    made = importlib.import_module(f"{LIBRARY}.index").Index
    return made(ndim=dimensions, metric="ip", dtype="f16")
