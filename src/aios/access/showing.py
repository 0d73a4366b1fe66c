"""Arguments as a human sees them, as JSON: whole, or short enough to be read at a glance.

Shortened, every name and every part of a list is there still: a long text is cut by itself, and its
length told, so that nothing hides behind something long. Pure.
"""

import json
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256

import msgspec

SHOWN_MAX = 4_000  # characters that are shown as they are
PARTS = (1_000, 250, 60)  # of a text where all is more than that: the first that makes it fit
NAMES_MAX = 16_000  # where even the last does not: what nobody reads is not shown in pieces
DEPTH_MAX = 100

Hide = Callable[[str], str]
Plain = dict[str, "Plain"] | list["Plain"] | str | bytes | int | float | None


def plain(arguments: object, hide: Hide) -> Plain:
    """As names and values, bytes as the text they are. `hide` takes secrets out of each text."""
    return _plain(arguments, hide, DEPTH_MAX)


def whole(arguments: Plain) -> str:
    """Everything."""
    return _json(arguments, _in_full)


def brief(arguments: Plain) -> str:
    """The same for a list of questions: what is long is cut, and says so."""
    everything = whole(arguments)
    if len(everything) <= SHOWN_MAX:
        return everything
    text = ""
    for most in PARTS:
        text = _json(_cut(arguments, most), _by_hash)
        if len(text) <= SHOWN_MAX:
            return text
    if len(text) <= NAMES_MAX:
        return text
    return json.dumps(f"{len(everything)} characters, too many parts to show here: see it in full")


def cut(text: str, most: int) -> str:
    """The end is seen too, and how much is not."""
    if len(text) <= most:
        return text
    half = most // 2
    left_out = f"{len(text) - 2 * half} of {len(text)} characters left out"
    return f"{text[:half]} ... {left_out} ... {text[-half:]}"


def _plain(value: object, hide: Hide, depth: int) -> Plain:
    if isinstance(value, bytes):
        try:
            return hide(value.decode())
        except UnicodeDecodeError:
            return value
    if isinstance(value, int | float | None):
        return value
    if isinstance(value, str) or not depth:
        return hide(str(value))
    if isinstance(value, msgspec.Struct):
        return _named(_fields(value, is_inner=depth < DEPTH_MAX), hide, depth)
    if isinstance(value, Mapping):
        return _named(value, hide, depth)
    if isinstance(value, Sequence):
        return [_plain(one, hide, depth - 1) for one in value]
    return hide(str(value))


def _fields(value: msgspec.Struct, *, is_inner: bool) -> dict[str, object]:
    """What a part of a call is, as it is not told elsewhere, and its fields."""
    fields = {name: getattr(value, name) for name in value.__struct_fields__}
    config = value.__struct_config__
    is_tagged = is_inner and config.tag_field is not None
    return {str(config.tag_field): config.tag, **fields} if is_tagged else fields


def _named(values: Mapping[object, object] | dict[str, object], hide: Hide, depth: int) -> Plain:
    made: dict[str, Plain] = {}
    for key, one in values.items():
        name = hide(str(key))
        while name in made:  # Two names in which the same is hidden.
            name += "'"
        made[name] = _plain(one, hide, depth - 1)
    return made


def _cut(value: Plain, most: int) -> Plain:
    if isinstance(value, str):
        return cut(value, most)
    if isinstance(value, dict):
        return {name: _cut(one, most) for name, one in value.items()}
    if isinstance(value, list):
        return [_cut(one, most) for one in value]
    return value


def _json(value: Plain, of_bytes: Callable[[bytes], str]) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=of_bytes)


def _by_hash(data: bytes) -> str:
    return f"{len(data)} bytes, SHA-256 {sha256(data).hexdigest()}"


def _in_full(data: bytes) -> str:
    return f"{_by_hash(data)}, in base64 {b64encode(data).decode()}"
