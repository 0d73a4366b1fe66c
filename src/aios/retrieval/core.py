"""Embeddings by an LLM core that the kernel runs anyway. Knows no core: it is given a callable.

The callable gives each text the mean of the model's last hidden states. It is called from an
indexing or searching thread, may block, and raises `CoreFailed`, `Busy` or `ShuttingDown` where the
core cannot do it now. Until there is one nothing is embedded, but what was embedded by the core of
that name stays good: so a home is looked into without its core, and found by words.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from aios.errors import CoreFailed, InvalidArgument, WrongState
from aios.retrieval.base import Vectors

BATCH = 8
KIND = "core"

HiddenMeans = Callable[[Sequence[str]], Sequence[Sequence[float]]]
"""Texts to the means of their last hidden states."""


class CoreEmbedder:
    """A core's hidden states as unit vectors. `name` says by which model, and how wide they are."""

    def __init__(self, name: str = "", hidden_means: HiddenMeans | None = None) -> None:
        self._name = ""
        self._dimensions = 0
        self._hidden_means = hidden_means
        if name:
            self._call_it(name)

    def read_by(self, model: str, dimensions: int, hidden_means: HiddenMeans) -> None:
        """From now on texts are embedded by that model."""
        self._call_it(f"{KIND}:{model}/{dimensions}")
        self._hidden_means = hidden_means

    @property
    def name(self) -> str:
        if not self._name:
            raise WrongState("no core embeds yet; expected a kernel that runs one")
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

    def _call_it(self, name: str) -> None:
        width = name.rpartition("/")[2]
        if not name.startswith(f"{KIND}:") or not width.isdecimal() or not int(width):
            raise InvalidArgument(f"no embedder {name!r}; expected {KIND}, or {KIND}:MODEL/WIDTH")
        self._name, self._dimensions = name, int(width)

    def _checked(self, texts: Sequence[str]) -> NDArray[np.float32]:
        if self._hidden_means is None:
            raise CoreFailed(f"{self._name} is not running: texts are found by words only")
        means = np.asarray(self._hidden_means(texts), np.float32)
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
