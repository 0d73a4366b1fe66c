"""The built-in embedder: words and their pieces, hashed into a vector. No weights, no files.

Each distinct word adds itself, its beginning and its letter triples to the vector, each at places
and with signs that a hash draws, so that different words meet only by chance and words spelt alike
meet on purpose. Repetition counts by its logarithm; words that every text has count next to
nothing, and longer words more, since they are rarer. What it gives up: it knows no meaning, only
spelling.
"""

import math
import threading
from collections import Counter
from collections.abc import Sequence
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray
from xxhash import xxh3_64_intdigest

from aios.retrieval.base import Vectors
from aios.retrieval.words import STOP_WORDS, Words, words

DIMENSIONS = 384
VERSION = 1
WORDS_KEPT = 50_000
TOGETHER = 16  # texts whose features are added up at once
STOP_WEIGHT = 0.05
WHOLE_WEIGHT = 1.0
PIECES_WEIGHT = 0.7  # of all pieces of a word together
DRAWS = 2  # places of one feature: fewer chance meetings of two whole features


class NgramEmbedder:
    """Texts to unit vectors by spelling alone; the same everywhere and for ever."""

    def __init__(self, dimensions: int = DIMENSIONS) -> None:
        assert dimensions >= 8, "too few places for anything to be told apart"
        self._dimensions = dimensions
        self._features = _Features(dimensions)
        self._lock = threading.Lock()

    @property
    def name(self) -> str:
        return f"ngrams-{VERSION}-{self._dimensions}"

    @property
    def dimensions(self) -> int:
        return self._dimensions

    def embed(self, texts: Sequence[str]) -> Vectors:
        return self.embed_words([(words(text),) for text in texts])

    def embed_words(self, texts: Sequence[Sequence[Words]]) -> Vectors:
        """Texts whose words are known already, part by part."""
        vectors = np.zeros((len(texts), self._dimensions), np.float32)
        with self._lock:
            for at in range(0, len(texts), TOGETHER):
                self._embed_into(vectors[at : at + TOGETHER], texts[at : at + TOGETHER])
        for row in vectors:
            norm = float(np.linalg.norm(row))
            if norm > 0:
                row /= norm
            else:
                row[0] = 1.0  # a text without words is still a text
        return vectors

    def _embed_into(self, rows: Vectors, texts: Sequence[Sequence[Words]]) -> None:
        """Add up the features of all words, weighted, each text's in its own row."""
        counted = [_counted(parts) for parts in texts]
        numbers = self._features.numbers(list(chain.from_iterable(counted)))
        times = chain.from_iterable(one.values() for one in counted)
        amounts = np.array([1.0 + math.log(count) for count in times], np.float32)
        row = np.repeat(np.arange(len(texts)), [len(one) for one in counted])
        places, values, lengths = self._features.of(numbers)
        places += np.repeat(row * self._dimensions, lengths)
        values *= np.repeat(amounts, lengths)
        rows[:] = np.bincount(places, values, rows.size).reshape(rows.shape)


class _Features:
    """Places and signed weights of words, one word's behind the other's."""

    def __init__(self, dimensions: int) -> None:
        self._dimensions = dimensions
        self._forget()

    def numbers(self, words: Sequence[str]) -> NDArray[np.intp]:
        """The words' numbers until the next call; those that are new are learnt."""
        if len(self._numbers) > WORDS_KEPT:
            self._forget()
        known = self._numbers
        if new := [word for word in dict.fromkeys(words) if word not in known]:
            self._learn(new)
        return np.array([known[word] for word in words], np.intp)

    def of(
        self, numbers: NDArray[np.intp]
    ) -> tuple[NDArray[np.intp], NDArray[np.float32], NDArray[np.intp]]:
        """Copies of all their places and weights in order, and how many each word has."""
        starts, ends = self._starts[numbers], self._starts[numbers + 1]
        lengths = ends - starts
        first = np.cumsum(lengths) - lengths
        at = np.arange(int(lengths.sum())) + np.repeat(starts - first, lengths)
        return self._places[at], self._values[at], lengths

    def _forget(self) -> None:
        self._numbers: dict[str, int] = {}
        self._used = 0  # of the arrays below, which have room for more
        self._starts = np.zeros(1, np.intp)  # of each word, and behind the last
        self._places = np.zeros(0, np.intp)
        self._values = np.zeros(0, np.float32)

    def _learn(self, new: Sequence[str]) -> None:
        places: list[int] = []
        values: list[float] = []
        for number, word in enumerate(new, len(self._numbers)):
            self._numbers[word] = number
            for feature, amount in _features(word):
                drawn = xxh3_64_intdigest(feature.encode())
                for _ in range(DRAWS):
                    places.append((drawn >> 1) % self._dimensions)
                    values.append(amount if drawn & 1 else -amount)
                    drawn >>= 32
            self._starts = _roomy(self._starts, number + 2)
            self._starts[number + 1] = self._used + len(places)
        end = self._used + len(places)
        self._places, self._values = _roomy(self._places, end), _roomy(self._values, end)
        self._places[self._used : end] = places
        self._values[self._used : end] = values
        self._used = end


def _roomy(array: NDArray[Any], size: int) -> NDArray[Any]:
    """The array, or where it has less than `size` a copy with twice the room."""
    if size <= len(array):
        return array
    found = np.zeros(max(size, 2 * len(array)), array.dtype)
    found[: len(array)] = array
    return found


def _counted(parts: Sequence[Words]) -> Counter[str]:
    counted: Counter[str] = Counter()
    for one in parts:
        counted.update(one.main)
    for one in parts:
        counted.update(one.extra)
    return counted


def _features(word: str) -> list[tuple[str, float]]:
    """The word itself and its pieces, each with its weight."""
    pieces, weight = _pieces(word), _weight(word)
    each = weight * PIECES_WEIGHT / math.sqrt(len(pieces) or 1)
    return [(f"={word}", weight * WHOLE_WEIGHT), *((piece, each) for piece in pieces)]


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
