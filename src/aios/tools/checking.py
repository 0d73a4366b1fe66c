"""A tool's arguments against its JSON schema: as they are to be passed on, or why not, in words.

The library checks; here stands what a model is told: where, what was expected, what came, and which
known name is nearest. Knows no tool.
"""

from collections.abc import Iterable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

import msgspec

from aios.errors import InvalidArgument
from aios.tools.nearest import nearest
from aios.tools.reading import Read, read
from aios.tools.repairing import mended
from aios.tools.touches import defaults_of, filling

if TYPE_CHECKING:
    import jsonschema_rs

PROBLEMS_MAX = 8  # told at once
SHOWN_MAX = 60  # characters of a value
CHOICES_MAX = 12
SUMMARY_MAX = 1_000
BACKTRACKS_MAX = 10_000  # of a pattern that a stranger's schema brings
ROOT = "arguments"


class Checker:
    """One schema, compiled. Raises `InvalidArgument` for what is no schema of an object."""

    def __init__(self, parameters: Mapping[str, Any]) -> None:
        self._defaults = defaults_of(parameters)
        self._parameters = parameters
        self._validator = _compiled(parameters)

    def filling(self, values: Mapping[str, Any], agent: str) -> dict[str, Any]:
        """What a template over the arguments is filled with, for a call of that agent."""
        return filling(self._parameters, self._defaults | dict(values), agent)

    def check(self, text: str) -> Read:
        """Checked arguments and what was mended. Raises `InvalidArgument` that a model can use."""
        try:
            values, remarks = read(text)
        except InvalidArgument as problem:
            raise InvalidArgument(f"{problem}. {self._summary()}") from None
        if self._validator.is_valid(values):
            return Read(values, remarks)
        problems = list(self._validator.iter_errors(values))
        repaired = mended(values, problems, self._validator)
        if repaired is None:
            raise InvalidArgument(f"{self._told(problems)}. {self._summary()}")
        return Read(repaired.values, (*remarks, *repaired.remarks))

    def _told(self, problems: "list[jsonschema_rs.ValidationError]") -> str:
        told = [self._one(problem) for problem in problems[:PROBLEMS_MAX]]
        if len(problems) > PROBLEMS_MAX:
            told.append("and more")
        return "; ".join(told)

    def _one(self, problem: "jsonschema_rs.ValidationError") -> str:
        place = place_of(problem.instance_path)
        kind: Any = problem.kind  # its fields depend on its name
        name = kind.name
        if name in ("additionalProperties", "unevaluatedProperties"):
            near = self._parent(problem).get("properties", {})
            return "; ".join(_unknown(place, one, near) for one in kind.unexpected[:PROBLEMS_MAX])
        if name == "required":
            return f"`{_inner(place, kind.property)}` is missing: {self._missing(problem)}"
        return f"`{place}`: expected {self._expected(problem)}, got {shown(problem.instance)}"

    def _expected(self, problem: "jsonschema_rs.ValidationError") -> str:
        """What the keyword that failed asks for."""
        kind: Any = problem.kind
        name = kind.name
        if name == "type":
            return " or ".join(kind.types)
        if name == "enum":
            choices = ", ".join(_json(one) for one in kind.options[:CHOICES_MAX])
            near = nearest(str(problem.instance), [str(one) for one in kind.options])
            return f"one of {choices}" + (f" (nearest: {near})" if near else "")
        if name in ("anyOf", "oneOfNotValid"):
            return spelled(self._parent(problem))
        keyword = problem.schema_path[-1] if problem.schema_path else name
        asked = self._parent(problem).get(str(keyword))
        return f"{keyword} {_json(asked)}" if asked is not None else str(keyword)

    def _missing(self, problem: "jsonschema_rs.ValidationError") -> str:
        kind: Any = problem.kind
        return spelled(self._parent(problem).get("properties", {}).get(kind.property, {}))

    def _parent(self, problem: "jsonschema_rs.ValidationError") -> Mapping[str, Any]:
        """The part of the schema whose keyword failed."""
        part: Any = self._parameters
        try:
            for step in problem.schema_path[:-1]:
                part = part[step]
        except (KeyError, IndexError, TypeError):
            return {}
        return part if isinstance(part, Mapping) else {}

    def _summary(self) -> str:
        properties = self._parameters.get("properties", {})
        required = self._parameters.get("required", ())
        parts = (
            f'"{name}": {spelled(part)}{"" if name in required else " (optional)"}'
            for name, part in properties.items()
        )
        told = ", ".join(parts)
        return f"Expected a JSON object {{{told if len(told) <= SUMMARY_MAX else '...'}}}"


@cache
def _options() -> Any:
    import jsonschema_rs

    return jsonschema_rs.FancyRegexOptions(backtrack_limit=BACKTRACKS_MAX)


def _compiled(parameters: Mapping[str, Any]) -> "jsonschema_rs.Validator":
    import jsonschema_rs  # Here: it takes 30 ms, which `aios --help` has not.

    if parameters.get("type", "object") != "object":
        raise InvalidArgument(f"expected a schema of type object, got {parameters.get('type')!r}")
    try:
        return jsonschema_rs.validator_for(
            dict(parameters) | {"type": "object"},
            pattern_options=_options(),
            offline=True,  # a schema that refers to one elsewhere is not fetched
        )
    except (ValueError, RecursionError) as problem:
        line = (str(problem).splitlines() or ["?"])[0]
        raise InvalidArgument(f"expected a JSON schema: {line}") from None


def place_of(path: Iterable[str | int]) -> str:
    """`a.b[2]`; the whole has a name of its own."""
    place = ""
    for step in path:
        place += f"[{step}]" if isinstance(step, int) else f".{step}"
    return place.removeprefix(".") or ROOT


def shown(value: Any) -> str:
    """A value that came, cut."""
    text = _json(value)
    return text if len(text) <= SHOWN_MAX else f"{text[:SHOWN_MAX]}... ({len(text):,} characters)"


def spelled(part: Any) -> str:
    """A part of a schema in a few words."""
    if not isinstance(part, Mapping):
        return "any"
    if "const" in part:
        return _json(part["const"])
    if "enum" in part:
        return " | ".join(_json(value) for value in part["enum"][:CHOICES_MAX])
    for keyword in ("anyOf", "oneOf"):
        if keyword in part:
            return " | ".join(spelled(one) for one in part[keyword])
    kind = part.get("type", "any")
    if kind == "array":
        return f"array of {spelled(part.get('items', {}))}"
    return " | ".join(map(str, kind)) if isinstance(kind, list) else str(kind)


def _unknown(place: str, name: str, known: Mapping[str, Any]) -> str:
    near = nearest(name, known)
    hint = f", did you mean `{near}`?" if near else f"; known: {_some(known)}"
    return f"`{_inner(place, name)[:SHOWN_MAX]}` is unknown{hint}"


def _some(names: Iterable[str]) -> str:
    told = ", ".join(names) or "none"
    return told if len(told) <= SHOWN_MAX * 4 else f"{told[: SHOWN_MAX * 4]}..."


def _inner(place: str, name: str) -> str:
    return name if place == ROOT else f"{place}.{name}"


def _json(value: Any) -> str:
    try:
        return msgspec.json.encode(value).decode()
    except (TypeError, ValueError, RecursionError, OverflowError):
        return str(value)[: SHOWN_MAX * 2]
