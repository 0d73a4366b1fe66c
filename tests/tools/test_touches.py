"""Templates over arguments become resources; rates leave room in order."""

from typing import Any

import pytest

from aios.errors import Busy, InvalidArgument
from aios.tools.base import Mode, Touch
from aios.tools.rates import Bucket
from aios.tools.touches import RESOURCES_MAX, check_touches, filling, needs_of


@pytest.mark.parametrize(
    ("template", "arguments", "resources"),
    [
        ("everything", {}, ["everything"]),
        ("file:{path}", {"path": "a/../b//c"}, ["file:b/c"]),
        ("file:{path}", {"path": "../../etc"}, ["file:etc"]),
        ("file:{path}", {"path": "/a"}, ["file:a"]),
        ("file:{paths}", {"paths": ["a", "./a", "b"]}, ["file:a", "file:b"]),
        ("file:{paths}", {"paths": []}, []),
        ("{a}-{b}", {"a": "{b}", "b": 2}, ["{b}-2"]),
        ("city:{place.city}", {"place": {"city": "Rom"}}, ["city:Rom"]),
        ("city:{place.city}", {"place": 5}, ["city:"]),
        ("account:{id}", {}, ["account:"]),
    ],
)
def test_a_template_is_filled(
    template: str, arguments: dict[str, Any], resources: list[str]
) -> None:
    assert list(needs_of([Touch(template, "read")], arguments)) == resources


@pytest.mark.parametrize(
    ("properties", "values", "resource"),
    [
        ({}, {}, "inbox:ann/kid"),
        ({}, {"agent": "bob"}, "inbox:ann/kid"),
        ({"agent": {}}, {"agent": "bob"}, "inbox:bob"),
        ({"agent": {}}, {}, "inbox:"),
    ],
    ids=["the caller", "no parameter stands for it", "a parameter does", "which is left out"],
)
def test_the_calling_agent_fills_a_template(
    properties: dict[str, Any], values: dict[str, Any], resource: str
) -> None:
    parameters = {"type": "object", "properties": properties}
    touches = [Touch("inbox:{agent}", "write")]
    check_touches(touches, parameters)
    assert list(needs_of(touches, filling(parameters, values, "ann/kid"))) == [resource]


def test_what_is_read_and_written_is_written() -> None:
    for order in (("read", "write"), ("write", "read")):
        modes: tuple[Mode, ...] = order
        touches = [Touch("file:{path}", mode) for mode in modes]
        assert needs_of(touches, {"path": "a"}) == {"file:a": "write"}


def test_names_too_many_or_too_long_are_refused() -> None:
    many = [str(number) for number in range(RESOURCES_MAX + 1)]
    with pytest.raises(InvalidArgument):
        needs_of([Touch("file:{paths}", "read")], {"paths": many})
    with pytest.raises(InvalidArgument):
        needs_of([Touch("file:{path}", "read")], {"path": "a" * 600})


def test_a_bucket_gives_places_in_order_and_no_more_than_its_rate() -> None:
    bucket = Bucket(per_minute=6)
    waits = [bucket.reserve(0.0, 1_000) for _ in range(9)]
    assert waits == pytest.approx([0.0] * 6 + [10.0, 20.0, 30.0])
    with pytest.raises(Busy) as busy:
        bucket.reserve(0.0, 5)
    assert busy.value.retry_after_s == pytest.approx(40.0)
    bucket.give_back()
    assert bucket.reserve(5.0, 1_000) == pytest.approx(25.0)
    assert bucket.reserve(1_000.0, 0) == 0


def test_a_clock_that_goes_back_gives_nothing_away() -> None:
    bucket = Bucket(per_minute=1)
    bucket.reserve(100.0, 0)
    with pytest.raises(Busy):
        bucket.reserve(50.0, 0)
