"""The benchmark of tools: it measures what it says, and leaves out what it does not."""

import msgspec
import pytest

from aios.bench import sandboxes
from aios.bench.table import Options, quiet
from aios.bench.tools import decision_us, run
from aios.clock import Clock
from aios.errors import Denied

ALWAYS = {"validated_call_us_p50", "parallel_20x50ms_ms", "gate_us_p50"}


def test_without_a_sandbox_its_figures_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    async def none(tier: str, calls: int, clock: Clock) -> sandboxes.Cost:
        raise Denied("no tier holds here")

    monkeypatch.setattr(sandboxes, "measure", none)
    report = run(Options(), quiet)
    found = msgspec.to_builtins(report.result)
    assert found.keys() == ALWAYS
    assert found["validated_call_us_p50"] > 1
    assert 50 < found["parallel_20x50ms_ms"] < 20 * 50, "side by side, and really waited for"
    assert report.more["sandbox"] == "no tier holds here"


def test_a_decision_is_measured_each_time() -> None:
    assert len(decision_us(100)) == 100
