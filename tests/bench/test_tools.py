"""The benchmark of tools: it measures what it says, and leaves out what it does not."""

import msgspec

from aios.bench.table import Options, quiet
from aios.bench.tools import Tools, decision_us, run


def test_the_figures_are_there_and_no_others() -> None:
    report = run(Options(), quiet)
    found = msgspec.to_builtins(report.result)
    assert found.keys() == {"validated_call_us_p50", "parallel_20x50ms_ms"}
    assert found["validated_call_us_p50"] > 1
    assert 50 < found["parallel_20x50ms_ms"] < 20 * 50, "side by side, and really waited for"


def test_a_figure_that_others_measure_has_its_place() -> None:
    whole = Tools(validated_call_us_p50=1, parallel_20x50ms_ms=1, gate_us_p50=2.5)
    assert msgspec.to_builtins(whole)["gate_us_p50"] == 2.5


def test_a_decision_is_measured_each_time() -> None:
    assert len(decision_us(100)) == 100
