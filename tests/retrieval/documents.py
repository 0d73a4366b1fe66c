"""Documents and embedders for the tests of retrieval."""

from collections.abc import Sequence

import numpy as np

from aios.errors import Busy
from aios.retrieval.base import Document, Vectors

MEANINGS = {"car": 0, "vehicle": 0, "automobile": 0, "river": 1, "stream": 1, "music": 2}


def document(id: str, text: str = "", *, scope: str = "anna", title: str = "", time: float = 0.0,
             keywords: str = "") -> Document:  # fmt: skip
    return Document(id=id, scope=scope, title=title, keywords=keywords, text=text, time=time)


class Meanings:
    """Knows what a few words mean; fails as long as `fault` is set."""

    def __init__(self, name: str = "meanings", dimensions: int = 8) -> None:
        self.name = name
        self.dimensions = dimensions
        self.fault = ""
        self.texts = 0

    def embed(self, texts: Sequence[str]) -> Vectors:
        if self.fault:
            raise Busy(self.fault)
        self.texts += len(texts)
        vectors = np.zeros((len(texts), self.dimensions), np.float32)
        for row, text in zip(vectors, texts, strict=True):
            for word in text.lower().split():
                row[MEANINGS.get(word, self.dimensions - 1)] += 1
            row /= np.linalg.norm(row) or 1.0
        return vectors
