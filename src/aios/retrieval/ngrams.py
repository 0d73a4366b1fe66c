"""The built-in embedder: words and their pieces, hashed into a vector. No weights, no files.

Each distinct word adds itself, its beginning and its letter triples to the vector, each at places
and with signs that a hash draws, so that different words meet only by chance and words spelt alike
meet on purpose. Repetition counts by its logarithm; words that every text has count next to
nothing, and longer words more, since they are rarer. What it gives up: it knows no meaning, only
spelling.
"""

import math
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from xxhash import xxh3_64_intdigest

from aios.retrieval.base import Vectors
from aios.retrieval.words import STOP_WORDS, words

DIMENSIONS = 384
VERSION = 1
WORDS_CACHED = 50_000
STOP_WEIGHT = 0.05
WHOLE_WEIGHT = 1.0
PIECES_WEIGHT = 0.7  # of all pieces of a word together
DRAWS = 2  # places of one feature: fewer chance meetings of two whole features

Features = tuple[NDArray[np.intp], NDArray[np.float32]]


class NgramEmbedder:
    """Texts to unit vectors by spelling alone; the same everywhere and for ever."""

    def __init__(self, dimensions: int = DIMENSIONS) -> None:
        assert dimensions >= 8, "too few places for anything to be told apart"
        self._dimensions = dimensions
        self._features = lru_cache(WORDS_CACHED)(self._hashed)

    @property
    def name(self) -> str:
        return f"ngrams-{VERSION}-{self._dimensions}"

    @property
    def dimensions(self) -> int:
        return self._dimensions

    def embed(self, texts: Sequence[str]) -> Vectors:
        vectors = np.zeros((len(texts), self._dimensions), np.float32)
        for row, text in zip(vectors, texts, strict=True):
            self._embed_into(row, text)
        return vectors

    def _embed_into(self, row: NDArray[np.float32], text: str) -> None:
        found = words(text)
        counted = Counter(found.main)
        counted.update(found.extra)
        if not counted:
            row[0] = 1.0  # a text without words is still a text
            return
        places, values = [], []
        for word, times in counted.items():
            at, weights = self._features(word)
            places.append(at)
            values.append(weights * (1.0 + math.log(times)))
        where = np.concatenate(places)
        row[:] = np.bincount(where, np.concatenate(values), self._dimensions)
        norm = float(np.linalg.norm(row))
        if norm > 0:
            row /= norm
        else:
            row[0] = 1.0

    def _hashed(self, word: str) -> Features:
        """Places and signed weights of one word."""
        pieces = _pieces(word)
        weight = _weight(word)
        each = weight * PIECES_WEIGHT / math.sqrt(len(pieces) or 1)
        features = [(f"={word}", weight * WHOLE_WEIGHT), *((piece, each) for piece in pieces)]
        places = np.empty(len(features) * DRAWS, np.intp)
        values = np.empty(len(features) * DRAWS, np.float32)
        for index, (feature, amount) in enumerate(features):
            drawn = xxh3_64_intdigest(feature.encode())
            for draw in range(DRAWS):
                places[index * DRAWS + draw] = (drawn >> 1) % self._dimensions
                values[index * DRAWS + draw] = amount if drawn & 1 else -amount
                drawn >>= 32
        return places, values


def _pieces(word: str) -> list[str]:
    """Letter triples with the word's ends marked, and its beginning. Short words are whole."""
    if len(word) < 4:
        return []
    marked = f"<{word}>"
    triples = [marked[at : at + 3] for at in range(len(marked) - 2)]
    return [*triples, f"{word[:5]}*"] if len(word) > 5 else triples


def _weight(word: str) -> float:
    if word in STOP_WORDS:
        return STOP_WEIGHT
    return min(1.0, 0.4 + 0.1 * len(word)) if word.isalpha() else 1.0
