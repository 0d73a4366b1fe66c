"""Texts to words."""

from hypothesis import example, given
from hypothesis import strategies as st

from aios.retrieval.words import dates, initials, words


def test_names_that_were_put_together_are_found_by_their_parts_and_whole() -> None:
    found = words("src/budgetReport_final-v2.md")
    assert found.main == ["src", "budget", "report", "final", "v", "2", "md"]
    assert found.extra == ["budgetreport", "v2"]


def test_case_and_accents_do_not_tell_words_apart() -> None:
    assert words("Müller STRASSE straße").main == ["muller", "strasse", "strasse"]


def test_a_day_is_the_same_word_however_it_is_written() -> None:
    ways = ("2024-03-05", "5 March 2024", "March 5, 2024", "5.3.2024", "5th of Mar. 2024",
            "2024/03/05", "Mar 5th 2024")  # fmt: skip
    assert [set(dates(way)) for way in ways] == [{"20240305", "202403"}] * len(ways)


def test_a_month_that_is_none_is_no_date() -> None:
    assert list(dates("2024-13-05 and 2024-00")) == []


def test_long_names_are_also_found_by_their_initials() -> None:
    assert list(initials("of the European Central Bank and Anna Keller")) == ["ecb"]


def test_scripts_without_spaces_become_pairs_of_letters() -> None:
    assert words("東京都").main == ["東京", "京都"]


@given(st.text())
@example("¼㐀")
def test_any_text_has_words_that_are_letters_and_digits(text: str) -> None:
    found = words(text)
    assert all(word.isalnum() for word in (*found.main, *found.extra))
