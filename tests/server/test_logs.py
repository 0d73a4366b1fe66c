"""The daemon's log: what a person or a collector reads of what went on."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from aios.server.logs import follow
from aios.telemetry.bus import Bus
from aios.telemetry.events import BudgetShort, CoreDied, Started
from aios.telemetry.log import Form, Level, configure
from tests.server.house import house, lived


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    """Logging is the process's: a test leaves it as it was."""
    root, ours = logging.getLogger(), logging.getLogger("aios")
    kept, levels = list(root.handlers), (root.level, ours.level)
    yield
    root.handlers[:] = kept
    root.setLevel(levels[0])
    ours.setLevel(levels[1])


def written(form: Form, level: Level = Level.INFO) -> io.StringIO:
    out = io.StringIO()
    configure(form, level, out)
    return out


def entries(out: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_an_entry_is_one_line_for_people_whatever_is_in_it() -> None:
    out = written(Form.TEXT)
    logging.getLogger("aios.server").info("ready\nat %s", "x", extra={"facts": {"pid": 7}})
    logging.getLogger("aios.server").error("gone")
    assert out.getvalue() == "aios: ready\\nat x pid=7\naios: error: gone\n"


def test_an_entry_is_an_object_for_collectors() -> None:
    out = written(Form.JSON)
    try:
        raise ValueError("deep")
    except ValueError:
        logging.getLogger("aios.server").exception("failed", extra={"facts": {"pid": 7}})
    (entry,) = entries(out)
    assert (entry["level"], entry["logger"], entry["message"], entry["pid"]) == (
        "error", "aios.server", "failed", 7,
    )  # fmt: skip
    assert "ValueError: deep" in entry["trace"]
    assert entry["time"].endswith("+00:00")


def test_events_that_an_operator_must_know_of_are_written_and_others_are_not() -> None:
    out, bus = written(Form.JSON), Bus()
    follow(bus)
    bus.publish(Started(at=1.0, pid=2, generation="g", branches=1, resumed=False))
    bus.publish(CoreDied(at=2.0, pid=0, reason="killed"))
    bus.publish(BudgetShort(at=3.0, pid=2, account="bob", resource="tokens"))
    told = [(one["message"], one["level"]) for one in entries(out)]
    assert told == [("core_died", "error"), ("budget_short", "warning")]


def test_at_the_level_debug_each_request_is_a_line_without_its_path_or_words() -> None:
    out = written(Form.JSON, Level.DEBUG)

    async def main() -> None:
        async with house() as home:
            await home.http.get("/v1/models/secret-name")
            await home.http.get("/version")

    lived(main)
    told = [(one["route"], one["status"]) for one in entries(out) if one["message"] == "request"]
    assert told == [("/v1/models/{model:path}", 200), ("/version", 200)]
    assert "secret-name" not in out.getvalue()
