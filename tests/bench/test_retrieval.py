"""The retrieval benchmark on few files: its corpora are fair, its figures are what they say."""

import asyncio
from random import Random

import msgspec

from aios.bench.corpus import SHARES, Corpus, Question, TextFile, generated, misspelt
from aios.bench.corpus_words import OFFICE, VOYAGE
from aios.bench.retrieval import Size, both, headline, measured, plain_bm25, recall
from aios.bench.retrieval_home import Home, create_all, files_settled, open_home, pending
from aios.bench.retrieval_rollback import Rollbacks, Version, call_for, roll_back_all
from aios.bench.stdlib_text import library_corpus
from aios.bench.table import quiet
from aios.sdk.client import Client
from aios.sdk.files import Files
from aios.syscalls.file import FileData, RollbackFile

PROSE = ("It rained the whole day.", "Nobody had thought of the consequences.")


class _Typos(Files):
    """Reads what nobody wrote."""

    async def read(
        self,
        path: str,
        offset: int = 0,
        length: int | None = None,
        version: int | None = None,
        owner: str = "",
    ) -> FileData:
        found = await super().read(path, offset, length, version, owner)
        return FileData(data=found.data + b"!", total_bytes=found.total_bytes, version=0)


class _WithTypos(Home):
    """A home whose agents read with typos."""

    async def agent(self, name: str) -> Client:
        client = await Home.agent(self, name)
        client.files = _Typos(client)
        return client


async def _rolled_back(kind: type[Home], files: int) -> Rollbacks:
    async with open_home(0) as home:
        return await roll_back_all(kind(home.folder, home.first), files, 0)


def _office(seed: int = 0) -> Corpus:
    return generated("office", OFFICE, PROSE, (120, 60), seed)


def test_the_same_seed_makes_the_same_corpus_and_another_another() -> None:
    assert _office() == _office()
    assert _office() != _office(1)


def test_every_kind_of_question_is_asked_in_its_share() -> None:
    kinds = [one.kind for one in generated("x", VOYAGE, PROSE, (400, 4_000), 3).questions]
    for kind, share in SHARES.items():
        assert 0.8 * share < 100 * kinds.count(kind) / len(kinds) < 1.2 * share


def test_a_question_names_the_person_and_only_one_file_has_that_person_with_the_thing() -> None:
    corpus = _office()
    texts = {file.path: file.text for file in corpus.files}
    for question in corpus.questions:
        if question.kind == "plain":
            named = [word for word in question.text.split() if word[0].isupper()]
            assert all(word.strip(",.?") in texts[question.answer] for word in named[:1])


def test_the_two_stocks_share_no_topic() -> None:
    assert not {one.name for one in OFFICE.topics} & {one.name for one in VOYAGE.topics}


def test_a_slip_changes_a_word_only_inside() -> None:
    words = {misspelt("laboratory", Random(seed)) for seed in range(50)}
    assert len(words - {"laboratory"}) > 30
    assert all(word[0] == "l" for word in words)


def test_the_library_has_no_question_in_its_answer() -> None:
    corpus = library_corpus(100, 0)
    texts = {file.path: file.text for file in corpus.files}
    assert len(corpus.questions) == 100
    assert not any(question.text in texts[question.answer] for question in corpus.questions)


def test_plain_bm25_stems_and_takes_any_word() -> None:
    files = [TextFile("a.txt", "she walked home", 0.0), TextFile("b.txt", "a house", 0.0)]
    find = plain_bm25(files)
    assert asyncio.run(find("who walks?")) == ["a.txt"]


def test_recall_counts_questions_whose_file_is_among_the_first() -> None:
    asked = Question("?", "plain", "a")
    ranked = [(asked, ["a", "b"]), (asked, ["b", "a"]), (asked, ["b"]), (asked, [])]
    assert (recall(ranked, 1), recall(ranked, 2), recall([], 1)) == (0.25, 0.5, 0.0)


def test_search_through_the_kernel_is_measured_beside_bm25_and_beats_it() -> None:
    ours, plain = asyncio.run(both(_office(), 0))
    assert (ours.way, plain.way) == ("hybrid", "BM25")
    assert ours.recall_at_1 >= plain.recall_at_1 + 0.03
    assert 0 < ours.p50_ms <= ours.p95_ms
    assert ours.index_s > 0


def test_files_are_found_by_their_own_agent_once_they_are_settled() -> None:
    async def search() -> tuple[list[str], list[str], int]:
        async with open_home(0) as home:
            owner, other = await home.agent("owner"), await home.agent("other")
            await create_all(owner, [TextFile("a/walk.txt", "she walked home", 0.0)])
            await files_settled(owner)
            found = [await agent.files.search("walking home") for agent in (owner, other)]
            mine, theirs = ([one.file.path for one in each.files] for each in found)
            return mine, theirs, await pending(owner)

    assert asyncio.run(search()) == (["a/walk.txt"], [], 0)


def test_a_home_without_an_index_takes_files_and_finds_none() -> None:
    async def search() -> int:
        async with open_home(0, is_indexed=False) as home:
            agent = await home.agent("writer")
            await agent.files.create("walk.txt", "she walked home")
            return len((await agent.files.search("walked")).files)

    assert asyncio.run(search()) == 0


def test_the_three_ways_to_roll_back_name_the_same_version() -> None:
    record = [Version(number, b"", 10.0 * number) for number in (1, 3, 4)]
    calls = [call_for("a", way, record, 0) for way in ("steps", "time", "version")]
    assert calls == [
        RollbackFile(path="a", steps=2),
        RollbackFile(path="a", time=10.0),
        RollbackFile(path="a", version=1),
    ]


def test_files_of_every_history_come_back_as_the_bench_has_them_on_record() -> None:
    found = asyncio.run(_rolled_back(Home, 8))
    assert found.asked == found.exact == 96
    assert found.ways == {"steps": 32, "time": 32, "version": 32}
    assert found.changes == dict.fromkeys((
        "text", "binary", "empty", "appended", "moved", "deleted and restored",
        "edited in place outside", "replaced outside",
    ), 12)  # fmt: skip
    assert found.versions == found.versions_exact


def test_a_content_that_comes_back_wrong_is_no_exact_rollback() -> None:
    found = asyncio.run(_rolled_back(_WithTypos, 1))
    assert (found.share, found.versions_exact) == (0.0, 0)


def test_a_run_reports_the_documented_fields_and_fails_where_a_rollback_is_not_exact() -> None:
    size = Size(
        files=60, tuned_files=60, questions=10, many_files=80, many_questions=10, backlog=20,
        indexed_files=40, writes=3, notes=20, rolled_back=2,
    )  # fmt: skip
    report = asyncio.run(measured(size, 0, quiet))
    fields = {
        "files", "recall_at_1", "recall_at_5", "bm25_recall_at_1", "p95_ms", "rollback_exact",
    }  # fmt: skip
    assert set(msgspec.to_builtins(report.result)) == fields
    assert [bar.what for bar in report.bars if bar.is_promise] == ["rollbacks that are exact"]
    assert report.result == headline(report.more["found"], report.more["rollbacks"])
