"""Vectors in a memory-mapped file, row by document number, searched exactly. Knows no document.

One pass over the rows is bound by memory bandwidth: 100,000 vectors of 384 take some five
milliseconds, need no building, and miss nothing. Whoever writes a row while somebody reads
it may spoil that one score of that one search, never the file.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from aios.errors import Damaged, NoSpace
from aios.retrieval.base import Vectors
from aios.retrieval.fusion import Spread

ROWS_AT_FIRST = 1_024
GATHERED_SHARE = 0.25  # with fewer rows wanted than this, they are picked out first
GATHERED_ROWS = 8_192
SCORE_MAX = 1.5  # of unit vectors, and of one half overwritten by another


Mapped = np.memmap[tuple[int, int], np.dtype[np.float32]]


@dataclass(frozen=True, slots=True)
class Nearest:
    """Rows by falling cosine, and the spread of all rows that were looked at."""

    numbers: NDArray[np.intp]
    scores: NDArray[np.float32]
    spread: Spread


class VectorFile:
    """Rows of one length in a file that grows. One writer, any readers."""

    def __init__(self, path: Path, dimensions: int) -> None:
        self._path = path
        self._dimensions = dimensions
        row_bytes = dimensions * 4
        there = path.stat().st_size // row_bytes if path.exists() else 0
        self._rows = self._mapped(max(there, ROWS_AT_FIRST))

    @property
    def rows(self) -> int:
        """Rows there is room for."""
        return len(self._rows)

    def put(self, numbers: Sequence[int], vectors: Vectors) -> None:
        """Write rows; they are on disk after `flush`. Raises `NoSpace`, and has written none."""
        assert vectors.shape == (len(numbers), self._dimensions)
        if not len(numbers):
            return
        needed = max(numbers) + 1
        if needed > len(self._rows):
            self._rows = self._mapped(max(needed, 2 * len(self._rows)))
        self._rows[list(numbers)] = vectors

    def follow(self) -> None:
        """See the rows by which another writer made the file grow."""
        there = self._path.stat().st_size // (self._dimensions * 4)
        if there > len(self._rows):
            self._rows = self._mapped(there)

    def read(self, numbers: Sequence[int]) -> Vectors:
        """Copies of rows."""
        return np.array(self._rows[list(numbers)])

    def flush(self) -> None:
        """Raises `NoSpace`."""
        with _refused():
            self._rows.flush()

    def nearest(self, vector: NDArray[np.float32], mask: NDArray[np.bool_], limit: int) -> Nearest:
        """The `limit` rows of `mask` nearest to a unit vector. Raises `Damaged`."""
        rows = self._rows
        wanted = np.flatnonzero(mask[: len(rows)])
        if not len(wanted):
            return Nearest(wanted, np.zeros(0, np.float32), Spread(0, 0.0, 0.0))
        if len(wanted) < GATHERED_SHARE * (wanted[-1] + 1):
            scores = self._gathered(rows, wanted, vector)
        else:
            scores = _cosines(rows[: wanted[-1] + 1], vector)[wanted]
        _check(scores)
        best = _top(scores, limit)
        spread = Spread(len(scores), float(scores.mean()), float(scores.std()))
        return Nearest(wanted[best], scores[best], spread)

    def scores(self, vector: NDArray[np.float32], numbers: NDArray[np.intp]) -> NDArray[np.float32]:
        """Cosines of given rows. Raises `Damaged`."""
        scores = self._gathered(self._rows, numbers, vector)
        _check(scores)
        return scores

    def close(self) -> None:
        self.flush()

    def _mapped(self, rows: int) -> Mapped:
        shape = (rows, self._dimensions)
        with _refused(), self._path.open("ab") as file:
            _reserve(file.fileno(), rows * self._dimensions * 4)
            return np.memmap(self._path, np.float32, "r+", shape=shape)

    def _gathered(
        self, rows: NDArray[np.float32], wanted: NDArray[np.intp], vector: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        parts = [
            _cosines(rows[wanted[at : at + GATHERED_ROWS]], vector)
            for at in range(0, len(wanted), GATHERED_ROWS)
        ]
        return np.concatenate(parts) if parts else np.zeros(0, np.float32)


def _reserve(file: int, size: int) -> None:
    """Give the file its room on the disk now: in a hole, a full disk kills whoever writes there."""
    before = os.fstat(file).st_size
    try:
        os.posix_fallocate(file, 0, size)
    except OSError:
        os.ftruncate(file, before)
        raise


@contextmanager
def _refused() -> Iterator[None]:
    try:
        yield
    except OSError as problem:
        raise NoSpace(f"the index's vectors cannot be written: {problem.strerror}") from problem


def _cosines(rows: NDArray[np.float32], vector: NDArray[np.float32]) -> NDArray[np.float32]:
    # Not `@`: its threads gain nothing where memory is the limit, and then spin for a while on the
    # cores that the rest of the search needs.
    found: NDArray[np.float32] = np.einsum("ij,j->i", rows, vector)
    return found


def _top(scores: NDArray[np.float32], limit: int) -> NDArray[np.intp]:
    if limit < len(scores):
        best = np.argpartition(scores, -limit)[-limit:]
    else:
        best = np.arange(len(scores))
    return best[np.lexsort((best, -scores[best]))]  # equal ones by number: always the same order


def _check(scores: NDArray[np.float32]) -> None:
    # Also false where a score is no number at all.
    if len(scores) and not bool(np.abs(scores).max() <= SCORE_MAX):
        raise Damaged("the index's file of vectors holds what is no unit vector")
