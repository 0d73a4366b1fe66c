"""Embeddings by an LLM core that the kernel runs anyway. Knows no core: it is given a callable.

The callable runs the core's model over token ids and gives one vector a text: the mean over tokens
of the last layer's hidden states, before the head. It is called from an indexing or searching
thread, may block, and raises `CoreFailed` or `Busy` where the core cannot do it now.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from aios.errors import CoreFailed
from aios.retrieval.base import Vectors

BATCH = 8

HiddenMeans = Callable[[Sequence[str]], NDArray[np.floating]]
"""Texts to the means of their last hidden states: shape (texts, hidden size)."""


class CoreEmbedder:
    """A core's hidden states as unit vectors. `model` is what the core calls itself."""

    def __init__(self, model: str, dimensions: int, hidden_means: HiddenMeans) -> None:
        self._name = f"core:{model}"
        self._dimensions = dimensions
        self._hidden_means = hidden_means

    @property
    def name(self) -> str:
        return self._name

    @property
    def dimensions(self) -> int:
        return self._dimensions

    def embed(self, texts: Sequence[str]) -> Vectors:
        found = np.zeros((len(texts), self._dimensions), np.float32)
        for at in range(0, len(texts), BATCH):
            some = texts[at : at + BATCH]
            found[at : at + len(some)] = self._checked(some)
        return unit(found)

    def _checked(self, texts: Sequence[str]) -> NDArray[np.floating]:
        means = self._hidden_means(texts)
        expected = (len(texts), self._dimensions)
        if means.shape != expected or not np.isfinite(means).all():
            raise CoreFailed(
                f"{self._name} gave {means.shape} for embeddings; expected finite {expected}"
            )
        return means


def unit(vectors: Vectors) -> Vectors:
    """Vectors of length one; those of length zero point along the first axis."""
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    is_zero = norms[:, 0] == 0
    found: Vectors = (vectors / np.where(norms == 0, 1, norms)).astype(np.float32)
    found[is_zero, 0] = 1.0
    return found
