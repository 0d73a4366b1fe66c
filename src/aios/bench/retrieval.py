"""Searching files: how often the file that answers is found first, and how long that takes.

Three corpora with known answers, each against plain BM25 (FTS5, porter stems, any word of the
question) over the same names and texts: one on which the search was tuned, and two that it never
saw, of other words and of real text. The headline is the generated corpus that was not tuned on.
"""

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import apsw
import msgspec

from aios.bench.corpus import Corpus, Question, TextFile, generated
from aios.bench.corpus_words import OFFICE, VOYAGE
from aios.bench.stats import percentile
from aios.bench.stdlib_text import library_corpus, manual_prose
from aios.bench.table import Bar, Options, Report, Table, Tell
from aios.clock import WallClock
from aios.retrieval.base import Document, Query
from aios.retrieval.index import HybridIndex
from aios.retrieval.ngrams import NgramEmbedder
from aios.retrieval.words import words

FOUND = 5
BATCH = 128
GAIN_MIN = 0.03
P95_MS_MAX = 10.0
INDEX_1000_S_MAX = 5.0
AGENT = "bench"

Find = Callable[[str], list[str]]
"""A question to the paths found, best first."""


class Retrieval(msgspec.Struct, frozen=True, kw_only=True):
    """The documented figures, of the generated corpus that nothing was tuned on."""

    files: int
    recall_at_1: float
    recall_at_5: float
    bm25_recall_at_1: float
    p95_ms: float


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """What one way to search found in one corpus."""

    corpus: str
    way: str
    files: int
    questions: int
    recall_at_1: float
    recall_at_5: float
    p50_ms: float
    p95_ms: float
    index_1000_s: float
    kinds: dict[str, float]  # recall@1 by kind of question


def run(options: Options, tell: Tell) -> Report:
    """Measure every corpus, hybrid search beside BM25."""
    files, questions = (2_500, 400) if options.is_quick else (10_000, 1_500)
    prose = manual_prose()
    corpora = (
        generated("voyage", VOYAGE, prose, (files, questions), options.seed + 1_000),
        library_corpus(questions, options.seed, part=1),
        generated("office (tuned on)", OFFICE, prose, (files, questions), options.seed),
    )
    found: list[Found] = []
    for corpus in corpora:
        tell(f"retrieval: {corpus.name}")
        found += _both(corpus)
    result = headline(found)
    return Report(
        result=result,
        tables=(_table(found), _table_of_kinds(found)),
        bars=_bars(result, found[0]),
        more={"found": found},
    )


def headline(found: Sequence[Found]) -> Retrieval:
    """Of the first corpus: ours, then BM25."""
    ours, plain = found[0], found[1]
    return Retrieval(
        files=ours.files,
        recall_at_1=ours.recall_at_1,
        recall_at_5=ours.recall_at_5,
        bm25_recall_at_1=plain.recall_at_1,
        p95_ms=ours.p95_ms,
    )


def plain_bm25(files: Sequence[TextFile]) -> Find:
    """What FTS5 does with a question when nobody helps it."""
    database = apsw.Connection(":memory:")
    database.execute("CREATE VIRTUAL TABLE files USING fts5(path, text, tokenize='porter')")
    database.executemany(
        "INSERT INTO files (rowid, path, text) VALUES (?, ?, ?)",
        ((number, file.path, file.text) for number, file in enumerate(files)),
    )

    def find(question: str) -> list[str]:
        terms = " OR ".join(f'"{word}"' for word in words(question).main)
        rows = database.execute(
            "SELECT path FROM files WHERE files MATCH ? ORDER BY rank LIMIT ?", (terms, FOUND)
        )
        return [str(row[0]) for row in rows]

    return find


def _both(corpus: Corpus) -> list[Found]:
    clock = WallClock()
    with tempfile.TemporaryDirectory() as folder:
        index = HybridIndex(Path(folder), NgramEmbedder())
        began = clock.now()
        for at in range(0, len(corpus.files), BATCH):
            index.put([_document(file) for file in corpus.files[at : at + BATCH]])
        while index.tend():
            pass
        took_s = clock.now() - began

        def find(question: str) -> list[str]:
            return [hit.id for hit in index.search(
                Query(text=question, scopes=(AGENT,), limit=FOUND)
            )]  # fmt: skip

        ours = _asked(corpus, "hybrid", find, took_s)
        index.close()
    return [ours, _asked(corpus, "BM25", plain_bm25(corpus.files), 0.0)]


def _document(file: TextFile) -> Document:
    return Document(
        id=file.path, scope=AGENT, title=file.path, keywords="", text=file.text, time=file.time
    )


def _asked(corpus: Corpus, way: str, find: Find, index_s: float) -> Found:
    clock = WallClock()
    took, results = [], []
    for question in corpus.questions:
        began = clock.now()
        results.append(find(question.text))
        took.append(1e3 * (clock.now() - began))
    ranked = list(zip(corpus.questions, results, strict=True))
    kinds = sorted({question.kind for question in corpus.questions})
    return Found(
        corpus=corpus.name,
        way=way,
        files=len(corpus.files),
        questions=len(corpus.questions),
        recall_at_1=recall(ranked, 1),
        recall_at_5=recall(ranked, FOUND),
        p50_ms=round(percentile(took, 50), 3),
        p95_ms=round(percentile(took, 95), 3),
        index_1000_s=round(1e3 * index_s / len(corpus.files), 3),
        kinds={kind: recall([one for one in ranked if one[0].kind == kind], 1) for kind in kinds},
    )


def recall(ranked: Sequence[tuple[Question, list[str]]], limit: int) -> float:
    """The share of questions whose file is among the first `limit`."""
    hits = sum(question.answer in paths[:limit] for question, paths in ranked)
    return round(hits / len(ranked), 4) if ranked else 0.0


def _table(found: Sequence[Found]) -> Table:
    columns = ("corpus, search", "files", "recall@1", "recall@5", "p50 ms", "p95 ms", "s/1,000")
    rows = tuple(
        (
            f"{one.corpus}, {one.way}", f"{one.files:,}", f"{one.recall_at_1:.3f}",
            f"{one.recall_at_5:.3f}", f"{one.p50_ms:.1f}", f"{one.p95_ms:.1f}",
            f"{one.index_1000_s:.2f}",
        )
        for one in found
    )  # fmt: skip
    return Table(title="Files that answer a question", columns=columns, rows=rows)


def _table_of_kinds(found: Sequence[Found]) -> Table:
    pairs = zip(found[::2], found[1::2], strict=True)
    rows = tuple(
        (f"{ours.corpus}, {kind}", f"{ours.kinds[kind]:.3f}", f"{plain.kinds[kind]:.3f}")
        for ours, plain in pairs
        for kind in ours.kinds
    )
    columns = ("corpus, kind of question", "hybrid", "BM25")
    return Table(title="recall@1 by kind of question", columns=columns, rows=rows)


def _bars(result: Retrieval, ours: Found) -> tuple[Bar, ...]:
    gain = result.recall_at_1 - result.bm25_recall_at_1
    return (
        Bar(
            what="recall@1 above plain BM25",
            bar=f">= {GAIN_MIN}",
            measured=f"{gain:+.3f}",
            is_met=gain >= GAIN_MIN,
        ),
        Bar(
            what=f"search of {ours.files:,} files, p95",
            bar=f"<= {P95_MS_MAX:g} ms",
            measured=f"{ours.p95_ms:.1f} ms",
            is_met=ours.p95_ms <= P95_MS_MAX,
        ),
        Bar(
            what="indexing 1,000 files",
            bar=f"<= {INDEX_1000_S_MAX:g} s",
            measured=f"{ours.index_1000_s:.2f} s",
            is_met=ours.index_1000_s <= INDEX_1000_S_MAX,
        ),
    )
