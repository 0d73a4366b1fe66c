"""What a model is told of a tool, and what it gets back from one."""

import asyncio
import enum
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypedDict

import jsonschema
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aios.errors import InvalidArgument
from aios.sdk import Tool, tool


class Unit(enum.Enum):
    CELSIUS = "c"
    FAHRENHEIT = "f"


@dataclass
class Place:
    city: str
    country: str = "FR"


class Window(TypedDict):
    first: int
    last: int


class Station(msgspec.Struct):
    id: int


@tool(inline=True)
def forecast(
    place: Place,
    days: Annotated[int, "how many days"] = 1,
    unit: Unit = Unit.CELSIUS,
    mode: Literal["short", "long"] = "short",
    tags: list[str] | None = None,
    weights: dict[str, float] | None = None,
    window: Window | None = None,
    station: Station | None = None,
) -> dict[str, Any]:
    """Forecast the weather
    for a place.

    Everything after the first paragraph is for people.

    Args:
        place: where
        days: never shown, the annotation wins
    """
    return {"city": place.city, "days": days, "unit": unit, "mode": mode, "tags": tags}


def answer(of: Tool, arguments: str) -> str:
    return asyncio.run(of.run(arguments))


def properties(of: Tool) -> dict[str, Any]:
    found: dict[str, Any] = of.spec.parameters["properties"]
    return found


def test_name_and_first_paragraph_are_what_the_model_is_told() -> None:
    assert forecast.spec.name == "forecast"
    assert forecast.spec.description == "Forecast the weather for a place."


def test_schema_is_valid_and_says_what_is_required_and_what_the_defaults_are() -> None:
    schema = forecast.spec.parameters
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["type"] == "object"
    assert schema["required"] == ["place"]
    assert schema["additionalProperties"] is False
    assert properties(forecast)["days"] == {
        "type": "integer",
        "default": 1,
        "description": "how many days",
    }
    assert properties(forecast)["unit"]["default"] == "c"
    assert properties(forecast)["mode"]["enum"] == ["long", "short"]


def test_docstring_describes_a_parameter_that_has_no_annotation_text() -> None:
    assert properties(forecast)["place"]["description"] == "where"


@pytest.mark.parametrize(
    "arguments",
    [
        '{"place": {"city": "Oslo"}}',
        '{"place": {"city": "Oslo", "country": "NO"}, "unit": "f", "mode": "long"}',
        '{"place": {"city": "O"}, "tags": ["a"], "weights": {"a": 0.5}, "station": {"id": 1}}',
        '{"place": {"city": "O"}, "window": {"first": 1, "last": 2}, "tags": null}',
        '{"place": {"city": 7}}',
        '{"place": {"city": "O"}, "unit": "kelvin"}',
        '{"place": {"city": "O"}, "mode": "x"}',
        '{"place": {"city": "O"}, "tags": "a"}',
        '{"place": {"city": "O"}, "weights": {"a": "heavy"}}',
        '{"place": {"city": "O"}, "window": {"first": 1}}',
        '{"place": {"city": "O"}, "days": true}',
        '{"place": {"city": "O"}, "days": "2"}',
        '{"place": {"city": "O"}, "year": 1}',
        "{}",
        "[]",
        "null",
    ],
)
def test_schema_and_run_agree_on_what_is_acceptable(arguments: str) -> None:
    validator = jsonschema.Draft202012Validator(forecast.spec.parameters)
    accepted = not answer(forecast, arguments).startswith("error: ")
    assert accepted == validator.is_valid(json.loads(arguments))


def test_arguments_arrive_as_their_types_and_left_out_ones_keep_the_functions_default() -> None:
    said = json.loads(answer(forecast, '{"place": {"city": "Oslo"}, "unit": "f"}'))
    assert said == {"city": "Oslo", "days": 1, "unit": "f", "mode": "short", "tags": None}


def test_bad_arguments_are_answered_with_where_and_what_was_expected() -> None:
    said = answer(forecast, '{"place": {"city": "O"}, "unit": 3}')
    assert said.startswith("error: bad arguments for forecast: ")
    assert "$.unit" in said
    assert '"unit": "c" | "f" (optional)' in said
    assert '"place": object' in said


def test_text_that_is_no_json_is_an_error_for_the_model() -> None:
    said = answer(forecast, '{"place": ')
    assert said.startswith("error: bad arguments for forecast: ")


@given(st.text() | st.recursive(st.none() | st.integers(), st.lists).map(json.dumps))
def test_no_argument_text_makes_a_tool_raise(arguments: str) -> None:
    assert answer(forecast, arguments).startswith("error: ")


def test_text_nested_too_deep_is_an_error_for_the_model() -> None:
    @tool(inline=True)
    def count(x: Any) -> int:
        return len(x)

    assert answer(count, '{"x": [[]]}') == "1"
    assert answer(count, '{"x": ' + "[" * 100_000).startswith("error: bad arguments for count")


def test_a_tool_without_parameters_takes_an_object_or_nothing() -> None:
    @tool(inline=True)
    def ping() -> str:
        return "pong"

    assert answer(ping, "") == answer(ping, "{}") == "pong"
    assert ping.spec.parameters["properties"] == {}


@pytest.mark.parametrize("problem", [ValueError("too hot"), StopIteration(), SystemExit(3)])
@pytest.mark.parametrize("inline", [True, False])
def test_whatever_a_tool_raises_becomes_text(problem: BaseException, inline: bool) -> None:
    @tool(inline=inline)
    def boil() -> None:
        raise problem

    said = answer(boil, "{}")

    assert said.startswith("error: ")
    assert type(problem).__name__ in said
    assert str(problem) in said


def test_a_result_that_is_no_data_is_an_error_and_not_a_crash() -> None:
    @tool(inline=True)
    def thing() -> object:
        return object()

    assert answer(thing, "{}").startswith("error: ")


def test_a_plain_function_leaves_the_event_loop_and_an_inline_one_does_not() -> None:
    async def threads(of: Tool) -> bool:
        return await of.run("{}") == str(threading.get_ident())

    def where() -> int:
        return threading.get_ident()

    assert not asyncio.run(threads(tool(where)))
    assert asyncio.run(threads(tool(inline=True)(where)))


def test_an_async_tool_is_awaited_and_cancelling_its_agent_cancels_it() -> None:
    cancelled: list[bool] = []

    async def wait_for_ever() -> None:
        started.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.append(True)
            raise

    async def scene() -> None:
        running = asyncio.ensure_future(tool(wait_for_ever).run("{}"))
        await started.wait()
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running

    started = asyncio.Event()
    asyncio.run(scene())
    assert cancelled


def test_a_tool_past_its_time_limit_is_an_error_and_its_own_timeouts_are_its_own() -> None:
    @tool(timeout_s=0.01)
    async def sleeper() -> None:
        await asyncio.Event().wait()

    @tool
    async def caller() -> None:
        raise TimeoutError("upstream")

    assert answer(sleeper, "{}") == "error: timeout after 0.01 s"
    assert answer(caller, "{}") == "error: TimeoutError: upstream"


def untyped(x) -> None:  # type: ignore[no-untyped-def]
    """A parameter without a type."""


def starred(*x: int) -> None: ...
def keyed(**x: int) -> None: ...
def positional(x: int, /) -> None: ...
def unknown(x: "Nowhere") -> None: ...  # type: ignore[name-defined]  # noqa: F821
def opaque(x: threading.Thread) -> None: ...
def two_texts(x: Unit | str) -> None: ...
def größe() -> None: ...


@pytest.mark.parametrize(
    "function",
    [untyped, starred, keyed, positional, unknown, opaque, two_texts, größe, lambda: None],
)
def test_a_function_that_cannot_be_a_tool_is_refused_when_it_is_made_one(
    function: Callable[..., Any],
) -> None:
    with pytest.raises(InvalidArgument, match=r"expected|no schema|cannot be a tool"):
        tool(function)


def test_a_default_that_is_no_data_stays_the_functions_own() -> None:
    missing: Any = object()

    @tool(inline=True)
    def look(x: int = missing) -> bool:
        return x is missing

    assert "default" not in properties(look)["x"]
    assert answer(look, "{}") == "true"
    assert answer(look, '{"x": 1}') == "false"


def test_a_bound_method_is_a_tool_without_its_self() -> None:
    class Counter:
        total = 0

        def add(self, n: int) -> int:
            self.total += n
            return self.total

    add = tool(inline=True)(Counter().add)

    assert list(properties(add)) == ["n"]
    assert answer(add, '{"n": 2}') == "2"
    assert answer(add, '{"n": 2}') == "4"
