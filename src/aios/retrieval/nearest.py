"""The nearest vectors, exactly up to `EXACT_MAX` of them, and by a graph above, where there is one.

Knows no document. A graph that does not hold every vector yet, or a library that is not installed,
leaves the exact search: slower, never wrong.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from aios.retrieval.fusion import Spread
from aios.retrieval.graph import ADDED_AT_ONCE, Graph, is_installed
from aios.retrieval.vectors import Nearest, VectorFile

VECTORS = "vectors.f32"
EXACT_MAX = 100_000
TENDED_AT_ONCE = 512
SPREAD_ROWS = 4_096  # looked at to know the spread of all
WIDER = 4  # times as many are taken from the graph, since some are not wanted
Mask = NDArray[np.bool_]


class NearestVectors:
    """One index's vectors."""

    def __init__(self, folder: Path, dimensions: int, *, is_graph_saved: bool) -> None:
        self._file = VectorFile(folder / VECTORS, dimensions)
        self._graph_path = folder / "vectors.graph"
        self._dimensions = dimensions
        self._graph: Graph | None = None
        self._is_graph_saved = is_graph_saved and self._graph_path.exists()

    def way(self, count: int) -> str:
        """How so many vectors are searched, for people."""
        if count <= EXACT_MAX:
            return "exact"
        if self._graph is not None:
            return "graph"
        return "exact: a graph is being built" if is_installed() else "exact: no usearch installed"

    def follow(self, numbers: Sequence[int]) -> None:
        """Those vectors are others now, or gone."""
        self._is_graph_saved = False
        self._file.follow()
        if self._graph is not None:
            self._graph.forget(numbers)

    def tend(self, mask: Mask, pause: Callable[[], None]) -> bool:
        """Add to the graph some of what it lacks; whether there is more to do."""
        if not is_installed() or np.count_nonzero(mask) <= EXACT_MAX:
            return False
        graph = self._building()
        missing = graph.missing(mask)
        for at in range(0, min(len(missing), TENDED_AT_ONCE), ADDED_AT_ONCE):
            pause()
            some = missing[at : at + ADDED_AT_ONCE].tolist()
            graph.add(some, self._file.read(some))
        return len(missing) > TENDED_AT_ONCE

    def nearest(self, vector: NDArray[np.float32], mask: Mask, limit: int) -> Nearest:
        """The `limit` vectors of `mask` nearest to a unit vector. Raises `Damaged`."""
        graph = self._graph
        count = int(np.count_nonzero(mask))
        if graph is None or count <= EXACT_MAX or len(graph.missing(mask)):
            return self._file.nearest(vector, mask, limit)
        wider = min(count, limit * WIDER * max(1, len(mask) // count))
        found = graph.near(vector, wider)
        wanted = found[mask[found]][:limit]
        return Nearest(wanted, self._file.scores(vector, wanted), self._spread(vector, mask))

    def scores(self, vector: NDArray[np.float32], numbers: NDArray[np.intp]) -> NDArray[np.float32]:
        """Cosines of given vectors. Raises `Damaged`."""
        return self._file.scores(vector, numbers)

    def close(self) -> bool:
        """Close the files; whether the graph lies saved beside them."""
        self._file.close()
        if self._graph is not None and not self._is_graph_saved:
            self._graph.save(self._graph_path)
            self._is_graph_saved = True
        return self._is_graph_saved

    def _building(self) -> Graph:
        if self._graph is None:
            graph = Graph(self._dimensions)
            if self._is_graph_saved:
                graph.load(self._graph_path)
            self._graph = graph
        return self._graph

    def _spread(self, vector: NDArray[np.float32], mask: Mask) -> Spread:
        rows = np.flatnonzero(mask)
        some = rows[:: max(1, len(rows) // SPREAD_ROWS)]
        scores = self._file.scores(vector, some)
        return Spread(len(rows), float(scores.mean()), float(scores.std()))
