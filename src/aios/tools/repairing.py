"""Arguments of the wrong type made right, where nothing can be lost and there is one way only.

What is not here is not repaired: an unknown name, a missing value, a number that would be rounded.
The model is told what was done.
"""

import copy
import json
import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from aios.errors import InvalidArgument
from aios.tools.reading import Read, read

if TYPE_CHECKING:
    import jsonschema_rs

ROUNDS_MAX = 4  # a repaired list may hold what is to be repaired
REMARKS_MAX = 8
SHOWN_MAX = 40  # characters of a value
_WHOLE = re.compile(r"-?(0|[1-9]\d{0,17})")
_NUMBER = re.compile(r"-?(0|[1-9]\d{0,14})(\.\d{1,15})?")
_LEFT_OUT = object()

Path = tuple[str | int, ...]


class _Repair(NamedTuple):
    path: Path
    value: Any
    remark: str


def mended(
    values: dict[str, Any],
    problems: "Sequence[jsonschema_rs.ValidationError]",
    validator: "jsonschema_rs.Validator",
) -> Read | None:
    """A copy with everything repaired, and a remark for each repair. None: not all could be."""
    made = copy.deepcopy(values)
    remarks: list[str] = []
    for _ in range(ROUNDS_MAX):
        repairs = [one for problem in problems[:REMARKS_MAX] if (one := _repair(problem))]
        if len(repairs) < len(problems):
            return None
        for repair in repairs:
            _put(made, repair.path, repair.value)
            remarks.append(repair.remark)
        problems = list(validator.iter_errors(made))
        if not problems:
            return Read(made, tuple(remarks))
    return None


def _repair(problem: "jsonschema_rs.ValidationError") -> _Repair | None:
    path, came = tuple(problem.instance_path), problem.instance
    wanted = _types(problem)
    if not path or not wanted:
        return None
    place = ".".join(map(str, path))
    if came is None and isinstance(path[-1], str):
        return _Repair(path, _LEFT_OUT, f"`{place}`: null was taken as left out")
    for type_name in wanted:
        try:
            value = _WAYS[type_name](came)
        except (KeyError, ValueError):
            continue
        told = f"`{place}`: {_named(came)} was taken as {_named(value)}"
        return _Repair(path, value, told)
    return None


def _types(problem: "jsonschema_rs.ValidationError") -> list[str]:
    """The types that would do at this place, in the schema's order."""
    kind: Any = problem.kind  # its fields depend on its name
    if kind.name == "type":
        return list(kind.types)
    if kind.name in ("anyOf", "oneOfNotValid"):
        inner = [one for branch in kind.context for one in branch]
        here = (one for one in inner if one.instance_path == problem.instance_path)
        return [name for one in here if one.kind.name == "type" for name in one.kind.types]
    return []


def _put(values: Any, path: Path, value: Any) -> None:
    inner = values
    for step in path[:-1]:
        inner = inner[step]
    if value is _LEFT_OUT:
        del inner[path[-1]]
    else:
        inner[path[-1]] = value


def _integer(came: Any) -> int:
    if isinstance(came, str) and _WHOLE.fullmatch(came):
        return int(came)
    raise ValueError


def _number(came: Any) -> float:
    if isinstance(came, str) and _WHOLE.fullmatch(came):
        return int(came)
    if isinstance(came, str) and _NUMBER.fullmatch(came) and str(float(came)) == came:
        return float(came)
    raise ValueError


def _boolean(came: Any) -> bool:
    if isinstance(came, str):
        return {"true": True, "false": False, "True": True, "False": False}[came]
    raise ValueError


def _string(came: Any) -> str:
    """Not of a fraction: `1.10` has become 1.1 already."""
    if isinstance(came, int) and not isinstance(came, bool):
        return str(came)
    raise ValueError


def _array(came: Any) -> list[Any]:
    if isinstance(came, str) and came.lstrip().startswith("["):
        return list(_json(came, list))
    if isinstance(came, list):
        raise ValueError
    return [came]


def _object(came: Any) -> dict[str, Any]:
    if isinstance(came, str):
        return dict(_json(came, dict))
    raise ValueError


def _json(text: str, kind: type[Any]) -> Any:
    """What a string holds, by the same strict rules as all arguments."""
    try:
        value = read(f'{{"value": {text}}}')
    except InvalidArgument:
        raise ValueError from None
    if value.remarks or not isinstance(value.values.get("value"), kind):
        raise ValueError
    return value.values["value"]


def _named(value: Any) -> str:
    if isinstance(value, list | dict):
        return "an array" if isinstance(value, list) else "an object"
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= SHOWN_MAX else f"{text[:SHOWN_MAX]}..."


_WAYS: dict[str, Callable[[Any], Any]] = {
    "integer": _integer,
    "number": _number,
    "boolean": _boolean,
    "string": _string,
    "object": _object,
    "array": _array,
}
