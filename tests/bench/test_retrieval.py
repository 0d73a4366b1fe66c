"""The retrieval benchmark on few files: its corpora are fair, its figures are what they say."""

from random import Random

import msgspec

from aios.bench.corpus import SHARES, Corpus, Question, TextFile, generated, misspelt
from aios.bench.corpus_words import OFFICE, VOYAGE
from aios.bench.retrieval import _both, headline, plain_bm25, recall
from aios.bench.stdlib_text import library_corpus

PROSE = ("It rained the whole day.", "Nobody had thought of the consequences.")


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
    assert plain_bm25(files)("who walks?") == ["a.txt"]


def test_recall_counts_questions_whose_file_is_among_the_first() -> None:
    asked = Question("?", "plain", "a")
    ranked = [(asked, ["a", "b"]), (asked, ["b", "a"]), (asked, ["b"]), (asked, [])]
    assert (recall(ranked, 1), recall(ranked, 2), recall([], 1)) == (0.25, 0.5, 0.0)


def test_hybrid_search_is_measured_beside_bm25_and_beats_it() -> None:
    found = _both(_office())
    result = headline(found)
    assert result.recall_at_1 >= result.bm25_recall_at_1 + 0.03
    assert 0 < found[0].p50_ms <= found[0].p95_ms
    fields = {"files", "recall_at_1", "recall_at_5", "bm25_recall_at_1", "p95_ms"}
    assert set(msgspec.to_builtins(result)) == fields
