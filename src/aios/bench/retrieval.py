"""Searching files: how often the file that answers is found first, and how long that takes.

Measured as agents see it: a kernel in a temporary home, files made by `file.create`, searched by
`file.search` once all are indexed. Three corpora with known answers, each against plain BM25 (FTS5,
porter stems, any word of the question) over the same names and texts: one on which the search was
tuned, and two that it never saw, of other words and of real text. The headline is the generated
corpus that was not tuned on. Beside it: what indexing costs a writer, and whether what is rolled
back is what was written.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from functools import partial
from itertools import cycle
from typing import Any

import apsw
import msgspec

from aios.bench.corpus import Corpus, Question, TextFile, generated
from aios.bench.corpus_words import OFFICE, VOYAGE
from aios.bench.retrieval_home import create_all, fall_behind, files_settled, open_home, pending
from aios.bench.retrieval_rollback import Rollbacks, roll_back_all
from aios.bench.retrieval_writes import Notes, Writes, measure_notes, measure_writes
from aios.bench.stats import percentile
from aios.bench.stdlib_text import library_corpus, manual_prose
from aios.bench.table import Bar, Options, Report, Table, Tell, at_least, at_most
from aios.clock import WallClock
from aios.retrieval.words import words

FOUND = 5
GAIN_MIN = 0.03
P95_MS_MAX = {10_000: 10.0, 100_000: 50.0}  # of a search, by files
INDEX_1000_S_MAX = 5.0
BACKLOG_AT_ONCE = 1_000
MANY_FILES = 99_900  # and their folders: an agent has at most 100,000 of both

Find = Callable[[str], Coroutine[Any, Any, list[str]]]
"""A question to the paths found, best first."""


class Size(msgspec.Struct, frozen=True, kw_only=True):
    """How much of everything a run measures."""

    files: int  # of the corpus of the headline
    tuned_files: int
    questions: int
    many_files: int  # 0: not measured
    many_questions: int
    backlog: int  # files that are indexed beside the last of these questions
    indexed_files: int  # from the first write until all are found; as many wait while writes go on
    writes: int
    notes: int
    rolled_back: int  # files, each a dozen times


QUICK = Size(
    files=2_500, tuned_files=1_000, questions=300, many_files=0, many_questions=0, backlog=0,
    indexed_files=1_000,
    writes=200, notes=5_000,
    rolled_back=32,
)  # fmt: skip
FULL = Size(
    files=10_000, tuned_files=2_500, questions=1_000, many_files=MANY_FILES, many_questions=300,
    backlog=4_000,
    indexed_files=1_000, writes=1_000,
    notes=10_000, rolled_back=100,
)  # fmt: skip


class Retrieval(msgspec.Struct, frozen=True, kw_only=True):
    """The documented figures; those of searching of the generated corpus nothing was tuned on."""

    files: int
    recall_at_1: float
    recall_at_5: float
    bm25_recall_at_1: float
    p95_ms: float
    rollback_exact: float


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
    index_s: float  # from the first write until all was found; 0 where nothing is written
    busy_p95_ms: float = 0.0  # of searches beside indexing
    busy_searches: int = 0  # 0: not measured
    kinds: dict[str, float]  # recall@1 by kind of question


def run(options: Options, tell: Tell) -> Report:
    """Measure every corpus, hybrid search beside BM25; then writes, notes and rollbacks."""
    return asyncio.run(measured(QUICK if options.is_quick else FULL, options.seed, tell))


async def measured(size: Size, seed: int, tell: Tell) -> Report:
    """One run of that size."""
    found: list[Found] = []
    for corpus in corpora(size, seed):
        tell(f"retrieval: {corpus.name}, {len(corpus.files):,} files")
        backlog = size.backlog if len(corpus.files) == size.many_files else 0
        found += await both(corpus, seed, backlog)
    office = generated(
        "office", OFFICE, manual_prose(), (2 * size.indexed_files + size.writes, 300), seed
    )
    tell("retrieval: writes")
    writes = await measure_writes(office, size.indexed_files, seed)
    tell("retrieval: notes")
    notes = await measure_notes(office, size.notes, seed)
    tell("retrieval: rollbacks")
    async with open_home(seed) as home:
        rollbacks = await roll_back_all(home, size.rolled_back, seed)
    result = headline(found, rollbacks)
    return Report(
        result=result,
        tables=(_table(found), _table_of_kinds(found), _table_of_writes(writes, notes, rollbacks)),
        bars=_bars(result, found, writes),
        more={"found": found, "writes": writes, "notes": notes, "rollbacks": rollbacks},
    )


def corpora(size: Size, seed: int) -> tuple[Corpus, ...]:
    """The headline's first; the largest last."""
    prose, questions = manual_prose(), size.questions
    found = (
        generated("voyage", VOYAGE, prose, (size.files, questions), seed + 1_000),
        library_corpus(questions, seed, part=1),
        generated("office (tuned on)", OFFICE, prose, (size.tuned_files, questions), seed),
    )
    if not size.many_files:
        return found
    sizes = (size.many_files, size.many_questions)
    many = generated("voyage, many", VOYAGE, prose, sizes, seed + 2_000)
    return (*found, many)


def headline(found: Sequence[Found], rollbacks: Rollbacks) -> Retrieval:
    """Of the first corpus: ours, then BM25."""
    ours, plain = found[0], found[1]
    return Retrieval(
        files=ours.files,
        recall_at_1=ours.recall_at_1,
        recall_at_5=ours.recall_at_5,
        bm25_recall_at_1=plain.recall_at_1,
        p95_ms=ours.p95_ms,
        rollback_exact=rollbacks.share,
    )


async def both(corpus: Corpus, seed: int, backlog: int = 0) -> list[Found]:
    """The corpus's files made and searched by an agent, and searched by plain BM25.

    With a backlog, the agent goes on asking while so many files of another agent are indexed.
    """
    clock = WallClock()
    async with open_home(seed) as home:
        agent = await home.agent("reader")
        began = clock.now()
        await create_all(agent, corpus.files)
        await files_settled(agent)
        took_s = clock.now() - began

        async def find(question: str) -> list[str]:
            found = await agent.files.search(question, limit=FOUND)
            return [one.file.path for one in found.files]

        ours = await _asked(corpus, "hybrid", find, took_s)
        if backlog:
            writer, busy = await home.agent("writer"), []
            for start in range(0, backlog, BACKLOG_AT_ONCE):
                await fall_behind(writer, corpus.files[start : start + BACKLOG_AT_ONCE])
                busy += await _timed_while(partial(pending, agent), find, corpus.questions)
            ours = msgspec.structs.replace(
                ours, busy_p95_ms=round(percentile(busy, 95), 3), busy_searches=len(busy)
            )
    return [ours, await _asked(corpus, "BM25", plain_bm25(corpus.files), 0.0)]


def plain_bm25(files: Sequence[TextFile]) -> Find:
    """What FTS5 does with a question when nobody helps it."""
    database = apsw.Connection(":memory:")
    database.execute("CREATE VIRTUAL TABLE files USING fts5(path, text, tokenize='porter')")
    database.executemany(
        "INSERT INTO files (rowid, path, text) VALUES (?, ?, ?)",
        ((number, file.path, file.text) for number, file in enumerate(files)),
    )

    async def find(question: str) -> list[str]:
        terms = " OR ".join(f'"{word}"' for word in words(question).main)
        rows = database.execute(
            "SELECT path FROM files WHERE files MATCH ? ORDER BY rank LIMIT ?", (terms, FOUND)
        )
        return [str(row[0]) for row in rows]

    return find


async def _asked(corpus: Corpus, way: str, find: Find, index_s: float) -> Found:
    clock = WallClock()
    took, results = [], []
    for question in corpus.questions:
        began = clock.now()
        results.append(await find(question.text))
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
        index_s=round(index_s, 3),
        kinds={kind: recall([one for one in ranked if one[0].kind == kind], 1) for kind in kinds},
    )


async def _timed_while(
    is_busy: Callable[[], Awaitable[int]], find: Find, questions: Sequence[Question]
) -> list[float]:
    """Milliseconds of each search, for as long as files wait to be indexed."""
    clock, took = WallClock(), []
    for question in cycle(questions):
        began = clock.now()
        await find(question.text)
        took.append(1e3 * (clock.now() - began))
        if not await is_busy():
            break
    return took


def recall(ranked: Sequence[tuple[Question, list[str]]], limit: int) -> float:
    """The share of questions whose file is among the first `limit`."""
    hits = sum(question.answer in paths[:limit] for question, paths in ranked)
    return round(hits / len(ranked), 4) if ranked else 0.0


def _table(found: Sequence[Found]) -> Table:
    columns = ("corpus, search", "files", "recall@1", "recall@5", "p50 ms", "p95 ms", "indexed, s")
    rows = tuple(
        (
            f"{one.corpus}, {one.way}", f"{one.files:,}", f"{one.recall_at_1:.3f}",
            f"{one.recall_at_5:.3f}", f"{one.p50_ms:.1f}", f"{one.p95_ms:.1f}",
            f"{one.index_s:.1f}" if one.index_s else "",
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


def _table_of_writes(writes: Writes, notes: Notes, rollbacks: Rollbacks) -> Table:
    rows = (
        (f"{writes.index_files:,} files created, until the last was acknowledged",
         f"{writes.created_s:.2f} s"),
        ("the same, until all are found", f"{writes.index_s:.2f} s"),
        ("a write, nobody indexing, p50 and p95",
         f"{writes.alone_p50_ms:.1f}, {writes.alone_p95_ms:.1f} ms"),
        ("a write, files waiting to be indexed, p50 and p95",
         f"{writes.indexing_p50_ms:.1f}, {writes.indexing_p95_ms:.1f} ms"),
        ("files still waiting after the last of these", f"{writes.pending_after:,}"),
        (f"search of {notes.notes:,} notes, p50 and p95",
         f"{notes.p50_ms:.1f}, {notes.p95_ms:.1f} ms"),
        (f"rollbacks of {rollbacks.files} files, exact",
         f"{rollbacks.exact:,} of {rollbacks.asked:,}"),
        ("their versions, read in the end, exact",
         f"{rollbacks.versions_exact:,} of {rollbacks.versions:,}"),
    )  # fmt: skip
    return Table(title="Writes, notes, rollbacks", columns=("what", "measured"), rows=rows)


def _bars(result: Retrieval, found: Sequence[Found], writes: Writes) -> tuple[Bar, ...]:
    gain = result.recall_at_1 - result.bm25_recall_at_1
    return (
        Bar(
            what="rollbacks that are exact",
            bar="1.0",
            measured=f"{result.rollback_exact:.4f}",
            is_met=result.rollback_exact == 1.0,
            is_promise=True,
        ),
        at_least("recall@1 above plain BM25", gain, GAIN_MIN, form="+.3f"),
        *(_search_bar(one, one.p95_ms) for one in found if one.way == "hybrid"),
        *(
            _search_bar(one, one.busy_p95_ms, f" beside indexing, {one.busy_searches} searches")
            for one in found
            if one.busy_searches
        ),
        at_most(
            f"{writes.index_files:,} files, first write until all are found",
            writes.index_s,
            INDEX_1000_S_MAX,
            " s",
        ),
    )


def _search_bar(ours: Found, p95_ms: float, beside: str = "") -> Bar:
    most = min(files for files in P95_MS_MAX if files >= ours.files)
    what = f"search of {ours.files:,} files ({ours.corpus}){beside}, p95"
    return at_most(what, p95_ms, P95_MS_MAX[most], " ms", ".1f")
