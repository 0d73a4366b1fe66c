"""What is searched, by what, and what is found. Knows no note and no file."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from aios.syscalls.note import SearchMode

Vectors = NDArray[np.float32]


class Embedder(Protocol):
    """Texts to vectors. `name` tells vectors of different embedders apart, also on disk."""

    @property
    def name(self) -> str: ...

    @property
    def dimensions(self) -> int: ...

    def embed(self, texts: Sequence[str]) -> Vectors:
        """One unit vector a text, shape (texts, dimensions). May block: never on an event loop."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A text to be found. `scope` is whose it is; searches name the scopes they may see."""

    id: str
    scope: str
    title: str  # a file's name and path, a note's context: words that weigh more
    keywords: str  # given by hand: tags, keywords
    text: str
    time: float  # last change, seconds since the epoch


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """What to find, in which scopes or by which ids; `only` None: any id of the scopes."""

    text: str
    scopes: Collection[str]
    limit: int
    mode: SearchMode = SearchMode.HYBRID
    also: Collection[str] = ()  # ids outside of the scopes that may be found too
    only: Collection[str] | None = None


@dataclass(frozen=True, slots=True)
class Hit:
    """A document found; ranks count from 1 and are None where that way did not find it."""

    id: str
    score: float
    keyword_rank: int | None
    semantic_rank: int | None
