"""The load benchmark on small crowds: it measures what it says, with its fields."""

import asyncio

import msgspec

from aios.bench import load_agents, load_overload, load_streams
from aios.bench.load import Result
from aios.bench.table import quiet
from aios.server.listener import fast_loop


def test_agents_keep_the_core_busy_and_every_call_is_answered() -> None:
    with asyncio.Runner(loop_factory=fast_loop()) as runner:
        found = runner.run(load_agents.measure(1.0, quiet, agents=100))
    assert found.agents == 100
    assert found.failures == 0
    assert 0 < found.calls_per_s < load_agents.CORE_PER_S * 1.1
    assert 0 < found.core_calls_per_s <= load_agents.CORE_PER_S
    assert load_agents.ANSWER_S <= found.wait_p50_s <= found.wait_p99_s
    assert found.rss_mb > 10
    assert len(found.bars) == 3


def test_who_finds_no_place_is_refused_and_the_others_are_served() -> None:
    with asyncio.Runner(loop_factory=fast_loop()) as runner:
        found = runner.run(load_overload.measure(1.0, 0, quiet, places=300))
    assert found.failures == 0
    assert found.refused_per_s > found.goodput_per_s > 0
    assert 0 < found.refusal_p50_ms <= found.headline.refusal_p99_ms
    assert found.list_ms_max > 0
    assert len(found.bars) == 5


def test_every_stream_hears_every_event() -> None:
    with asyncio.Runner(loop_factory=fast_loop()) as runner:
        found = runner.run(load_streams.measure(1.0, quiet, streams=150))
    assert found.headline.open == 150
    assert found.missed == 0
    assert found.events >= load_streams.EVENTS
    assert 0 <= found.p50_ms <= found.headline.p99_ms <= found.max_ms


def test_the_result_has_the_documented_fields() -> None:
    assert [field.name for field in msgspec.structs.fields(Result)] == [
        "agents", "calls_per_s", "core_calls_per_s", "failures", "rss_mb", "overload", "streams",
    ]  # fmt: skip
    assert load_overload.Overload.__struct_fields__ == ("goodput_ratio", "refusal_p99_ms")
    assert load_streams.Streams.__struct_fields__ == ("open", "p99_ms", "kb_each")
