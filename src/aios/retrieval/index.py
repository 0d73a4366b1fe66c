"""The index of one kind of document: words and vectors in one folder, searched together.

Everything in the folder can be made again from the rooms that own the documents. So whatever is
damaged, missing, or made by another embedder is begun anew, and `is_whole` is False until whoever
owns the documents has had all of them put again.

All that changes the folder is done by a writer, which may be another process; here its changes are
followed, and searched. The built-in embedder's vectors are the writer's work, any other's are made
here, since such an embedder computes somewhere else or outside of the interpreter.

An embedder that fails stops nobody: words are put and found without it, `embedder_fault` says why,
and `without_vector` which documents wait.
"""

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from aios.errors import AiosError
from aios.retrieval.base import Document, Embedder, Hit, Query
from aios.retrieval.catalog import Allowed, Catalog
from aios.retrieval.database import delete_database, open_database
from aios.retrieval.fusion import Spread, fused
from aios.retrieval.gate import Gate
from aios.retrieval.keywords import Keywords
from aios.retrieval.nearest import VECTORS, NearestVectors
from aios.retrieval.ngrams import NgramEmbedder
from aios.retrieval.writing import DATABASE, IndexWriter, MakeWriter, WriterSpec
from aios.syscalls.note import SearchMode

CANDIDATES_MIN = 100
EMBEDDED_AT_ONCE = 8
TEXT_CHARS_MAX = 200_000  # of a document; what comes after is not found
BESIDE_MIN = 20_000  # vectors are searched beside the words; of fewer it gains nothing
BESIDE_THREADS = 2
SPARE = 16  # hits looked up beyond the limit, should some be gone meanwhile
_GRAPH = "graph"
Ranking = dict[int, float]  # documents by number, best first


class HybridIndex:
    """Documents by words and by vectors. One thread may put and remove, any may search."""

    def __init__(
        self, folder: Path, embedder: Embedder, make_writer: MakeWriter = IndexWriter
    ) -> None:
        self._folder = folder
        self._embedder = embedder
        self._make_writer = make_writer
        self._gate = Gate()
        self._writing = threading.Lock()
        self._beside = ThreadPoolExecutor(BESIDE_THREADS, "vectors")  # none until it is asked
        self.embedder_fault = ""  # why the embedder could not embed, the last time it was asked
        self._open()

    def now_whole(self) -> None:
        """What is missing was handed over to be put again."""
        self._database.remember("whole", "yes")
        self.is_whole = True

    @property
    def count(self) -> int:
        return self._catalog.count

    @property
    def embedder_name(self) -> str:
        return self._embedder.name

    @property
    def vector_search(self) -> str:
        """How vectors are searched now, for people."""
        return self._vectors.way(int(np.count_nonzero(self._catalog.has_vector)))

    def without_vector(self, limit: int) -> list[str]:
        """Ids of documents that are found by words only, because nobody embedded them yet."""
        return self._catalog.without_vector(limit)

    def put(self, documents: Sequence[Document]) -> None:
        latest = list({document.id: _cut(document) for document in documents}.values())
        with self._writing:
            self._forget_saved_graph()
            self._follow(self._writer.put(latest))
            if not self._spec.embeds:
                self._put_vectors(latest)

    def remove(self, ids: Sequence[str]) -> None:
        with self._writing:
            self._forget_saved_graph()
            self._follow(self._writer.remove(ids))

    def tend(self) -> bool:
        """Do some of what makes searching faster; whether there is more to do."""
        with self._writing:
            if self._writer.tidy():
                return True
            return self._vectors.tend(self._catalog.has_vector, self._gate.pause)

    def search(self, query: Query) -> list[Hit]:
        """Best first. Raises `Damaged`, after which `begin_anew` is what helps."""
        vector = self._vector_of(query)  # may wait for a network: not while indexing waits
        wanted = max(CANDIDATES_MIN, query.limit)
        with self._gate.search():
            allowed = self._catalog.allowed(query)
            if not allowed.count:
                return []
            if vector is None:
                by_words = self._by_words(query, allowed, wanted)
                return self._hits(query, by_words, by_words, {})
            by_words, by_meaning, spread = self._both_ways(query, vector, allowed, wanted)
            if query.mode is SearchMode.SEMANTIC:
                return self._hits(query, by_meaning, {}, by_meaning)
            scores = fused(by_words, by_meaning, spread, self._embedder.dimensions)
            return self._hits(query, scores, by_words, by_meaning)

    def begin_anew(self) -> None:
        """Forget everything: the index is damaged. It is not whole afterwards."""
        with self._writing:
            self._writer.close()
            self._vectors.close()
            self._database.close()
            delete_database(self._folder / DATABASE)
            self._open()

    def close(self) -> None:
        self._beside.shutdown()
        self._writer.close()
        is_saved = self._vectors.close()
        self._database.remember(_GRAPH, "saved" if is_saved else "")
        self._database.close()

    def _open(self) -> None:
        self._database = open_database(self._folder / DATABASE)
        self.is_whole = self._database.fact("whole") == "yes"
        self._catalog = Catalog(self._database)
        self._keywords = Keywords()
        self._vectors = self._opened_vectors()
        self._spec = WriterSpec(
            folder=str(self._folder),
            dimensions=self._embedder.dimensions,
            embeds=isinstance(self._embedder, NgramEmbedder),
        )
        self._writer = self._make_writer(self._spec)

    def _opened_vectors(self) -> NearestVectors:
        """The vectors of this embedder; none where they are another's, or lie not in the file."""
        path = self._folder / VECTORS
        made_by = f"{self._embedder.name}/{self._embedder.dimensions}"
        needed = self._catalog.vectors_end * self._embedder.dimensions * 4
        is_there = path.exists() and path.stat().st_size >= needed
        if self._database.fact("vectors") != made_by or not is_there:
            path.unlink(missing_ok=True)
            with self._database.write() as connection:
                self._catalog.forget_vectors(connection)
            self._catalog.reload()
            self._database.remember(_GRAPH, "")
            self._database.remember("vectors", made_by)
        is_saved = self._database.fact(_GRAPH) == "saved"
        return NearestVectors(self._folder, self._embedder.dimensions, is_graph_saved=is_saved)

    def _forget_saved_graph(self) -> None:
        """What was saved of the graph is no longer so; said before the next vector is written."""
        if self._database.fact(_GRAPH):
            self._database.remember(_GRAPH, "")

    def _follow(self, numbers: Sequence[int]) -> None:
        """Those documents were changed."""
        self._vectors.follow(numbers)
        self._catalog.follow(numbers)
        self._keywords.follow()

    def _put_vectors(self, documents: Sequence[Document]) -> None:
        """Embed here, for a writer that does not."""
        for at in range(0, len(documents), EMBEDDED_AT_ONCE):
            some = documents[at : at + EMBEDDED_AT_ONCE]
            try:
                vectors = self._embedder.embed([_embedded(document) for document in some])
            except AiosError as error:
                self.embedder_fault = error.message
                return
            self._follow(self._writer.put_vectors([one.id for one in some], vectors))
        self.embedder_fault = ""

    def _vector_of(self, query: Query) -> NDArray[np.float32] | None:
        """The query's vector; None where words alone are asked for, or all there is."""
        if query.mode is SearchMode.KEYWORD or not query.text.strip():
            return None
        try:
            vector: NDArray[np.float32] = self._embedder.embed([query.text])[0]
        except AiosError as error:
            self.embedder_fault = error.message
            if query.mode is SearchMode.SEMANTIC:
                raise
            return None
        return vector

    def _by_words(self, query: Query, allowed: Allowed, limit: int) -> Ranking:
        if query.mode is SearchMode.SEMANTIC:
            return {}
        counts = self._keywords.counts()
        with self._database.read() as connection:
            found = self._keywords.search(connection, query.text, allowed, limit, counts)
        return _ranking(found.numbers, found.scores)

    def _both_ways(
        self, query: Query, vector: NDArray[np.float32], allowed: Allowed, limit: int
    ) -> tuple[Ranking, Ranking, Spread]:
        """What words found; the nearest, and how near those are that words found."""
        mask = self._catalog.with_vector(allowed.mask)
        if allowed.count >= BESIDE_MIN:
            waited = self._beside.submit(self._vectors.nearest, vector, mask, limit)
            by_words = self._by_words(query, allowed, limit)
            nearest = waited.result()
        else:
            by_words = self._by_words(query, allowed, limit)
            nearest = self._vectors.nearest(vector, mask, limit)
        found = _ranking(nearest.numbers, nearest.scores)
        others = [one for one in by_words if one not in found and one < len(mask) and mask[one]]
        numbers = np.array(others, np.intp)
        found |= _ranking(numbers, self._vectors.scores(vector, numbers))
        by_meaning = dict(sorted(found.items(), key=lambda one: (-one[1], one[0])))
        return by_words, by_meaning, nearest.spread

    def _hits(
        self, query: Query, scores: Ranking, by_words: Ranking, by_meaning: Ranking
    ) -> list[Hit]:
        best = sorted(scores, key=lambda number: (-scores[number], -number))[: query.limit + SPARE]
        with self._database.read() as connection:
            named = self._catalog.named(connection, best, query)
        ordered = sorted(  # of equal ones the newest first
            (named[number] for number in best if number in named),
            key=lambda one: (-round(scores[one.number], 6), -one.time, one.id),
        )
        word_ranks, meaning_ranks = _ranks(by_words), _ranks(by_meaning)
        return [
            Hit(one.id, scores[one.number], word_ranks.get(one.number),
                meaning_ranks.get(one.number))
            for one in ordered[: query.limit]
        ]  # fmt: skip


def _cut(document: Document) -> Document:
    if len(document.text) <= TEXT_CHARS_MAX:
        return document
    return replace(document, text=document.text[:TEXT_CHARS_MAX])


def _embedded(document: Document) -> str:
    """What is embedded of a document: its title and keywords say what it is about."""
    return "\n".join(part for part in (document.title, document.keywords, document.text) if part)


def _ranking(numbers: NDArray[np.intp], scores: NDArray[np.floating]) -> Ranking:
    return dict(zip(numbers.tolist(), scores.tolist(), strict=True))


def _ranks(ranking: Ranking) -> dict[int, int]:
    return {number: rank for rank, number in enumerate(ranking, 1)}
