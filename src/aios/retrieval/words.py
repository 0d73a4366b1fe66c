"""Texts to words: folded, taken apart where people put words together, dates in one form. Pure.

Knows no index. What a reader would write in another way is found by adding, not by replacing:
`Words.main` are the words in their order, `Words.extra` other forms of some of them (the whole of
a name that was taken apart, dates as 20240305, the initials of a long name).
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

STOP_WORDS = frozenset((
    "a", "about", "after", "all", "also", "am", "an", "and", "any", "are", "as", "at", "be",
    "been", "being", "before", "between", "both", "but", "by", "can", "could", "did", "do",
    "does", "doing", "for", "from", "had", "has", "have", "having", "he", "her", "hers", "him",
    "his", "how", "i", "if", "in", "into", "is", "it", "its", "just", "may", "me", "might",
    "more", "most", "must", "my", "no", "nor", "not", "of", "on", "once", "only", "or", "other",
    "our", "ours", "out", "over", "own", "same", "shall", "she", "should", "so", "some", "such",
    "than", "that", "the", "their", "theirs", "them", "then", "there", "these", "they", "this",
    "those", "to", "too", "under", "until", "up", "very", "was", "we", "were", "what", "when",
    "where", "which", "while", "who", "whom", "whose", "why", "will", "with", "would", "you",
    "your", "yours",
))  # fmt: skip

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH_OF = {name: number for number, name in enumerate(_MONTHS, 1)}
_MONTH = r"(?P<month>jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}\.?"
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th|\.)?"
_YEAR = r"(?P<year>[12]\d{3})"
_DATES = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"\b{_YEAR}[-/._](?P<number>\d{{1,2}})(?:[-/._](?P<day>\d{{1,2}}))?(?!\d)",
        rf"\b(?P<day>\d{{1,2}})[./](?P<number>\d{{1,2}})[./]{_YEAR}\b",
        rf"\b(?:{_DAY}\s+(?:of\s+)?)?{_MONTH},?\s+{_YEAR}\b",
        rf"\b{_MONTH}\s+{_DAY},?\s+{_YEAR}\b",
    )
)
_YEAR_ALONE = re.compile(r"(?<!\d)[12]\d{3}(?!\d)")
_WORD = re.compile(r"[^\W_]+")
_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_LONG_NAME = re.compile(r"\b[A-Z][a-z]+(?:[ -](?:(?:of|the|for|de) )?[A-Z][a-z]+){2,5}\b")
_CHAINED = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")  # scripts without spaces
_WORD_LETTERS_MAX = 64
WORDS_CACHED = 20_000
DATE_LETTERS_MAX = 48  # before or after its year


class Words(NamedTuple):
    """The words of a text in order, and other forms under which it should be found."""

    main: list[str]
    extra: list[str]


def words(text: str) -> Words:
    """Folded words of any text."""
    found = _WORD.findall(text)
    apart = {word: _taken_apart(word[:_WORD_LETTERS_MAX]) for word in filter(_is_odd, set(found))}
    extra: list[str] = []
    if apart:
        found, odd = [], found
        for word in odd:
            parts = apart.get(word)
            if parts is None:
                found.append(word)
            else:
                found += parts.main
                extra += parts.extra
    extra.extend(dates(text))
    extra.extend(initials(text))
    return Words(found, extra)


def _is_odd(word: str) -> bool:
    """Whether a word is not found as it stands; nearly all are."""
    is_plain = word.isascii() and word.islower() and word.isalpha()
    return not is_plain or len(word) > _WORD_LETTERS_MAX


def fold(text: str) -> str:
    """Case and accents away."""
    if text.isascii():
        return text.lower()
    return _without_marks(text.casefold())


def dates(text: str) -> Iterator[str]:
    """Every date of the text as 20240305, and its month as 202403."""
    for start, end in _around_years(text):
        for pattern in _DATES:
            for match in pattern.finditer(text, start, end):
                yield from _date(match.groupdict())


def initials(text: str) -> Iterator[str]:
    """What people shorten the text's long names to: "ecb" for European Central Bank."""
    for match in _LONG_NAME.finditer(text):
        yield "".join(filter(str.isupper, match.group())).lower()


def _around_years(text: str) -> Iterator[tuple[int, int]]:
    """Where dates may be, apart from each other: nothing else is looked at four times."""
    start = end = 0
    for year in _YEAR_ALONE.finditer(text):
        if end and year.start() - DATE_LETTERS_MAX > end:
            yield start, end
            end = 0
        if not end:
            start = max(0, year.start() - DATE_LETTERS_MAX)
        end = year.end() + DATE_LETTERS_MAX
    if end:
        yield start, end


def _without_marks(text: str) -> str:
    apart = unicodedata.normalize("NFKD", text)
    return "".join(letter for letter in apart if not unicodedata.combining(letter))


@lru_cache(WORDS_CACHED)
def _taken_apart(word: str) -> Words:
    """What one word is found under; nobody changes the lists."""
    if not word.isascii() and _CHAINED.search(word):
        folded = "".join(_WORD.findall(fold(word)))  # folding may take a sign apart: "¼"
        return Words([folded[at : at + 2] for at in range(max(1, len(folded) - 1))], [])
    plain = _without_marks(word)
    parts = _PART.findall(plain) if plain.isascii() else []
    whole = _WORD.findall(fold(word))
    if len(parts) > 1:
        return Words([part.lower() for part in parts], whole)
    return Words(whole, [])


def _date(found: dict[str, str | None]) -> Iterator[str]:
    name, digits = found.get("month"), found.get("number")
    month = _MONTH_OF[name.lower()] if name else int(digits or 0)
    if not 1 <= month <= 12:
        return
    yield f"{found['year']}{month:02}"
    if found.get("day"):
        yield f"{found['year']}{month:02}{int(found['day'] or 0):02}"
