"""A stranger's text made plain: what a person would not see is written out. Pure.

Terminals obey control characters, models read what people are not shown: both are told the same.
"""

import re
import unicodedata
from collections.abc import Mapping
from typing import Any

from aios.errors import InvalidArgument

DEPTH_MAX = 32  # of a schema
PROSE = frozenset({"description", "title", "$comment"})  # keywords that only tell
_KEPT = "\n\t"
# Printable to Python, blank to a reader: joiners, fillers, selectors of variants.
_BLANK = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0"
                    "\U000e0100-\U000e01ef]")  # fmt: skip
_EMOJI = "\ufe0f"  # asks for the coloured form of the sign before it


def visible(text: str) -> str:
    """The text with every control and invisible character as `\\u{...}`."""
    if text.isascii() and text.isprintable():
        return text
    before = " " + text
    return "".join(_shown(letter, before[at]) for at, letter in enumerate(text))


def visible_schema(schema: Any, where: str = "", depth: int = 0) -> Any:
    """The schema with its prose made visible.

    Raises `InvalidArgument` where names or values hide something: to change those would be to
    change what the schema says; and for one too deep.
    """
    if depth > DEPTH_MAX:
        raise InvalidArgument(f"expected a schema of at most {DEPTH_MAX} levels")
    if isinstance(schema, Mapping):
        return {
            _plain(str(name), where): visible(part)
            if name in PROSE and isinstance(part, str)
            else visible_schema(part, f"{where}.{name}".lstrip("."), depth + 1)
            for name, part in schema.items()
        }
    if isinstance(schema, list):
        return [visible_schema(part, where, depth + 1) for part in schema]
    return _plain(schema, where) if isinstance(schema, str) else schema


def _shown(letter: str, before: str) -> str:
    if letter in _KEPT:
        return letter
    if letter == _EMOJI and unicodedata.category(before) == "So":
        return letter
    if letter.isprintable() and not _BLANK.match(letter):
        return letter
    if unicodedata.category(letter) == "Zs":
        return " "
    return f"\\u{{{ord(letter):x}}}"


def _plain(text: str, where: str) -> str:
    if visible(text) != text:
        raise InvalidArgument(
            f"{visible(where)[:80] or 'schema'}: expected text without hidden characters, got "
            f"{visible(text)[:80]!r}"
        )
    return text
