"""Patterns of names, those of `fnmatch`: what they match, and which covers which. Pure.

A pattern is a row of parts: a star, or a set of characters. Whether one covers another is asked of
the two as automata: walk through the narrow one, and with it all places where the wide one may be
meanwhile; where the narrow one ends and the wide one cannot, it does not cover it. What would take
too long is not proved, and what is not proved is not covered.
"""

from collections.abc import Iterator, Sequence
from fnmatch import translate
from functools import lru_cache
from re import compile as compiled
from sys import maxunicode

from aios.errors import InvalidArgument

ANYTHING = "*"
STEPS_MAX = 20_000
_SPECIAL = frozenset("*?[")

Span = tuple[int, int]  # of code points, both ends included
Part = tuple[Span, ...] | None  # the characters that may stand here; None: a star
_ANY: Part = ((0, maxunicode),)


class Pattern:
    """Use `pattern(text)`: equal ones are parsed once."""

    __slots__ = ("_match", "_parts", "is_anything", "is_plain", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self._parts = tuple(_parsed(text))
        self._match = compiled(translate(text)).match
        self.is_anything = text == ANYTHING
        self.is_plain = not _SPECIAL.intersection(text)

    def matches(self, name: str) -> bool:
        return self.is_anything or self._match(name) is not None

    def reaches_below(self, folder: str) -> bool:
        """Whether it matches anything that a path inside of `folder` could be."""
        machine = _Machine(self._parts)
        places = machine.start
        for char in f"{folder}/" if folder else "":
            places = machine.next(places, ord(char))
        return bool(places)

    def covers(self, narrow: "Pattern") -> bool:
        """Whether all that `narrow` matches is matched: proved, or False."""
        if self.is_anything or self.text == narrow.text:
            return True
        if narrow.is_plain:
            return self.matches(narrow.text)
        return _is_covered(narrow._parts, self._parts)


@lru_cache(maxsize=10_000)
def pattern(text: str) -> Pattern:
    """Raises `InvalidArgument` for what is no pattern."""
    return Pattern(text)


def escaped(name: str) -> str:
    """The pattern that matches this name alone, whatever it is."""
    plain = "".join(f"[{char}]" if char in _SPECIAL else char for char in name)
    return f"[@]{plain[1:]}" if plain.startswith("@") else plain


def _parsed(text: str) -> Iterator[Part]:
    at = 0
    while at < len(text):
        if text[at] != "[":
            if text[at : at + 2] != "**":  # Two stars are as good as one.
                yield _plain(text[at])
            at += 1
            continue
        end = text.find("]", at + (3 if text[at + 1 : at + 2] == "!" else 2))
        if end < 0:
            raise InvalidArgument(
                f"pattern {text!r}: expected `]` after `[`; `[[]` stands for the character itself"
            )
        yield _set(text[at + 1 : end], text)
        at = end + 1


def _plain(char: str) -> Part:
    if char == "*":
        return None
    return _ANY if char == "?" else ((ord(char), ord(char)),)


def _set(body: str, text: str) -> Part:
    negated = body.startswith("!")
    spans, rest = [], body[negated:]
    while rest:
        is_range = rest[1:2] == "-"
        last = rest[2:3] if is_range else rest[0]
        if rest[0] in "-]" or last < rest[0]:
            raise InvalidArgument(
                f"pattern {text!r}: expected characters or ranges such as a-z in [{body}]"
            )
        spans.append((ord(rest[0]), ord(last)))
        rest = rest[3:] if is_range else rest[1:]
    return _others(spans) if negated else tuple(spans)


def _others(spans: Sequence[Span]) -> Part:
    """All characters but those."""
    found, free = [], 0
    for first, last in sorted(spans):
        if first > free:
            found.append((free, first - 1))
        free = max(free, last + 1)
    return (*found, (free, maxunicode))


class _Machine:
    """The parts as an automaton. Places are the bits of an int: bit n where part n comes next."""

    __slots__ = ("_ends", "_parts", "_stars", "_takes", "start")

    def __init__(self, parts: Sequence[Part]) -> None:
        self._parts = parts
        self._stars = sum(1 << at for at, part in enumerate(parts) if part is None)
        self._takes: dict[int, int] = {}  # by character: the parts that it may be
        self._ends = 1 << len(parts)
        self.start = self._closed(1)

    def next(self, places: int, char: int) -> int:
        """After one more character."""
        takes = self._takes.get(char)
        if takes is None:
            takes = self._takes[char] = sum(
                1 << at
                for at, part in enumerate(self._parts)
                if part is not None and any(first <= char <= last for first, last in part)
            )
        return self._closed((places & takes) << 1 | (places & self._stars))

    def has_ended(self, places: int) -> bool:
        return bool(places & self._ends)

    def _closed(self, places: int) -> int:
        """With what lies behind a star, which may stand for nothing; no star follows another."""
        return places | (places & self._stars) << 1


def _is_covered(narrow: Sequence[Part], wide: Sequence[Part]) -> bool:
    chars, mine, theirs = _samples((*narrow, *wide)), _Machine(narrow), _Machine(wide)
    start = (mine.start, theirs.start)
    seen, to_do, steps = {start}, [start], 0
    while to_do:
        places = to_do.pop()
        if mine.has_ended(places[0]) and not theirs.has_ended(places[1]):
            return False
        for char in chars:
            both = (mine.next(places[0], char), theirs.next(places[1], char))
            if both[0] and both not in seen:
                seen.add(both)
                to_do.append(both)
        steps += len(chars)
        if steps > STEPS_MAX:
            return False
    return True


def _samples(parts: Sequence[Part]) -> list[int]:
    """One character for every way in which characters differ to these parts."""
    cuts = {0}
    for part in parts:
        for first, last in part or ():
            cuts |= {first, last + 1}
    return sorted(cut for cut in cuts if cut <= maxunicode)
