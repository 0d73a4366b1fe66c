"""A request's bytes to typed data, or an error that says what was expected. Knows no protocol.

Unknown fields are ignored; a known one of a wrong type is refused: a boolean is no number.
"""

from functools import cache
from typing import Any, TypeVar

import msgspec

from aios.errors import InvalidArgument

T = TypeVar("T")
DEPTH_MAX = 64  # of a JSON schema; real ones stay below 20


def parsed(body: bytes, kind: type[T]) -> T:
    """The request in `body`."""
    try:
        found: T = _decoder(kind).decode(body)  # type: ignore[arg-type]  # classes hash
    except msgspec.ValidationError as problem:
        raise InvalidArgument(str(problem)) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as problem:
        raise InvalidArgument(f"expected JSON: {problem}") from None
    except RecursionError:
        raise InvalidArgument("expected JSON that is nested less deeply") from None
    return found


def shallow(value: dict[str, Any], what: str) -> dict[str, Any]:
    """The same free-form JSON, proved to be nested within bounds."""
    level: list[Any] = [value]
    for _ in range(DEPTH_MAX):
        level = [inner for outer in level for inner in _inside(outer)]
        if not level:
            return value
    raise InvalidArgument(f"expected {what} nested at most {DEPTH_MAX} deep")


def _inside(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [one for one in value.values() if isinstance(one, dict | list)]
    return [one for one in value if isinstance(one, dict | list)]


@cache
def _decoder(kind: type[Any]) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(kind)
