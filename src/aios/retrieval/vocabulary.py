"""The words that the index has seen, and which of them a reader may have meant by another word.

A word that no document holds is taken for another spelling of one that some do: one letter
dropped, added, exchanged or swapped (every word is kept under each of the strings that it becomes
when one letter is dropped, so that two spellings one edit apart meet in a look-up), another ending
on the same beginning, two words written as one or one written as two.
"""

import threading
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import cast

import apsw
from xxhash import xxh3_64_intdigest

from aios.retrieval.closeness import number_of
from aios.retrieval.database import rows

LETTERS_MIN, LETTERS_MAX = 4, 24  # of what is looked up by spelling
ROOT_LETTERS_MIN = 4
ENDING_LETTERS_MAX = 4
ROOTS_MAX = 40
VARIANTS_MAX = 8
SEEN_MAX = 100_000
PORTER = ("porter", ["unicode61", "remove_diacritics", "0"])


class Stemmer:
    """Porter's stems, as SQLite makes them; for any thread."""

    def __init__(self) -> None:
        self._tokenizer = apsw.Connection(":memory:").fts5_tokenizer(*PORTER)
        self._known: dict[str, str] = {}
        self._lock = threading.Lock()
        self._number = lru_cache(SEEN_MAX)(number_of)

    def stems(self, words: Sequence[str]) -> list[str]:
        """One stem a word."""
        known = self._known
        with self._lock:
            if len(known) > SEEN_MAX:
                known.clear()
            for word in words:
                if word not in known:
                    known[word] = self._stem(word)
            return [known[word] for word in words]

    def numbers(self, stems: Sequence[str]) -> list[int]:
        """Their numbers in sequences."""
        return [self._number(stem) for stem in stems]

    def _stem(self, word: str) -> str:
        found = self._tokenizer(
            word.encode(), apsw.FTS5_TOKENIZE_DOCUMENT, None, include_offsets=False
        )
        stems = [str(one[0]) for one in cast(list[tuple[str, ...]], found)]
        return stems[0] if len(stems) == 1 else word


class Vocabulary:
    """What words there are, in the database of the index."""

    def __init__(self) -> None:
        self._seen: set[str] = set()

    def learn(self, connection: apsw.Connection, words: Iterable[str]) -> None:
        """Keep those that are new, in the caller's transaction."""
        if len(self._seen) > SEEN_MAX:
            self._seen.clear()
        new = sorted(word for word in set(words) - self._seen if is_spelling(word))
        self._seen.update(new)
        for word in new:
            connection.execute("INSERT OR IGNORE INTO spellings VALUES (?)", (word,))
            if connection.changes():
                connection.executemany(
                    "INSERT OR IGNORE INTO misspellings VALUES (?, ?)",
                    [(key, word) for key in _keys(word)],
                )

    def forget_seen(self) -> None:
        """After a transaction that was not committed."""
        self._seen.clear()


def is_spelling(word: str) -> bool:
    """Whether a word can be misspelt: it is neither a number nor very short or long."""
    return LETTERS_MIN <= len(word) <= LETTERS_MAX and word.isalpha()


def alike(connection: apsw.Connection, word: str) -> list[str]:
    """Other words one edit away from this one."""
    if not is_spelling(word):
        return []
    keys = _keys(word)
    marks = ",".join("?" * len(keys))
    found = rows(
        connection, f"SELECT DISTINCT word FROM misspellings WHERE key IN ({marks})", tuple(keys)
    )
    near = (str(row[0]) for row in found)
    return sorted(other for other in near if other != word and is_one_edit(word, other))


def same_root(connection: apsw.Connection, word: str) -> list[str]:
    """Other words with the same beginning and another short ending; nearest in length first."""
    if not is_spelling(word):
        return []
    root = word[: max(ROOT_LETTERS_MIN, len(word) - ENDING_LETTERS_MAX + 1)]
    near = rows(
        connection,
        "SELECT word FROM spellings WHERE word >= ? AND word < ? AND length(word) <= ? LIMIT ?",
        (root, root + "\U0010ffff", len(root) + ENDING_LETTERS_MAX, ROOTS_MAX),
    )
    found = [str(row[0]) for row in near if row[0] != word]
    return sorted(found, key=lambda other: (abs(len(other) - len(word)), other))[:VARIANTS_MAX]


def halves(word: str, count: Callable[[str], int]) -> tuple[str, str] | None:
    """The two words that one word is made of, if both are in the documents: the commonest pair."""
    cuts = ((word[:at], word[at:]) for at in range(3, len(word) - 2))
    counted = [(min(count(left), count(right)), left, right) for left, right in cuts]
    best = max(counted, default=(0, "", ""))
    return (best[1], best[2]) if best[0] > 0 else None


def is_one_edit(one: str, other: str) -> bool:
    """Whether one letter dropped, added or exchanged, or two neighbours swapped, is all."""
    if len(one) > len(other):
        one, other = other, one
    if len(other) - len(one) > 1:
        return False
    at = next((at for at, pair in enumerate(zip(one, other, strict=False)) if pair[0] != pair[1]),
              len(one))  # fmt: skip
    if len(one) < len(other):
        return one[at:] == other[at + 1 :]
    swapped = one[at : at + 2][::-1] == other[at : at + 2]
    return one[at + 1 :] == other[at + 1 :] or (swapped and one[at + 2 :] == other[at + 2 :])


def _keys(word: str) -> list[int]:
    """Numbers of the word and of what is left of it without one letter."""
    left = {word, *(word[:at] + word[at + 1 :] for at in range(len(word)))}
    return sorted(
        xxh3_64_intdigest(one.encode()) >> 1 for one in left
    )  # SQLite's integers are signed
