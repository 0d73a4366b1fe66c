"""What a tool gave, made fit to be told: typed, encodable, capped. Pure."""

from collections.abc import Sequence
from itertools import zip_longest
from typing import Any, NamedTuple

import msgspec

from aios.syscalls.tool import Content, FileRef, Image, Json, Text, text_of

CONTENTS_MAX = 256
WHOLES_MAX = 8  # of one result
ENDINGS = {"image/png": "png", "image/jpeg": "jpg", "image/gif": "gif", "image/webp": "webp"}
UNTELLABLE = (TypeError, ValueError, OverflowError, RecursionError)


class Whole(NamedTuple):
    """What was cut, as a file has it; its name ends so."""

    ending: str
    data: bytes


def contents_of(value: Any) -> tuple[Content, ...]:
    """A Python value as contents: text as it is, contents as they are, all else as JSON.

    Raises `TypeError` or its like for what is no data.
    """
    if isinstance(value, Content):
        return (value,)
    if isinstance(value, str):
        return (Text(value),)
    if isinstance(value, list | tuple) and value and all(isinstance(one, Content) for one in value):
        return tuple(value)
    # Encoded and read again: what is told is data, and shared with nobody.
    return (Json(msgspec.json.decode(msgspec.json.encode(value))),)


def capped(
    contents: Sequence[Content], bytes_max: int
) -> tuple[tuple[Content, ...], tuple[str, ...]]:
    """At most so many bytes, and a remark for whatever was cut or changed."""
    kept: list[Content] = []
    remarks: list[str] = []
    left = bytes_max
    for one in contents[:CONTENTS_MAX]:
        fit, size, remark = _fit(_clean(one), left)
        left -= size
        kept.append(fit)
        if remark:
            remarks.append(remark)
    if len(contents) > CONTENTS_MAX:
        remarks.append(f"cut: {CONTENTS_MAX} of {len(contents):,} contents")
    return tuple(kept), tuple(dict.fromkeys(remarks))


def wholes(contents: Sequence[Content], kept: Sequence[Content]) -> tuple[Whole, ...]:
    """What `capped` left out of these, whole: all text as one, each image by itself."""
    clean = list(map(_clean, contents))
    cut = [one for one, shown in zip_longest(clean, kept) if one != shown]
    found = [
        Whole(ENDINGS.get(one.media_type, "bin"), one.data) for one in cut if isinstance(one, Image)
    ]
    if any(isinstance(one, Text | Json) for one in cut):
        found.insert(0, _text([one for one in clean if isinstance(one, Text | Json)]))
    return tuple(found[:WHOLES_MAX])


def _text(texts: Sequence[Content]) -> Whole:
    ending = "json" if len(texts) == 1 and isinstance(texts[0], Json) else "txt"
    return Whole(ending, "\n".join(map(text_of, texts)).encode())


def _clean(one: Content) -> Content:
    """Text that can be encoded, also where a tool gave half a surrogate pair."""
    if isinstance(one, Text) and not one.text.isascii():
        return Text(one.text.encode(errors="replace").decode())
    return one


def _fit(one: Content, left: int) -> tuple[Content, int, str]:
    """The content as far as there is room, the bytes it takes, and what was done to it."""
    if isinstance(one, FileRef):
        return one, 0, ""
    if isinstance(one, Image):
        size = len(one.data)
        if size <= left:
            return one, size, ""
        told = f"an image of {size:,} bytes was left out"
        return Text(f"[{told}]"), 0, f"cut: {told}"
    if isinstance(one, Json):
        size = len(msgspec.json.encode(one.value))
        if size <= left:
            return one, size, ""
        one = Text(text_of(one))  # Cut JSON is none.
    data = one.text.encode()
    if len(data) <= left:
        return one, len(data), ""
    shown = data[: max(0, left)].decode(errors="ignore")
    told = f"{len(data) - len(shown.encode()):,} of {len(data):,} bytes of text"
    return Text(shown), left, f"cut: {told} were left out"
