"""What in a file is text, and which of its lines say what was looked for. Pure functions."""

import re
from collections.abc import Collection, Iterable

SNIFF_BYTES = 8_192
SNIPPET_LINES = 3
SNIPPET_CHARS = 400
_WORD = re.compile(r"\w+")


def as_text(data: bytes) -> str | None:
    """The text that these bytes are, or None: UTF-8 without NUL, as no binary format is."""
    if b"\0" in data[:SNIFF_BYTES]:
        return None
    try:
        return data.decode()
    except UnicodeDecodeError:
        return None


def snippet(text: str, query: str) -> str:
    """The few lines that have the most of the query's words; the first lines where none has."""
    words = {word.casefold() for word in _WORD.findall(query)}
    lines = [line for line in text.splitlines() if line.strip()]
    if not lines:
        return ""
    hits = [_hits(line.casefold(), words) for line in lines]
    best = max(range(len(lines)), key=lambda place: sum(hits[place : place + SNIPPET_LINES]))
    if hits[best] == 0:
        best = next((place for place in range(best, len(lines)) if hits[place]), best)
    return _cut(lines[best : best + SNIPPET_LINES], words)


def _hits(line: str, words: Collection[str]) -> int:
    """How many of the words, or longer ones that begin with them, a folded line has."""
    return sum(word in line and _begins(line, word) for word in words)


def _begins(line: str, word: str) -> bool:
    """Whether a word of the line begins with `word`, which is somewhere in it."""
    place = line.find(word)
    while place > 0 and _WORD.match(line[place - 1]):
        place = line.find(word, place + 1)
    return place >= 0


def _cut(lines: Iterable[str], words: set[str]) -> str:
    """The lines within the size; a long first one from a bit before its first match on."""
    text = "\n".join(line.strip() for line in lines)
    if len(text) <= SNIPPET_CHARS:
        return text
    folded = text.casefold()
    places = [place for word in words if (place := folded.find(word)) >= 0]
    start = max(0, min(places, default=0) - SNIPPET_CHARS // 4)
    return text[start : start + SNIPPET_CHARS]
