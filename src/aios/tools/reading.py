"""Arguments as a model wrote them: text to a JSON object, strictly. Knows no schema.

What has more than one meaning is refused: numbers that are none, a name given twice, text that is
no Unicode. Around the object a little is forgiven, where nothing can be lost, and said.
"""

import json
import math
import re
from typing import Any, NamedTuple, NoReturn

from aios.errors import InvalidArgument

BYTES_MAX = 1 << 20
DEPTH_MAX = 64
VALUES_MAX = 20_000
NUMBER_DIGITS_MAX = 300
TEXT_AROUND = "the text around the JSON object was left out"
TRAILING_COMMAS = "trailing commas were left out"
UNQUOTED = "the JSON object was taken out of a string"
FORGIVEN_MAX = 1 << 16  # characters of a text in which anything is forgiven
# A string, or what began as one: possessive, so that no text makes it look twice.
_STRING = r'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)'
_STRINGS = re.compile(_STRING, re.DOTALL)
# Strings are matched first, so that nothing within one is taken for a comma.
_COMMA = re.compile(rf"({_STRING})|,(?=\s*[}}\]])", re.DOTALL)
_ODD = re.compile(r"\\u[dD][89a-fA-F]")


class Read(NamedTuple):
    """The object, and what had to be forgiven."""

    values: dict[str, Any]
    remarks: tuple[str, ...] = ()


def read(text: str) -> Read:
    """The one JSON object in `text`; no text at all means an empty one.

    Raises `InvalidArgument` with what was expected and where.
    """
    _check_size(text)
    stripped = text.strip("\ufeff \t\r\n")
    if not stripped:
        return Read({})
    try:
        found = Read(_DECODER.decode(stripped))
    except json.JSONDecodeError as problem:
        found = _forgiven(stripped, problem)
    except RecursionError:
        raise _too_deep() from None
    if isinstance(found.values, str):
        found = _unquoted(found.values)
    if not isinstance(found.values, dict):
        raise InvalidArgument(f"expected a JSON object, got {_kind(found.values)}")
    _check_shape(stripped, found.values)
    return found


def _forgiven(text: str, problem: json.JSONDecodeError) -> Read:
    """The same with trailing commas, and with text around it."""
    if len(text) > FORGIVEN_MAX:
        raise _malformed(text, problem)
    plain = _COMMA.sub(lambda match: match[1] or "", text)
    remarks = () if plain == text else (TRAILING_COMMAS,)
    try:
        return Read(_DECODER.decode(plain), remarks)
    except json.JSONDecodeError:
        pass
    found = _objects(plain)
    if len(found) == 1:
        return Read(found[0], (*remarks, TEXT_AROUND))
    if found:
        raise InvalidArgument(f"expected one JSON object, got {len(found)}")
    raise _malformed(text, problem)


def _objects(text: str) -> list[dict[str, Any]]:
    """The objects that stand in a text, two at most: more than one is too many."""
    found: list[dict[str, Any]] = []
    at = text.find("{")
    tries = 0
    while at >= 0 and len(found) < 2 and tries < DEPTH_MAX:
        tries += 1
        try:
            value, end = _DECODER.raw_decode(text, at)
        except json.JSONDecodeError:
            # What is broken is not looked into: a part of it would be another object.
            return found if found else _later(text, at)
        found.append(value)
        at = text.find("{", end)
    return found


def _later(text: str, at: int) -> list[dict[str, Any]]:
    """A fence of code says where an object begins that a brace before it does not."""
    fence = text.rfind("```json", at)
    begin = text.find("{", fence) if fence >= 0 else -1
    return _objects(text[begin:]) if begin > at else []


def _unquoted(text: str) -> Read:
    try:
        return Read(_DECODER.decode(text), (UNQUOTED,))
    except (json.JSONDecodeError, RecursionError):
        raise InvalidArgument("expected a JSON object, got a string") from None


def _check_size(text: str) -> None:
    if len(text) > BYTES_MAX:
        raise InvalidArgument(f"expected at most {BYTES_MAX:,} characters, got {len(text):,}")
    if text.count(",") > VALUES_MAX and _STRINGS.sub("", text).count(",") > VALUES_MAX:
        raise _too_many()


def _check_shape(text: str, values: dict[str, Any]) -> None:
    """Depth, number of values, and text that is none; looked at only where there may be such."""
    if text.count("[") + text.count("{") > DEPTH_MAX or text.count(",") > VALUES_MAX // 2:
        _walk(values)
    if _ODD.search(text):
        try:
            json.dumps(values, ensure_ascii=False).encode()
        except UnicodeEncodeError:
            raise InvalidArgument("expected text in Unicode, got half a surrogate pair") from None


def _walk(values: Any) -> None:
    level, count = [values], 0
    for _ in range(DEPTH_MAX + 1):
        inner: list[Any] = []
        for one in level:
            if isinstance(one, dict):
                inner += one.values()
            elif isinstance(one, list):
                inner += one
        count += len(inner)
        if count > VALUES_MAX:
            raise _too_many()
        if not inner:
            return
        level = inner
    raise _too_deep()


def _malformed(text: str, problem: json.JSONDecodeError) -> InvalidArgument:
    near = text[max(0, problem.pos - 20) : problem.pos + 20].replace("\n", " ")
    return InvalidArgument(
        f"expected a JSON object, but {problem.msg} at character {problem.pos + 1}: `{near}`"
    )


def _too_many() -> InvalidArgument:
    return InvalidArgument(f"expected at most {VALUES_MAX:,} values")


def _too_deep() -> InvalidArgument:
    return InvalidArgument(f"expected at most {DEPTH_MAX} levels of objects and arrays")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object none of whose names is given twice."""
    made = dict(pairs)
    if len(made) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise InvalidArgument(f"`{twice[:80]}`: expected once, but it is given twice")
    return made


def _no_number(name: str) -> NoReturn:
    raise InvalidArgument(f"expected a number, got {name}")


def _finite(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise InvalidArgument(f"expected a number that can be held, got {digits[:40]}")
    return value


def _whole(digits: str) -> int:
    if len(digits) > NUMBER_DIGITS_MAX:
        raise InvalidArgument(f"expected a number of at most {NUMBER_DIGITS_MAX} digits")
    return int(digits)


_DECODER = json.JSONDecoder(
    object_pairs_hook=_once, parse_constant=_no_number, parse_float=_finite, parse_int=_whole
)


def _kind(value: object) -> str:
    names: dict[type, str] = {list: "an array", str: "a string", bool: "a boolean"}
    return names.get(type(value), "null" if value is None else "a number")
