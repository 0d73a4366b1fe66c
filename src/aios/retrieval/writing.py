"""Changes an index's folder: the one writer of its database and its vectors. Knows no search.

It may work in a process of its own (`child.py`), since indexing is one long computation. Whoever
searches is told the numbers of the documents that changed, once that is on disk.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import apsw
import msgspec
import numpy as np

from aios.retrieval.base import Document, Vectors
from aios.retrieval.database import join_database
from aios.retrieval.keywords import Keywords, fields
from aios.retrieval.nearest import VECTORS
from aios.retrieval.ngrams import NgramEmbedder
from aios.retrieval.register import Register
from aios.retrieval.vectors import VectorFile

DATABASE = "index.db"


class WriterSpec(msgspec.Struct, frozen=True, kw_only=True):
    """Which index to write. `embeds`: by the built-in embedder; otherwise vectors are given."""

    folder: str
    dimensions: int
    embeds: bool


class Writer(Protocol):
    """Each change is on disk when the call returns. For one caller at a time; any may block."""

    def put(self, documents: Sequence[Document]) -> Sequence[int]:
        """Add or replace documents, no two of one id; their numbers."""
        ...

    def put_vectors(self, ids: Sequence[str], vectors: Vectors) -> Sequence[int]:
        """Vectors of documents that were put, where the writer does not embed."""
        ...

    def remove(self, ids: Sequence[str]) -> Sequence[int]:
        """The numbers that they had."""
        ...

    def tidy(self) -> bool:
        """Do some of what makes searching for words faster; whether there is more to do."""
        ...

    def close(self) -> None: ...


MakeWriter = Callable[[WriterSpec], Writer]


class IndexWriter:
    """Implements `Writer`. The database is there already: whoever searches has opened it."""

    def __init__(self, spec: WriterSpec) -> None:
        folder = Path(spec.folder)
        self._database = join_database(folder / DATABASE)
        self._register = Register(self._database.writer)
        self._keywords = Keywords()
        self._vectors = VectorFile(folder / VECTORS, spec.dimensions)
        self._embedder = NgramEmbedder(spec.dimensions) if spec.embeds else None

    def put(self, documents: Sequence[Document]) -> Sequence[int]:
        texts = [fields(document) for document in documents]
        with self._change() as connection:
            places = self._register.put(documents, has_vector=self._embedder is not None)
            numbers = [place.number for place in places]
            self._keywords.put(connection, places, texts)
            if self._embedder is not None:
                # On disk before the commit that says so; nobody reads a number until then.
                self._vectors.put(numbers, self._embedder.embed_words(texts))
                self._vectors.flush()
        return numbers

    def put_vectors(self, ids: Sequence[str], vectors: Vectors) -> Sequence[int]:
        with self._change():
            found = self._register.mark_vectors(ids)
            there = [at for at, id in enumerate(ids) if id in found]
            numbers = [found[ids[at]] for at in there]
            self._vectors.put(numbers, np.asarray(vectors[there]))
            self._vectors.flush()
        return numbers

    def remove(self, ids: Sequence[str]) -> Sequence[int]:
        with self._change() as connection:
            numbers = self._register.remove(ids)
            self._keywords.remove(connection, numbers)
        return numbers

    def tidy(self) -> bool:
        with self._change() as connection:
            return self._keywords.tidy(connection, self._register.count)

    def close(self) -> None:
        self._vectors.close()
        self._database.close()

    @contextmanager
    def _change(self) -> Iterator[apsw.Connection]:
        """One transaction; what was remembered of one that failed is forgotten."""
        try:
            with self._database.write() as connection:
                yield connection
        except BaseException:
            self._keywords.abandoned()
            self._register.reload()
            raise
