"""The index: what is found, by whom, and what happens when its files are not as they were."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aios.errors import Busy, Damaged
from aios.retrieval.base import Query
from aios.retrieval.index import HybridIndex
from aios.retrieval.ngrams import NgramEmbedder
from aios.syscalls.note import SearchMode
from tests.retrieval.documents import Meanings, document


@pytest.fixture
def index(tmp_path: Path) -> Iterator[HybridIndex]:
    opened = HybridIndex(tmp_path, NgramEmbedder(64))
    yield opened
    opened.close()


def ids(index: HybridIndex, text: str, mode: SearchMode = SearchMode.KEYWORD, limit: int = 10,
        scope: str = "anna") -> list[str]:  # fmt: skip
    query = Query(text=text, scopes=(scope,), limit=limit, mode=mode)
    return [hit.id for hit in index.search(query)]


@pytest.mark.parametrize(
    ("text", "question"),
    [
        ("the timetable of the ferries", "timetabel"),
        ("the timetable of the ferries", "time table"),
        ("he fixed the data base", "database"),
        ("Germany in spring", "german"),
        ("on 3 March 2024 it rained", "2024-03-03"),
        ("the European Central Bank", "ECB"),
        ("ask the ECB", "European Central Bank"),
        ("see BudgetReport2024", "budget report"),
        ("a walk", "WALKING"),
        ("東京都庁の会議", "東京都庁"),
    ],
)
def test_a_document_is_found_by_other_writings_of_its_words(
    index: HybridIndex, text: str, question: str
) -> None:
    index.put([document("it", text), document("other", "nothing of the kind at all")])
    assert ids(index, question) == ["it"]


def test_words_near_each_other_in_the_question_are_wanted_near_each_other(
    index: HybridIndex,
) -> None:
    filler = "and then there was much rain over the whole valley " * 3
    index.put([
        document("apart", f"Anna Weber came. {filler} Boris Keller went."),
        document("together", f"Anna Keller came. {filler} Boris Weber went."),
        *(document(f"other{number}", filler) for number in range(20)),
    ])  # fmt: skip
    assert ids(index, "Keller, Anna")[0] == "together"


def test_a_word_of_the_title_weighs_more_than_one_of_the_text(index: HybridIndex) -> None:
    index.put([
        document("text", "a long story of a harbour and of many other things"),
        document("title", "a long story of a city and of many other things", title="harbour"),
        *(document(f"other{number}", "a long story") for number in range(9)),
    ])  # fmt: skip
    assert ids(index, "harbour") == ["title", "text"]


def test_of_equal_documents_the_newest_is_first(index: HybridIndex) -> None:
    index.put([document(f"at{time}", "the same words", time=time) for time in (2.0, 9.0, 5.0)])
    assert ids(index, "words", SearchMode.HYBRID) == ["at9.0", "at5.0", "at2.0"]


def test_meaning_finds_what_shares_no_word(tmp_path: Path) -> None:
    index = HybridIndex(tmp_path, Meanings())
    index.put([document("car", "automobile"), document("water", "stream")])
    hits = index.search(Query(text="vehicle", scopes=("anna",), limit=1))
    assert (hits[0].id, hits[0].keyword_rank, hits[0].semantic_rank) == ("car", None, 1)


def test_hits_tell_the_rank_of_each_way(index: HybridIndex) -> None:
    index.put([document("a", "violin lesson"), document("b", "cello lesson")])
    hits = index.search(Query(text="violin", scopes=("anna",), limit=1))
    assert (hits[0].id, hits[0].keyword_rank, hits[0].semantic_rank) == ("a", 1, 1)


@pytest.mark.parametrize("mode", SearchMode)
def test_nobody_finds_what_lies_in_another_scope(index: HybridIndex, mode: SearchMode) -> None:
    index.put([document("hers", "secret plan"), document("his", "secret plan", scope="boris")])
    assert ids(index, "secret plan", mode) == ["hers"]
    assert ids(index, "secret plan", mode, scope="nobody") == []


@pytest.mark.parametrize("mode", SearchMode)
def test_ids_outside_of_the_scope_are_found_when_they_are_named(
    index: HybridIndex, mode: SearchMode
) -> None:
    index.put([document(id, "secret plan", scope="boris") for id in ("shared", "private")])
    query = Query(text="secret plan", scopes=("anna",), limit=9, mode=mode, also=("shared",))
    assert [hit.id for hit in index.search(query)] == ["shared"]


@pytest.mark.parametrize("mode", SearchMode)
def test_only_the_named_ids_are_found_however_far_down_they_are(
    index: HybridIndex, mode: SearchMode
) -> None:
    index.put([document(f"d{number}", "apple " * (number + 1)) for number in range(300)])
    query = Query(text="apple", scopes=("anna",), limit=9, mode=mode, only=("d3", "d250", "none"))
    assert {hit.id for hit in index.search(query)} == {"d3", "d250"}


def test_a_small_scope_is_searched_whole_among_many_others(index: HybridIndex) -> None:
    index.put([document(f"b{number}", "apple pie", scope="boris") for number in range(3_000)])
    index.put([document("hers", "a pie that holds no fruit at all but a lot of pepper and salt")])
    assert ids(index, "pie") == ["hers"]


@pytest.mark.parametrize("mode", SearchMode)
def test_what_was_replaced_or_removed_is_found_no_more(
    index: HybridIndex, mode: SearchMode
) -> None:
    index.put([document("a", "violin"), document("b", "trumpet")])
    index.put([document("a", "cello")])
    index.remove(["b", "never there"])
    found = index.search(Query(text="violin trumpet cello", scopes=("anna",), limit=9, mode=mode))
    assert [hit.id for hit in found] == ["a"]
    assert ids(index, "violin") == []


def test_a_freed_place_is_given_to_a_new_document_with_nothing_of_the_old(
    index: HybridIndex,
) -> None:
    index.put([document("old", "violin", scope="boris")])
    index.remove(["old"])
    index.put([document("new", "cello")])
    assert ids(index, "violin cello", SearchMode.HYBRID) == ["new"]
    assert ids(index, "violin", SearchMode.HYBRID, scope="boris") == []


@settings(max_examples=60, deadline=None)
@given(
    text=st.text(max_size=80) | st.sampled_from(['"', "a AND (", "NEAR(", "x:y*", "-", "\x00", "'"])
)
def test_any_text_is_a_question(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    index = HybridIndex(tmp_path_factory.mktemp("index"), NgramEmbedder(16))
    index.put([document("a", f"{text} words")])
    for mode in SearchMode:
        ids(index, text, mode)
    index.close()


def test_a_question_of_the_commonest_word_is_answered_by_the_newest(
    index: HybridIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aios.retrieval.keywords.ROWS_MAX", 10)
    index.put([document(f"d{at}", "apple pie", time=float(at)) for at in range(2_100)])
    assert ids(index, "apple", limit=1) == ["d2099"]


def test_what_may_have_been_meant_counts_even_where_too_many_documents_have_it(
    index: HybridIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aios.retrieval.keywords.ROWS_MAX", 10)
    index.put([document(f"d{at}", "apple pie") for at in range(2_100)])
    index.put([document(what, f"pear {what}") for what in ("tart", "apple", "cake")])
    assert ids(index, "pear aple", limit=1) == ["apple"]
    assert len(ids(index, "pear aple", limit=9)) == 3
    assert len(ids(index, "aple", limit=9)) == 9


def test_what_was_put_is_there_after_opening_again(tmp_path: Path) -> None:
    index = HybridIndex(tmp_path, NgramEmbedder(64))
    assert not index.is_whole
    index.put([document("a", "violin")])
    index.now_whole()
    index.close()
    again = HybridIndex(tmp_path, NgramEmbedder(64))
    assert again.is_whole
    assert ids(again, "violin", SearchMode.SEMANTIC) == ["a"]
    again.close()


def test_a_failing_embedder_leaves_the_words_and_is_caught_up(tmp_path: Path) -> None:
    embedder = Meanings()
    embedder.fault = "out of order"
    index = HybridIndex(tmp_path, embedder)
    index.put([document("a", "automobile")])
    assert ids(index, "automobile", SearchMode.HYBRID) == ["a"]
    assert (index.embedder_fault, index.without_vector(9)) == ("out of order", ["a"])
    with pytest.raises(Busy, match="out of order"):
        ids(index, "vehicle", SearchMode.SEMANTIC)
    embedder.fault = ""
    index.put([document("a", "automobile")])
    assert ids(index, "vehicle", SearchMode.SEMANTIC) == ["a"]
    assert (index.embedder_fault, index.without_vector(9)) == ("", [])


def test_vectors_of_another_embedder_are_made_again_and_words_stay(tmp_path: Path) -> None:
    first = HybridIndex(tmp_path, Meanings())
    first.put([document("a", "automobile")])
    first.now_whole()
    first.close()
    again = HybridIndex(tmp_path, Meanings("others", 16))
    assert again.is_whole
    assert again.without_vector(9) == ["a"]
    assert ids(again, "automobile") == ["a"]
    assert ids(again, "vehicle", SearchMode.SEMANTIC) == []


@pytest.mark.parametrize("keep", [0, 64])
def test_vectors_that_are_cut_off_are_made_again(tmp_path: Path, keep: int) -> None:
    first = HybridIndex(tmp_path, Meanings())
    first.put([document(f"d{number}", "car") for number in range(9)])
    first.close()
    path = tmp_path / "vectors.f32"
    path.write_bytes(path.read_bytes()[:keep])
    again = HybridIndex(tmp_path, Meanings())
    assert len(again.without_vector(99)) == 9


@pytest.mark.parametrize("damage", [b"", b"not a database at all" * 400])
def test_a_database_that_cannot_be_read_is_begun_anew(tmp_path: Path, damage: bytes) -> None:
    first = HybridIndex(tmp_path, NgramEmbedder(64))
    first.put([document("a", "violin")])
    first.now_whole()
    first.close()
    (tmp_path / "index.db").write_bytes(damage)
    again = HybridIndex(tmp_path, NgramEmbedder(64))
    assert (again.is_whole, again.count) == (False, 0)
    again.put([document("b", "cello")])
    assert ids(again, "violin cello", SearchMode.HYBRID) == ["b"]


def test_damage_that_is_found_later_is_told_and_mended_by_beginning_anew(tmp_path: Path) -> None:
    index = HybridIndex(tmp_path, NgramEmbedder(64))
    index.put([document(f"d{number}", "violin") for number in range(9)])
    path = tmp_path / "vectors.f32"
    with path.open("r+b") as file:
        file.write(b"\xff\xff\xff\x7f")
    with pytest.raises(Damaged):
        ids(index, "violin", SearchMode.HYBRID)
    index.begin_anew()
    index.put([document("a", "violin")])
    assert ids(index, "violin", SearchMode.HYBRID) == ["a"]


def test_tending_ends_and_changes_no_answer(index: HybridIndex) -> None:
    for number in range(40):
        index.put([document(f"d{number}", f"{number * 1_001} sonata")])
    rounds = 0
    while index.tend():
        rounds += 1
    assert 0 < rounds < 20
    assert not index.tend()
    assert ids(index, "7007") == ["d7"]
    assert len(ids(index, "sonata", limit=99)) == 40


def test_searches_beside_a_writer_find_whole_documents_of_their_scope(tmp_path: Path) -> None:
    index = HybridIndex(tmp_path, NgramEmbedder(64))
    index.put([document("hers", "violin sonata")])
    stop = threading.Event()

    def write() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            index.put([document(f"b{number % 7}", "violin sonata", scope="boris")])
            index.remove([f"b{(number + 3) % 7}"])

    writer = threading.Thread(target=write)
    writer.start()
    try:
        found = [ids(index, "violin sonata", SearchMode.HYBRID) for _ in range(200)]
    finally:
        stop.set()
        writer.join()
    assert found == [["hers"]] * 200
